"""``workbench doctor``: each check against a real fault."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store import database, jobs
from store import workspace as workspaces
from store.layout import Layout
from store.mounts import Mount
from tests.conftest import Cli
from workbench.agent.channel import Channel
from workbench.agent.lock import AgentLock
from workbench.agent.version import VERSION
from workbench.doctor import databases, folders, machine, work
from workbench.doctor.examine import examine
from workbench.doctor.finding import Check, Finding, Place

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def told(check: Check, layout: Layout) -> list[tuple[str, str]]:
    """Level and title of what one check finds."""
    return [(each.level, each.title) for each in check(place(layout))]


def bad(check: Check, layout: Layout) -> Finding:
    """The one thing that a check finds wrong."""
    (found,) = [each for each in check(place(layout)) if each.level != "ok"]
    return found


def place(layout: Layout) -> Place:
    return Place(layout, layout.root.parent / "cache")


def add_job(layout: Layout, name: str = "one", **facts: Any) -> None:
    """A job in the store, in a given state."""
    with closing(database.connect(layout.database)) as connection:
        jobs.submit(connection, jobs.NewJob(document={"command": "true"}, source={}, compute="local", name=name))
        if facts:
            with database.write(connection):
                jobs.record(connection, name, **facts)


# The command


def test_a_healthy_workspace(layout: Layout, cli: Cli) -> None:
    done = cli("doctor", "-o", "json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0, findings
    assert all(set(each) == {"check", "level", "title", "detail", "mend"} for each in findings)
    assert not [each for each in findings if each["level"] == "error"]
    assert {each["check"] for each in findings} >= {
        *(
            "python",
            "packages",
            "uv",
            "bash",
            "git",
            "memory",
            "gpu",
            "inputs",
            "open_files",
            "locale",
            "loopback",
            "clock",
        ),
        *("home", "workspace", "file_system", "room", "permissions", "writable", "socket", "database", "tracking"),
        *("agent", "processes", "folders"),
    }
    assert not list(layout.root.glob(".doctor*"))


def test_the_text_for_people(layout: Layout, cli: Cli) -> None:
    layout.root.chmod(0o755)
    done = cli("doctor", "-o", "table")
    assert done.returncode == 0
    assert "warning  others may look into the workspace\n" in done.stdout
    assert f"         -> `chmod -R go= {layout.root}`\n" in done.stdout
    assert done.stdout.endswith("in order\n")


def test_without_a_workspace(tmp_path: Path, cli: Cli) -> None:
    done = cli("--workspace", tmp_path / "none" / "yet", "doctor", "-o", "json")
    assert done.returncode == 0
    assert f"there is no workspace at {tmp_path}/none/yet yet" in done.stdout
    assert not (tmp_path / "none").exists()


def test_the_agent_is_not_started(layout: Layout, cli: Cli) -> None:
    add_job(layout)
    done = cli("doctor", "-o", "json")
    assert done.returncode == 0
    assert "1 unfinished job(s) and no agent" in done.stdout
    assert told(work.agent, layout) == [("warning", "1 unfinished job(s) and no agent")]


# Databases


@pytest.mark.parametrize("place_in_file", [0, 4096, 20000])
def test_a_damaged_database(layout: Layout, cli: Cli, place_in_file: int) -> None:
    for name in range(60):
        add_job(layout, f"job_{name}")
    with closing(database.connect(layout.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with layout.database.open("r+b") as file:
        file.seek(place_in_file)
        file.write(b"\xa5" * 12000)
    done = cli("doctor", "-o", "json")
    assert done.returncode == 1, done.stdout
    found = [each for each in json.loads(done.stdout) if each["level"] == "error"]
    assert found[0]["title"] == "workbench.db is damaged"
    assert ".recover" in found[0]["mend"]


@pytest.mark.parametrize("name", ["workbench.db", "mlflow.db"])
def test_an_empty_or_foreign_file_for_a_database(layout: Layout, name: str) -> None:
    for beside in layout.root.glob(f"{name}-*"):
        beside.unlink()
    for content in (b"", b"no database at all" * 100):
        (layout.root / name).write_bytes(content)
        levels = {each.check: each.level for each in examine(layout) if each.level == "error"}
        assert ("database" if name == "workbench.db" else "tracking") in levels


def test_a_damaged_tracking_database(layout: Layout) -> None:
    with layout.mlflow_database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * 40000)
    assert any(each.title == "mlflow.db is damaged" for each in databases.tracking(place(layout)))


def test_other_revisions(layout: Layout) -> None:
    for file in (layout.database, layout.mlflow_database):
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert bad(databases.workbench, layout).title.startswith("workbench.db has revision 9999")
    found = bad(databases.tracking, layout)
    assert (found.level, bool(found.mend)) == ("error", True)
    assert told(work.folders, layout) == told(work.processes, layout) == []


def test_a_tracking_database_that_is_missing(layout: Layout) -> None:
    layout.mlflow_database.unlink()
    assert told(databases.tracking, layout) == [("warning", "mlflow.db is missing")]


def test_another_journal_mode(layout: Layout) -> None:
    with closing(sqlite3.connect(layout.database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    assert bad(databases.workbench, layout).title == "workbench.db is in journal mode delete"


@pytest.mark.slow
def test_a_program_that_keeps_the_database_locked_is_named(layout: Layout, cli: Cli) -> None:
    with closing(database.connect(layout.database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        done = cli("doctor", "-o", "json")
        connection.execute("ROLLBACK")
    assert done.returncode == 1
    (found,) = [each for each in json.loads(done.stdout) if each["level"] == "error"]
    assert found["title"] == "workbench.db is locked by another program"
    if Path("/proc/self/fd").exists():
        assert f"process {os.getpid()} (" in found["detail"]


def test_a_row_that_refers_to_nothing(layout: Layout) -> None:
    with closing(sqlite3.connect(layout.database)) as connection, connection:
        connection.execute("INSERT INTO job_event (job_name, at, status) VALUES ('nobody', 0, 'Running')")
    assert "1 rows that refer to others" in bad(databases.workbench, layout).title


def test_a_history_in_the_future(layout: Layout) -> None:
    add_job(layout)
    with closing(sqlite3.connect(layout.database)) as connection, connection:
        connection.execute("UPDATE job_event SET at = ?", (time.time() + 7200,))
    assert bad(databases.workbench, layout).title == "the newest job is 2.0 hours ahead of the clock"


# Folders


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB with room for some hundred files."""
    point = tmp_path / "disk"
    point.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m,nr_inodes=300", "tmpfs", point], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount a file system here")
    yield point
    subprocess.run(["umount", "-l", point], check=True)


