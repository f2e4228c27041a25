"""Real terminals of all kinds and sizes, a full disk, and an agent that is killed while somebody looks."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import termios
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.layout import Layout
from tests import test_full_disk
from tests.conftest import ROOT, Cli
from tests.many_jobs import add_job
from tests.test_broken_agent import BROKEN
from tests.tui.odd_jobs import ENDED, fill
from tests.tui.terminal import Terminal
from workbench.agent import lock
from workbench.tui.sections import SECTIONS

pytestmark = pytest.mark.slow

Open = Callable[..., Terminal]
KEYS = {section.name: str(number) for number, section in enumerate(SECTIONS, 1)}
"""The keys of the sections."""

disk, small = test_full_disk.disk, test_full_disk.small
KINDS = {
    "no colour": {"NO_COLOR": "1"},
    "console": {"TERM": "linux"},
    "dumb": {"TERM": "dumb"},
    "vt100": {"TERM": "vt100"},
    "unknown": {"TERM": "never-heard-of"},
    "ascii": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens terminals; each is closed at the end and must have kept no error of the program's own."""
    opened: list[Terminal] = []

    def start_one(layout: Layout, **options: object) -> Terminal:
        opened.append(Terminal(layout, tmp_path / "state", **options))  # type: ignore[arg-type]
        return opened[-1]

    yield start_one
    for each in opened:
        each.close()
        assert each.crashes() == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_terminal_shows_every_view(layout: Layout, terminal: Open, kind: str) -> None:
    fill(layout)
    shown = terminal(layout, WORKBENCH_SECTION="jobs", **KINDS[kind])
    shown.until(lambda text: ENDED in text)
    seen = {"compute": "Slots", "environments": "nvironment", "events": "vents", "home": "Home", "jobs": ENDED}
    for section, word in seen.items():
        shown.press(KEYS[section])
        shown.until(lambda text, word=word: word in text)
    for tab in ("metrics", "log", "outputs", "system", "yaml", "overview"):
        shown.press(f":job {ENDED} {tab}\r")
        shown.until(lambda text: ENDED in text)
    shown.press("?")
    shown.until(lambda text: "Keys" in text)
    shown.press("\x1b")
    shown.until(lambda text: "Keys" not in text)
    if kind in ("console", "dumb", "vt100", "ascii"):
        assert not {sign for sign in shown.written.decode() if sign > "\xff"}
        assert "\\u" not in shown.written.decode()
    assert shown.leave() == 0


def test_what_is_typed_before_the_first_picture_counts(layout: Layout, terminal: Open) -> None:
    """The terminal is not raw yet then, and makes a line feed of Enter."""
    fill(layout)
    shown = terminal(layout)
    shown.press(f":job {ENDED} log\r")
    shown.until(lambda text: "[Log]" in text and ENDED in text)
    assert shown.leave() == 0


def test_a_section_key_right_after_escape_leads_there(layout: Layout, terminal: Open) -> None:
    fill(layout)
    shown = terminal(layout, WORKBENCH_SECTION="jobs")
    shown.until(lambda text: ENDED in text)
    shown.press("?")
    shown.until(lambda text: "Keys" in text)
    shown.press(f"\x1b{KEYS['compute']}")
    shown.until(lambda text: "Slots" in text)
    shown.press("/\x1b\x1b2")
    shown.until(lambda text: ENDED in text)
    assert shown.leave() == 0


def test_a_storm_of_sizes(layout: Layout, terminal: Open) -> None:
    fill(layout)
    shown, chance = terminal(layout, WORKBENCH_SECTION="jobs"), random.Random(3)
    shown.until(lambda text: ENDED in text)
    for number in range(400):
        shown.resize(chance.randint(1, 300), chance.randint(1, 100))
        if not number % 10:
            add_job(layout, f"later_{number}")
            shown.press(chance.choice([*KEYS.values(), f":job {ENDED} metrics\r", "?q"]))
        shown.read(0.005)
    shown.resize(80, 24)
    shown.press(":jobs\r")
    shown.until(lambda text: "later_390" in text)
    assert shown.leave() == 0


def test_a_paste_of_keys_loses_none(layout: Layout, terminal: Open) -> None:
    for number in range(60):
        add_job(layout, f"job_{number:02}")
    shown = terminal(layout, WORKBENCH_SECTION="jobs")
    shown.until(lambda text: "job_59" in text)
    shown.press("jjjjj sq" + "j" * 20 + "?q" + "k" * 5 + " :job job_00 overview\r")
    shown.until(lambda text: "job_00" in text and "Overview" in text)
    shown.press("2")
    shown.until(lambda text: "2 marked" in text)
    assert shown.leave() == 0


def test_an_agent_that_is_killed_comes_back_while_jobs_wait(
    layout: Layout, terminal: Open, cli: Cli, tmp_path: Path
) -> None:
    document = tmp_path / "job.yml"
    document.write_text("command: sleep 600\nname: sleeper\n")
    assert cli("run", "--detach", document).returncode == 0
    shown = terminal(layout, WORKBENCH_SECTION="jobs", size=(140, 30))
    shown.until(lambda text: "agent working" in text and "1 running" in text)
    killed = agent_of(layout)
    os.kill(killed, signal.SIGKILL)
    shown.until(lambda text: "agent off" in text or agent_of(layout) not in (0, killed))
    shown.until(lambda text: agent_of(layout) not in (0, killed) and "agent working" in text)
    shown.press("j?")
    shown.until(lambda text: "Keys" in text)
    shown.press("q")
    shown.until(lambda text: "Keys" not in text)
    assert shown.leave() == 0
    assert cli("job", "cancel", "sleeper").returncode == 0


