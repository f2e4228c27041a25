"""New files that cannot be had: they are tried again after growing pauses, and hold up no others."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import database
from store.data import events, watches
from store.data.refusals import FIRST_SECONDS, MOST_SECONDS, Refusals
from store.data.sightings import Found
from store.data.watches import Watch
from store.datastores import registry
from store.layout import Layout

FILE = Found("a.csv", 1, "monday")


def test_the_pauses_grow_up_to_a_bound() -> None:
    refusals, now, pauses = Refusals(), 0.0, list[float]()
    for _ in range(40):
        refusals.add(FILE, now)
        pauses.append(refusals.wait(now) or 0)
        now += pauses[-1]
    assert pauses[:4] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS, 8 * FIRST_SECONDS]
    assert pauses[-1] == MOST_SECONDS


def test_a_file_is_let_be_and_the_others_are_due() -> None:
    refusals, other = Refusals(), replace(FILE, path="b.csv")
    refusals.add(FILE, 0.0)
    assert list(refusals.due([FILE, other], FIRST_SECONDS / 2)) == [other]
    assert list(refusals.due([FILE, other], FIRST_SECONDS)) == [FILE, other]


def test_a_file_that_changed_is_tried_at_once_and_one_that_is_gone_is_forgotten() -> None:
    refusals, changed = Refusals(), replace(FILE, modified="tuesday")
    refusals.add(FILE, 0.0)
    assert list(refusals.due([changed], 0.1)) == [changed]
    refusals.add(FILE, 0.0)
    assert list(refusals.due([], 0.1)) == []
    assert refusals.wait(0.1) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1000)), max_size=50))
def test_whatever_is_refused_is_due_again_when_it_is_said(history: list[tuple[str, float]]) -> None:
    refusals, now = Refusals(), 0.0
    for path, pause in history:
        now += pause
        refusals.add(replace(FILE, path=path), now)
    while (wait := refusals.wait(now)) is not None:
        now += wait + 0.001
        due = list(refusals.due([each.found for each in refusals.known.values()], now))
        assert due
        for found in due:
            del refusals.known[found.path]


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    opened = database.connect(layout.database)
    yield opened
    opened.close()


def test_a_file_that_may_not_be_read_is_said_once_and_comes_when_it_may_be(
    connection: sqlite3.Connection, layout: Layout, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    registry.create(connection, {"name": "inbox", "type": "local", "path": str(inbox)})
    watches.create(connection, Watch("daily", "inbox", {"path": "*.csv", "register": "daily", "quiet": 0.05}), ())
    for name in ("closed.csv", "open.csv"):
        (inbox / name).write_text("1")
    (inbox / "closed.csv").chmod(0)

    assert [event["event"] for event in scanned(layout)] == ["new_files", "unread"]
    new, unread = (event.document for event in events.find(connection))
    assert (new["paths"], unread["paths"]) == (["open.csv"], ["closed.csv"])
    assert unread["message"] == "closed.csv may not be read; it is tried again"
    assert scanned(layout) == [], "it is no news"
    (inbox / "closed.csv").chmod(0o600)
    assert [event["paths"] for event in scanned(layout)] == [["closed.csv"]]
    assert events.unread(connection, "daily") == set()


def scanned(layout: Layout) -> list[dict[str, object]]:
    """The events of a scan by one whom modes of files concern."""
    command = [sys.executable, "-m", "workbench.cli.main", "data", "watch", "scan", "daily"]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv, or another user than root")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(
        command, env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found
