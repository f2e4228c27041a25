"""Datastores: named connections to where data lies."""
