"""A disk that fills up and a workspace that cannot be written: clear errors, and nothing that was accepted is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from store import database, jobs, workspace
from store.layout import Layout
from workbench.agent import lock, start

pytestmark = pytest.mark.slow
MEGABYTES = 24


PATIENCE_SECONDS = 20.0


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of the test's own."""
    place = tmp_path / "disk"
    place.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=0700", "tmpfs", str(place)):
        pytest.skip("mounting needs rights that this user does not have")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def small(disk: Path) -> Iterator[Layout]:
    """A workspace on the small disk."""
    found = Layout(disk / "ws")
    workspace.create(found, {"name": "small"}, lambda _: None)
    yield found
    start.stop(found)


def fill(disk: Path, leave: int = 0) -> None:
    """Take all the room of a disk but so many bytes."""
    file = os.open(disk / "ballast", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    free = os.fstatvfs(file).f_bavail * os.fstatvfs(file).f_frsize
    with contextlib.suppress(OSError):
        os.posix_fallocate(file, os.fstat(file).st_size, max(free - leave, 1))
    with contextlib.suppress(OSError):
        while not leave:
            os.write(file, b"\0" * 4096)
    os.close(file)


def make_room(disk: Path) -> None:
    (disk / "ballast").unlink()


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def cli(layout: Layout, *arguments: str | Path, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-m", "workbench.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
    )


def states(layout: Layout) -> dict[str, int]:
    with contextlib.closing(database.connect(layout.database)) as connection:
        return jobs.count_by_status(connection)


def document(folder: Path, command: str) -> Path:
    file = folder / "job.yml"
    lines = "".join(f"  {line}\n" for line in command.splitlines())
    file.write_text(f"command: |\n{lines}")
    return file


def runs(layout: Layout, name: str) -> bool:
    """Whether a job's process runs, and its supervisor has set room aside for how it ends."""
    reserved = layout.job(name).attempt(1) / "exit.json.tmp"
    return reserved.exists() and reserved.stat().st_size > 0


def is_whole(layout: Layout) -> bool:
    with contextlib.closing(database.connect(layout.database)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_jobs_end_well_though_the_disk_was_full_when_they_ended(small: Layout, disk: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    file = document(tmp_path, f"echo kept > outputs/result\nuntil [ -e {go} ]; do sleep 0.1; done")
    names = [cli(small, "run", file, "--detach").stdout.strip() for _ in range(2)]
    cores = len(os.sched_getaffinity(0))
    wait_for(lambda: all(runs(small, name) for name in names[:cores]))
    fill(disk)
    go.touch()
    wait_for(lambda: all((small.job(name).attempt(1) / "exit.json").exists() for name in names[:cores]))
    agent = lock.holder(small)
    assert agent is not None
    refused = cli(small, "run", file)
    assert refused.returncode == 1
    assert "no room" in refused.stderr or "disk is full" in refused.stderr, refused.stderr
    assert "Traceback" not in refused.stderr
    assert lock.holder(small) == agent, "the agent bears it"
    make_room(disk)
    wait_for(lambda: states(small) == {"Completed": 2})
    assert lock.holder(small) == agent
    for name in names:
        assert (small.artifacts(name) / "outputs" / "result").read_text() == "kept\n"
    assert is_whole(small)
    assert cli(small, "run", file).returncode == 0


def test_what_waits_while_the_disk_is_full_goes_on_when_there_is_room(
    small: Layout, disk: Path, tmp_path: Path
) -> None:
    cli(small, "compute", "create", "--name", "one", "--type", "amlcompute", "--max-instances", "1")
    go = tmp_path / "go"
    file = document(tmp_path, f"until [ -e {go} ]; do sleep 0.1; done; echo kept > outputs/result")
    first = cli(small, "run", file, "--set", "compute=one", "--detach").stdout.strip()
    wait_for(lambda: runs(small, first))
    for _ in range(3):
        assert cli(small, "run", file, "--set", "compute=one", "--detach").returncode == 0
    fill(disk)
    (small.job(first).attempt(1) / "cancel").touch()  # it ends, so the next one's turn comes
    wait_for(lambda: (small.job(first).attempt(1) / "exit.json").exists())
    go.touch()
    time.sleep(3)  # let it try: that nothing ends in the meantime is what is tested
    assert "Failed" not in states(small)
    make_room(disk)
    wait_for(lambda: states(small) == {"Canceled": 1, "Completed": 3})
    assert is_whole(small)


def test_an_agent_that_begins_on_a_full_disk_goes_on_when_there_is_room(
    small: Layout, disk: Path, tmp_path: Path
) -> None:
    go, said = tmp_path / "go", tmp_path / "said"
    name = cli(small, "run", document(tmp_path, f"until [ -e {go} ]; do sleep 0.1; done"), "--detach").stdout.strip()
    wait_for(lambda: runs(small, name))
    agent = lock.holder(small)
    assert agent is not None
    fill(disk)
    os.kill(agent.pid, signal.SIGKILL)
    wait_for(lambda: not lock.held(small.agent_lock))
    with said.open("w") as file:
        watching = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli.main", "job", "stream", name],
            stderr=file,
            env={**os.environ, "WORKBENCH_WORKSPACE": str(small.root)},
        )
    wait_for(lambda: "is full: jobs wait until there is room" in said.read_text())
    go.touch()
    wait_for(lambda: (small.job(name).attempt(1) / "exit.json").exists())
    make_room(disk)
    assert watching.wait(60) == 0, said.read_text()
    assert states(small) == {"Completed": 1}
    assert is_whole(small)


def test_a_new_workspace_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    layout, file = Layout(disk / "ws"), document(tmp_path, "true")
    fill(disk, leave=1 << 19)
    refused = cli(layout, "run", file)
    assert refused.returncode == 1
    assert "full" in refused.stderr or "no room" in refused.stderr.lower(), refused.stderr
    assert not layout.database.exists()
    make_room(disk)
    try:
        assert cli(layout, "run", file).returncode == 0
    finally:
        start.stop(layout)


def test_a_workspace_that_turns_read_only(small: Layout, disk: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    file = document(tmp_path, f"echo kept > outputs/result; until [ -e {go} ]; do sleep 0.1; done")
    name = cli(small, "run", file, "--detach").stdout.strip()
    wait_for(lambda: states(small).get("Running") == 1)
    # Files open for writing keep a file system from being remounted; a read-only mount of it in its place does not.
    aside = tmp_path / "aside"
    aside.mkdir()
    assert mount("--bind", str(disk), str(aside)) and mount("-o", "remount,bind,ro", str(aside))
    assert mount("--bind", str(aside), str(disk))
    try:
        for arguments in (["run", file], ["job", "cancel", name]):
            refused = cli(small, *arguments)
            assert refused.returncode == 1
            assert "read-only" in refused.stderr, refused.stderr
        for arguments in (["job", "list"], ["job", "show", name], ["agent", "status"], ["doctor"]):
            assert "Traceback" not in cli(small, *arguments).stderr
    finally:
        subprocess.run(["umount", "--lazy", str(disk), str(aside)], check=True)
    go.touch()
    wait_for(lambda: states(small) == {"Completed": 1})


@pytest.mark.parametrize("agent", ["stopped", "killed"])
def test_a_read_only_copy_of_a_workspace_can_be_looked_at(
    small: Layout, disk: Path, tmp_path: Path, agent: str
) -> None:
    """Also where the agent was killed, and the last changes are in the write-ahead log alone."""
    assert cli(small, "run", document(tmp_path, "echo done"), "--name", "ended").returncode == 0
    start.stop(small)
    writer = database.connect(small.database)
    jobs.submit(writer, jobs.NewJob({"command": "true"}, {}, "local", name="waiting"))
    if agent == "stopped":
        writer.close()  # as the last one it empties the log; one that is killed leaves it
    shutil.copytree(small.root, disk / "copy", symlinks=True)
    writer.close()
    copy = Layout(disk / "copy")
    assert copy.database.with_name("workbench.db-shm").exists() == (agent == "killed")
    until = time.monotonic() + PATIENCE_SECONDS
    while not mount("-o", "remount,ro", str(disk)):  # busy as long as a process that ends has a file open
        assert time.monotonic() < until
        time.sleep(0.05)
    try:
        listed = cli(copy, "job", "list")
        assert [each["name"] for each in json.loads(listed.stdout)] == ["waiting", "ended"], listed.stderr
        assert listed.stderr.startswith(f"{copy.root} is read-only here: shown is what stands in it")
        shown = cli(copy, "job", "show", "ended")
        assert json.loads(shown.stdout)["status"] == "Completed"
        for arguments in (["run", tmp_path / "job.yml"], ["job", "cancel", "waiting"], ["job", "archive", "ended"]):
            refused = cli(copy, *arguments)
            assert refused.returncode == 1
            assert f"error: {copy.database} cannot be written" in refused.stderr
    finally:
        assert mount("-o", "remount,rw", str(disk))


def test_a_read_only_workspace_without_its_shared_memory_says_what_is_left_out(small: Layout, disk: Path) -> None:
    writer = database.connect(small.database)
    jobs.submit(writer, jobs.NewJob({"command": "true"}, {}, "local", name="last"))
    (disk / "copy").mkdir()
    for name in ("workbench.db", "workbench.db-wal"):
        shutil.copy(small.root / name, disk / "copy" / name)
    writer.close()
    until = time.monotonic() + PATIENCE_SECONDS
    while not mount("-o", "remount,ro", str(disk)):  # busy as long as a process that ends has a file open
        assert time.monotonic() < until
        time.sleep(0.05)
    try:
        listed = cli(Layout(disk / "copy"), "job", "list")
        assert listed.returncode == 0, listed.stderr
        assert f"The last changes are left out: they are in {disk / 'copy' / 'workbench.db-wal'}" in listed.stderr
    finally:
        assert mount("-o", "remount,rw", str(disk))


def test_a_workspace_that_its_user_may_not_write(layout: Layout, tmp_path: Path) -> None:
    """Root may write whatever the mode says, unless it gives that right up."""
    drop = "-dac_override,-dac_read_search"
    prefix = ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}"] if os.getuid() == 0 else []
    if prefix and not shutil.which("setpriv"):
        pytest.skip("needs setpriv")
    paths = [layout.root, *layout.root.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    before = layout.database.read_bytes()
    try:
        for arguments in (["run", str(document(tmp_path, "true"))], ["agent", "start"]):
            refused = cli(layout, *arguments, prefix=prefix)
            assert refused.returncode == 1
            assert refused.stderr.startswith(f"error: {layout.database} cannot be written"), refused.stderr
            assert "Check who owns the workspace folder" in refused.stderr
        listed = cli(layout, "job", "list", prefix=prefix)
        assert (listed.returncode, listed.stdout) == (0, "[]\n"), listed.stderr
        assert listed.stderr.startswith(f"{layout.root} is read-only here")
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)
    assert layout.database.read_bytes() == before
    assert not list(layout.jobs.iterdir())
