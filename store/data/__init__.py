"""Data assets: names and versions for data, and who used which."""