def test_an_agent_that_dies_at_its_start_is_told(layout: Layout, terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    add_job(layout, "waits", status="Queued", started_at=None, ended_at=None)
    shown = terminal(layout, WORKBENCH_SECTION="jobs", size=(140, 30), PYTHONPATH=f"{tmp_path}:{ROOT}")
    told = shown.until(lambda text: "no agent stays alive" in text)
    assert "broken on purpose" in told
    shown.press("\r")
    shown.until(lambda text: "Overview" in text)
    assert shown.leave() == 0


def agent_of(layout: Layout) -> int:
    """The process that is the agent, 0 where there is none."""
    holder = lock.holder(layout) if lock.held(layout.agent_lock) else None
    return holder.pid if holder is not None else 0


def test_a_full_disk_is_told_and_nothing_is_lost(small: Layout, disk: Path, terminal: Open) -> None:
    for number in range(5):
        add_job(small, f"job_{number}")
    shown = terminal(small, WORKBENCH_SECTION="jobs")
    shown.until(lambda text: "job_4" in text)
    test_full_disk.fill(disk)
    shown.press("jd")
    shown.until(lambda text: "Not done" in text)
    shown.press("12")
    shown.until(lambda text: "job_4" in text and "job_3" in text)
    test_full_disk.make_room(disk)
    shown.press("gjd")
    shown.until(lambda text: "job_4" in text and "job_3 " not in text.partition("archived")[0])
    assert shown.leave() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was_and_the_way_back(
    layout: Layout, terminal: Open, number: signal.Signals
) -> None:
    add_job(layout, "job_1")
    shown = terminal(layout, WORKBENCH_SECTION="jobs")
    before = termios.tcgetattr(shown.file)[:4]  # line by line, with echo
    shown.until(lambda text: "job_1" in text)
    shown.press("\r")
    shown.until(lambda text: "Overview" in text)
    shown.press("v")
    shown.until(lambda text: "[System]" in text)
    assert termios.tcgetattr(shown.file)[:4] != before
    os.kill(shown.pid, number)
    assert shown.ended() == 128 + number
    assert termios.tcgetattr(shown.file)[:4] == before
    while shown.read(0.1):
        pass
    for mode in ("1049", "1000", "1003", "1006", "2004"):
        assert shown.written.rfind(f"\x1b[?{mode}l".encode()) > shown.written.rfind(f"\x1b[?{mode}h".encode()), mode
    again = terminal(layout)
    again.until(lambda text: "job_1" in text and "[System]" in text)
    assert again.leave() == 0


def test_a_database_that_another_program_holds_is_told_and_holds_up_no_key(layout: Layout, terminal: Open) -> None:
    add_job(layout, "job_1")
    add_job(layout, "job_2")
    shown = terminal(layout, WORKBENCH_SECTION="jobs")
    shown.until(lambda text: "job_2" in text)
    with closing(sqlite3.connect(layout.database, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN EXCLUSIVE")
        shown.press("jd")
        shown.until(lambda text: "what was asked for waits" in text)
        shown.press("q")
        shown.until(lambda text: "A change is not written yet" in text)
        shown.press(f"n{KEYS['compute']}")
        shown.until(lambda text: f">{KEYS['compute']}" in text)
        shown.press("q")
        shown.until(lambda text: "Leave at once?" in text)
        shown.press("y")
        assert shown.ended() == 0
        assert other.execute("SELECT count(*) FROM job WHERE archived").fetchone() == (0,)
        other.execute("COMMIT")


def test_a_database_that_cannot_be_read_yet_is_told(layout: Layout, terminal: Open) -> None:
    add_job(layout, "job_1")
    with closing(sqlite3.connect(layout.database, isolation_level=None, timeout=20)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE job SET rank = rank")
        shown = terminal(layout, WORKBENCH_SECTION="jobs")
        shown.until(lambda text: "nothing can be read" in text)
        shown.press(KEYS["compute"])
        shown.until(lambda text: f">{KEYS['compute']}" in text)
        assert shown.leave() == 0
        shown = terminal(layout, WORKBENCH_SECTION="jobs")
        shown.until(lambda text: "nothing can be read" in text)
        other.execute("ROLLBACK")
    shown.until(lambda text: "job_1" in text)
    assert shown.leave() == 0


def test_tab_keys_in_a_burst_lead_to_the_last(layout: Layout, terminal: Open) -> None:
    fill(layout)
    shown = terminal(layout, WORKBENCH_SECTION="jobs")
    shown.until(lambda text: ENDED in text)
    shown.press(f":job {ENDED}\r")
    shown.press("Y")  # while the job is being read
    shown.until(lambda text: "[YAML]" in text and "Reading" not in text)
    shown.press("mlol")  # in the log, l scrolls sideways
    shown.until(lambda text: "[Log]" in text)
