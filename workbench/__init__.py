"""Workbench: what a person or a script touches, and the agent. No imports here: any process may import a leaf of it."""
