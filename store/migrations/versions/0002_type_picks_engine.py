"""The type of a compute picks its engine: no column says it a second time"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("compute") as batch:
        batch.drop_column("engine")
