"""Workbench: what a person or a script touches, and the agent. Kept empty of imports so that any process may import a leaf of it."""
