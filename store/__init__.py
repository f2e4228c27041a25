"""What is wanted and what is so: specs, tables, data, secrets and tracking."""
