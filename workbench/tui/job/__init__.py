"""The tabs of the view of one job."""
