"""A list of jobs is read from one index: a job's documents lie in the way otherwise"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = [
    "archived",
    "id",
    "parent_job_name",
    "name",
    "display_name",
    "experiment_name",
    "type",
    "status",
    "compute",
    "created_at",
    "started_at",
    "ended_at",
]


def upgrade() -> None:
    op.create_index("job_listing", "job", COLUMNS)