def test_a_full_disk(small_disk: Path, cli: Cli) -> None:
    layout = Layout(small_disk / "ws")
    workspaces.create(layout, {"name": "ws"}, lambda _: None)
    with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"\0" * 4096)
    done = cli("--workspace", layout.root, "doctor", "-o", "json")
    assert done.returncode == 1
    findings = json.loads(done.stdout)
    errors = {each["check"]: each for each in findings if each["level"] == "error"}
    assert set(errors) == {"room", "writable"}, errors
    assert "No space left on device" in errors["writable"]["detail"]
    assert any(each["title"].startswith("the workspace lies in memory") for each in findings)
    assert any("more files fit" in each["title"] for each in findings)


def test_a_read_only_workspace(small_disk: Path, cli: Cli) -> None:
    layout = Layout(small_disk / "ws")
    workspaces.create(layout, {"name": "ws"}, lambda _: None)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = cli("--workspace", layout.root, "doctor", "-o", "json")
    assert done.returncode == 1
    errors = [each for each in json.loads(done.stdout) if each["level"] == "error" and each["check"] != "room"]
    assert [(each["check"], each["title"]) for each in errors] == [("writable", "the workspace cannot be written")]
    assert "read-only" in errors[0]["mend"]


def test_a_network_file_system_is_refused(layout: Layout) -> None:
    table = [Mount("server:/home", layout.root.parent.resolve(), "nfs4")]
    (found,) = folders.file_system(place(layout), table)
    assert (found.level, found.title) == ("error", "the workspace lies on a network file system (nfs4)")


def test_permissions(layout: Layout) -> None:
    assert told(folders.privacy, layout) == [("ok", "the workspace is private to you")]
    layout.database.chmod(0o644)
    assert bad(folders.privacy, layout).detail == "workbench.db"


@ROOT_ONLY
def test_ownership(layout: Layout) -> None:
    os.chown(layout.mlflow_database, 65534, 65534)
    found = bad(folders.privacy, layout)
    assert (found.check, found.level) == ("ownership", "error")
    assert found.detail.startswith("mlflow.db.")


def test_a_runtime_folder_that_is_a_file(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/self")
    assert bad(folders.agent_socket, layout).title == "the agent cannot listen"


def test_a_workspace_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "ws").write_text("")
    found = examine(Layout(tmp_path / "ws"))
    assert [each.title for each in found if each.level == "error"] == [f"{tmp_path / 'ws'} is no folder"]


# The agent and the jobs


