"""Colour themes and stylesheets of the terminal UI (data, no logic)."""
