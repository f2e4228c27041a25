"""What the log and the exit record of a failed job tell, one module per kind of sign."""
