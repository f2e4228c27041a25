"""Datastores, data assets and their uses, watched paths"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def text(name: str, *, empty: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=empty, primary_key=key)


def upgrade() -> None:
    datastores_and_assets()
    uses()
    watches()


def datastores_and_assets() -> None:
    op.create_table(
        "datastore",
        text("name", key=True),
        text("type"),
        text("document"),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "data_container",
        text("name", key=True),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "data",
        sa.Column("id", sa.Integer, primary_key=True, nullable=False),
        sa.Column("name", sa.String(), sa.ForeignKey("data_container.name"), nullable=False),
        *(text(name) for name in ("version", "type", "path", "document")),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("archived", "stored")),
        text("fingerprint", empty=True),
        *(sa.Column(name, sa.Integer, nullable=True) for name in ("files", "bytes")),
        *(text(name, empty=True) for name in ("job_name", "job_output")),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.UniqueConstraint("name", "version", name="data_version"),
    )
    op.create_index("data_by_fingerprint", "data", ["fingerprint"])
    op.create_index("data_by_job", "data", ["job_name"])
    op.create_table(
        "data_label",
        sa.Column("name", sa.String(), sa.ForeignKey("data_container.name"), primary_key=True, nullable=False),
        text("label", key=True),
        text("version"),
    )


def uses() -> None:
    op.create_table(
        "data_use",
        sa.Column("id", sa.Integer, primary_key=True, nullable=False),
        *(text(name) for name in ("name", "version", "user_kind", "user_name")),
        *(text(name, empty=True) for name in ("input", "fingerprint")),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("data_use_by_version", "data_use", ["name", "version"])
    op.create_index("data_use_by_user", "data_use", ["user_kind", "user_name"])


def watches() -> None:
    op.create_table(
        "data_watch",
        text("name", key=True),
        text("datastore"),
        text("document"),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "data_event",
        sa.Column("id", sa.Integer, primary_key=True, nullable=False),
        text("watch"),
        sa.Column("at", sa.Float, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("files", "bytes")),
        text("document"),
    )
    op.create_index("data_event_by_watch", "data_event", ["watch", "id"])
    op.create_table(
        "watched_file",
        sa.Column("watch", sa.String(), sa.ForeignKey("data_watch.name"), primary_key=True, nullable=False),
        text("path", key=True),
        sa.Column("size", sa.Integer, nullable=False),
        text("modified"),
        sa.Column("event_id", sa.Integer, sa.ForeignKey("data_event.id"), nullable=True),
    )
    op.create_index("watched_file_by_event", "watched_file", ["event_id"])
