"""Bringing data from elsewhere onto this machine, whole or to be gone on with."""
