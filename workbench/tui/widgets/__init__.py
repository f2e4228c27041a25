"""Reusable pieces; they know nothing of the store."""