@pytest.fixture
def agent(layout: Layout) -> Iterator[Channel]:
    """What an agent holds: the lock and the ear, in this process."""
    lock, channel = AgentLock(layout), Channel(layout)
    assert lock.acquire(VERSION)
    channel.open()
    yield channel
    channel.close()
    lock.release()


def test_an_agent_that_hears(layout: Layout, agent: Channel) -> None:
    assert told(work.agent, layout) == [("ok", f"the agent runs, process {os.getpid()}")]


def test_an_agent_that_does_not_hear(layout: Layout, agent: Channel) -> None:
    layout.agent_socket.unlink()
    found = bad(work.agent, layout)
    assert (found.level, found.title) == ("error", f"the agent (process {os.getpid()}) does not hear")


def test_an_agent_of_another_version(layout: Layout, agent: Channel) -> None:
    layout.agent_lock.write_text(json.dumps({"pid": os.getpid(), "version": "0.0.1", "started_at": 1.0}))
    assert bad(work.agent, layout).title.startswith("the agent is version 0.0.1, this program is")


def test_a_lock_whose_holder_says_nothing(layout: Layout, agent: Channel) -> None:
    layout.agent_lock.write_text("")
    assert bad(work.agent, layout).title == "an agent holds the lock and does not say who it is"


def test_a_running_job_without_a_process(layout: Layout) -> None:
    add_job(layout, status="Running", token="00", attempt=1)
    attempt = layout.job("one").attempt(1)
    attempt.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    claim = {"pid": ended.pid, "start_time": 1, "boot_id": "another", "token": "00"}
    (attempt / "started").write_text(json.dumps(claim))
    assert bad(work.processes, layout).title == "1 job(s) count as running, and their processes are gone"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_process_of_a_job_that_has_ended(layout: Layout) -> None:
    token = secrets.token_hex(16)
    add_job(layout, status="Completed", token=token)
    with subprocess.Popen(["sleep", "60"], env={**os.environ, "WORKBENCH_TOKEN": token}) as left:
        try:
            found = bad(work.processes, layout)
            assert (found.detail, found.mend) == (f"{left.pid} of one", f"`kill {left.pid}`")
        finally:
            left.kill()


def test_folders_and_rows_that_miss_one_another(layout: Layout) -> None:
    add_job(layout, "gone", status="Completed")
    add_job(layout, "there", status="Completed")
    for name in ("there", "unknown", "fresh"):
        (layout.jobs / name).mkdir()
    os.utime(layout.jobs / "unknown", (1, 1))
    assert told(work.folders, layout) == [
        ("warning", f"1 folder(s) in {layout.jobs} belong to no job"),
        ("warning", "1 job(s) have lost their folder"),
    ]


# The machine


def test_requirements() -> None:
    assert machine.fault_of_requirement("click>=1") is None
    assert machine.fault_of_requirement("nothing-of-that-name; extra == 'azure'") is None
    assert machine.fault_of_requirement("nothing-of-that-name>=2") == "nothing-of-that-name is missing"
    too_old = machine.fault_of_requirement("click>=999")
    assert too_old is not None and too_old.endswith("needed is >=999")


def test_few_open_files(layout: Layout) -> None:
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n 200; exec {sys.executable} -m workbench.cli.main doctor -o json"],
        env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a process may open 200 files only" in done.stdout


def test_a_locale_without_utf_8(cli: Cli) -> None:
    done = cli("doctor", "-o", "json", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert any(each["check"] == "locale" and each["level"] == "warning" for each in json.loads(done.stdout))


def test_without_programs_in_path(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert told(machine.shell, layout) == [("warning", "there is no bash")]
    assert told(machine.git, layout) == [("warning", "there is no git")]


def test_a_home_that_cannot_be_written(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.delenv("HOME")
    titles = [title for level, title in told(machine.home, layout) if level != "ok"]
    assert titles == ["HOME is not set", "the data folder relative is a relative path"]


def test_loopback_is_used_for_real(layout: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert told(machine.loopback, layout) == [("ok", "127.0.0.1 works")]


def test_whether_inputs_can_be_mounted_read_only(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench import read_only

    (found,) = machine.inputs(place(layout))
    can = sys.platform == "linux" and read_only.can([], [])
    assert (found.check, found.level, found.title.endswith("are mounted read-only")) == ("inputs", "ok", can)
    monkeypatch.setattr(sys, "platform", "darwin")
    (found,) = machine.inputs(place(layout))
    assert found.level == "ok" and "no mount namespaces here" in found.title and "mode: download" in found.detail
