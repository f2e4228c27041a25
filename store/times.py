"""Times in documents: ISO 8601 in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(seconds: float | None) -> str | None:
    """A time of ours, in seconds since the epoch, as text."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timestamp_of_ms(milliseconds: int | None) -> str | None:
    """A time of MLflow's, in milliseconds since the epoch, as text."""
    return None if milliseconds is None else timestamp(milliseconds / 1000)
