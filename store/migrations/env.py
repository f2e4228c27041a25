"""What Alembic runs: one connection, given by ``store/migrate.py``."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from store import tables

assert tables.Job.__tablename__  # noqa: S101  (the import fills the metadata)

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
