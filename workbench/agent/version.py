"""The version of this program, which the agent's lock carries."""

VERSION = "0.1.0"
"""Held against pyproject.toml by a test: reading it from the installed metadata would cost every start 20 ms."""
