"""Compute engines: how one task is started, watched and stopped."""
