"""Alembic's migrations of ``workbench.db``."""
