"""Real services for tests, on loopback: each is ended by the id of its process."""
