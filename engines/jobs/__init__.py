"""Job kinds: a pure controller each, and what prepares and explains a job."""
