"""Times in what the commands print look alike."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from store.times import timestamp, timestamp_of_ms
from tests.conftest import Cli

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_time_is_iso_8601_in_utc_to_the_millisecond() -> None:
    assert timestamp(1_700_000_000.25) == "2023-11-14T22:13:20.250Z"
    assert timestamp_of_ms(1_700_000_000_250) == "2023-11-14T22:13:20.250Z"
    assert timestamp(None) is timestamp_of_ms(None) is None
    assert timestamp(0) == timestamp_of_ms(0) == "1970-01-01T00:00:00.000Z"


def test_every_noun_prints_them_so(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1\n")
    printed = {
        "created_on": cli("compute", "show", "local", "-o", "json"),
        "creation_time": cli("workspace", "show", "-o", "json"),
        "last_update_time": cli("experiment", "show", "Default", "-o", "json"),
    }
    times = [json.loads(done.stdout)[key] for key, done in printed.items()]
    added = cli("cache", "add", "https://example.org/data.csv", tmp_path / "data.csv", "-o", "json")
    times.append(json.loads(added.stdout)["creation_time"])
    for time in times:
        assert ISO.fullmatch(time), time
        assert abs((datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()) < 600


def test_an_entry_of_the_cache_tells_its_age_to_people(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1\n")
    added = cli("cache", "add", "https://example.org/data.csv", tmp_path / "data.csv", "-o", "table")
    assert "just now" in added.stdout
