"""The shim: real processes under real interpreters, of every version that is installed here."""

from __future__ import annotations

import ast
import contextlib
import ctypes
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines.compute.contract import wait_until

SHIM = Path(__file__).parent.parent / "workbench" / "shim.py"
LINUX = sys.platform == "linux"
FOREVER = "exec sleep 1000"
needs_linux = pytest.mark.skipif(not LINUX, reason="needs /proc")
needs_root = pytest.mark.skipif(os.getuid() != 0 or not LINUX, reason="needs root: mounts, control groups, other users")


def interpreters() -> dict[str, Path]:
    """One interpreter of each version from 3.8 on that PATH or pyenv has."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin"))
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": Path(sys.executable)}
    for folder in folders:
        for path in folder.glob("python3.*"):
            version = re.fullmatch(r"python(3\.(\d+))", path.name)
            if version and int(version[2]) >= 8 and version[1] not in found:
                works = subprocess.run([path, "-I", "-S", "-c", "pass"], capture_output=True).returncode == 0
                if works:
                    found[version[1]] = path
    return found


@dataclass
class Attempt:
    """One attempt, and the shims that were started for it."""

    folder: Path
    python: Path = Path(sys.executable)
    program: list[str] = field(default_factory=lambda: [str(SHIM)])
    shims: list[subprocess.Popen[bytes]] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(16))  # tests run side by side

    @property
    def attempt(self) -> Path:
        return self.folder / "attempt"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def write(self, *commands: str, **fields: Any) -> None:
        """Write ``task.json``; the logs of several commands are ``log``, ``log1``, ``log2``..."""
        self.attempt.mkdir(parents=True, exist_ok=True)
        task = {
            "token": self.token,
            "name": "job",
            "directory": str(self.folder),
            "time_limit": None,
            "grace": 1,
            "processes": [
                {"argv": ["/bin/bash", "-c", command], "environment": {}, "log": f"{self.log}{rank or ''}"}
                for rank, command in enumerate(commands)
            ],
            **fields,
        }
        (self.attempt / "task.json").write_text(json.dumps(task))

    def start(
        self, *commands: str, environment: dict[str, str] | None = None, **fields: Any
    ) -> subprocess.Popen[bytes]:
        """Write the task, if there is one, and start a shim."""
        options = {key: fields.pop(key) for key in ("preexec_fn", "user") if key in fields}
        if commands or fields:
            self.write(*commands, **fields)
        shim = subprocess.Popen(
            [self.python, "-I", "-S", *self.program, self.attempt],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(environment or {})},
            start_new_session=True,
            **options,
        )
        self.shims.append(shim)
        return shim

    def run(self, *commands: str, **fields: Any) -> dict[str, Any]:
        """Run the task to its end; returns the exit record."""
        assert self.start(*commands, **fields).wait(30) == 0
        return self.record()

    def wait(self) -> dict[str, Any]:
        """Wait for the shim to leave; returns the exit record."""
        assert self.shims[-1].wait(30) == 0, self.complaints()
        return self.record()

    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.attempt / "exit.json").read_text())
        return found

    def complaints(self) -> str:
        return (self.attempt / "shim.log").read_text()

    def wait_for(self, name: str) -> str:
        """What a file in the folder says, once it says something."""
        path = self.folder / name
        wait_until(lambda: path.exists() and path.stat().st_size, f"{path} to be written")
        return path.read_text()


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Attempt]:
    """An attempt whose shims are gone after the test."""
    made = Attempt(tmp_path)
    yield made
    for shim in made.shims:
        if shim.poll() is None:
            (made.attempt / "kill").touch()
            shim.wait(30)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not LINUX or b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()


# What it is made of


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(SHIM.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


def test_python_3_8_is_enough() -> None:
    vermin = Path(sys.executable).with_name("vermin")
    if not vermin.exists():
        pytest.skip("vermin is not installed")
    checked = subprocess.run([vermin, "-t=3.8-", "--no-tips", "--violations", SHIM], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_nothing_slow_is_imported_before_the_processes_run(attempt: Attempt) -> None:
    attempt.write("exit 0")
    with (attempt.folder / "imports").open("wb") as imports:
        subprocess.run(
            [sys.executable, "-X", "importtime", "-I", "-S", SHIM, attempt.attempt], stderr=imports, check=True
        )
    text = (attempt.folder / "imports").read_text() + attempt.complaints()
    imported = set(re.findall(r"\| +([\w.]+)$", text, re.MULTILINE))
    assert "_signal" in imported | set(sys.builtin_module_names)
    assert not imported & {"os", "re", "enum", "json", "signal", "socket", "ctypes", "subprocess", "typing", "pathlib"}


@pytest.mark.parametrize(("version", "python"), sorted(interpreters().items()))
def test_the_whole_under_each_python(attempt: Attempt, version: str, python: Path) -> None:
    attempt.python = python
    journal = attempt.folder / "metrics.jsonl"
    attempt.start(
        "(setsid bash -c 'echo $$ > left; exec sleep 1000' &); echo begun; read line < go; exit 7",
        "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done",
        journal=str(journal),
        sample_every=0.1,
    )
    os.mkfifo(attempt.folder / "go")
    left = int(attempt.wait_for("left"))
    attempt.wait_for("metrics.jsonl")
    (attempt.folder / "go").write_text("go\n")
    record = attempt.wait()
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 7, 0)
    assert not alive(left)
    assert "asked" in (attempt.folder / "log1").read_text()
    assert all(json.loads(line)["r"] == "job" for line in journal.read_text().splitlines())
    assert attempt.complaints() == ""


# Claiming, starting


def test_the_claim_says_who_owns_the_attempt(attempt: Attempt) -> None:
    shim = attempt.start("exit 0")
    attempt.wait()
    claim = json.loads((attempt.attempt / "started").read_text())
    assert (claim["pid"], claim["token"]) == (shim.pid, attempt.token)
    if LINUX:
        assert claim["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert claim["start_time"] > int(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19])
    assert stat.S_IMODE((attempt.attempt / "started").stat().st_mode) == 0o600
    assert stat.S_IMODE((attempt.attempt / "exit.json").stat().st_mode) == 0o600
    assert {path.name for path in attempt.attempt.iterdir()} == {"task.json", "started", "exit.json", "shim.log"}


def test_of_two_shims_one_runs_the_task(tmp_path: Path) -> None:
    for number in range(20):
        attempt = Attempt(tmp_path / str(number))
        attempt.write("echo run >> runs")
        shims = [attempt.start(), attempt.start()]
        assert [shim.wait(30) for shim in shims] == [0, 0]
        assert (attempt.folder / "runs").read_text() == "run\n"
        assert attempt.record()["exit_code"] == 0


def test_a_claimed_attempt_is_left_alone(attempt: Attempt) -> None:
    attempt.write("echo run > runs")
    (attempt.attempt / "started").write_text('{"revoked": true}')
    assert attempt.start().wait(30) == 0
    assert {path.name for path in attempt.attempt.iterdir()} == {"task.json", "started", "shim.log"}


def test_what_a_process_gets(attempt: Attempt) -> None:
    script = 'echo "$SHARED $OWN $WORKBENCH_TOKEN"; pwd; cat; echo error >&2; ps -o sid= -p $$; echo $$; trap -p'
    process = {"argv": ["bash", "-c", script], "environment": {"OWN": "ö"}, "log": str(attempt.log)}
    attempt.run(processes=[process], environment={"SHARED": "all"})
    lines = attempt.log.read_text().split()
    assert lines[:5] == ["all", "ö", attempt.token, str(attempt.folder), "error"]
    assert lines[5] == lines[6], "a session of its own"
    assert len(lines) == 7, "no signal is ignored"
    assert stat.S_IMODE(attempt.log.stat().st_mode) == 0o600


def test_a_log_is_appended_to(attempt: Attempt) -> None:
    attempt.log.write_text("before\n")
    attempt.run("echo after")
    assert attempt.log.read_text() == "before\nafter\n"


def test_inherited_signal_settings_do_not_reach_the_task(attempt: Attempt) -> None:
    def spoil() -> None:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR2])

    attempt.start("grep -E '^Sig(Blk|Ign)' /proc/self/status; echo > begun; " + FOREVER, preexec_fn=spoil)
    attempt.wait_for("begun")
    os.kill(attempt.shims[0].pid, signal.SIGTERM)
    assert attempt.wait()["outcome"] == "canceled"
    if LINUX:
        masks = [int(line.split()[1], 16) for line in attempt.log.read_text().splitlines()[:2]]
        assert [mask & 0x7FFF_FFFF for mask in masks] == [0, 0], "but for those that are the C library's own"


def test_names_need_not_be_utf_8(attempt: Attempt) -> None:
    odd = os.fsdecode(bytes(attempt.folder) + b"/\xff\n\xe9")
    os.mkdir(odd)
    process = {
        "argv": [
            "bash",
            "-c",
            'echo > here; echo "$X"',
        ],
        "environment": {"X": "\udce9é"},
        "log": f"{odd}/log",
    }
    attempt.run(processes=[process], directory=odd, environment={"LC_ALL": "POSIX"})
    assert os.path.exists(f"{odd}/here")
    with open(f"{odd}/log", "rb") as log:
        assert log.read() == "\udce9é\n".encode("utf-8", "surrogateescape")


# Ends


def test_death_by_a_signal(attempt: Attempt) -> None:
    record = attempt.run("kill -SEGV $$")
    assert (record["outcome"], record["signal"], record["exit_code"]) == ("signaled", signal.SIGSEGV, None)


def test_a_hang_up_is_nothing_to_it(attempt: Attempt) -> None:
    shim = attempt.start("echo > begun; read line < go")
    os.mkfifo(attempt.folder / "go")
    attempt.wait_for("begun")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        shim.send_signal(number)
    (attempt.folder / "go").write_text("go\n")
    assert attempt.wait()["exit_code"] == 0


def test_the_time_limit(attempt: Attempt) -> None:
    record = attempt.run("trap 'exit 0' TERM; while :; do sleep 0.05; done", time_limit=0.2)
    assert (record["outcome"], record["exit_code"]) == ("timeout", 0)
    assert record["message"] == "ran longer than 0.2 seconds"
    assert 0.2 <= record["wall_seconds"] < 1


def test_the_time_limit_ends_what_will_not_end(attempt: Attempt) -> None:
    record = attempt.run("trap '' TERM; sleep 1000 & echo $! > left; wait; sleep 1000", time_limit=0.2, grace=0.3)
    assert (record["outcome"], record["signal"]) == ("timeout", 9)
    assert 0.5 <= record["wall_seconds"] < 5
    assert not alive(int((attempt.folder / "left").read_text()))


def test_a_stopped_process_hears_that_it_shall_end(attempt: Attempt) -> None:
    attempt.start("trap 'echo asked; exit 0' TERM; echo $$ > begun; while :; do sleep 0.05; done", grace=3600)
    os.killpg(int(attempt.wait_for("begun")), signal.SIGSTOP)
    (attempt.attempt / "cancel").touch()
    os.kill(attempt.shims[0].pid, signal.SIGTERM)
    assert attempt.wait()["outcome"] == "canceled"
    assert "asked" in attempt.log.read_text().splitlines()


def test_a_signal_cancels(attempt: Attempt) -> None:
    shim = attempt.start("echo > begun; " + FOREVER)
    attempt.wait_for("begun")
    shim.terminate()
    record = attempt.wait()
    assert (record["outcome"], record["signal"]) == ("canceled", signal.SIGTERM)


def test_a_file_cancels(attempt: Attempt) -> None:
    attempt.start("echo > begun; " + FOREVER)
    attempt.wait_for("begun")
    (attempt.attempt / "cancel").touch()
    assert attempt.wait()["outcome"] == "canceled"


@pytest.mark.parametrize("name", ["cancel", "kill"])
def test_cancelled_before_the_start(attempt: Attempt, name: str) -> None:
    attempt.write("echo > begun")
    (attempt.attempt / name).touch()
    record = attempt.run()
    assert (record["outcome"], record["exit_code"], record["signal"]) == ("canceled", None, None)
    assert not (attempt.folder / "begun").exists()


def test_kill_waits_for_nothing(attempt: Attempt) -> None:
    command = "trap '' TERM; setsid bash -c 'trap \"\" TERM; echo $$ > left; sleep 1000; sleep 1000'; sleep 1000"
    attempt.start(command, grace=3600)
    left = int(attempt.wait_for("left"))
    (attempt.attempt / "kill").touch()
    record = attempt.wait()
    assert (record["outcome"], record["signal"]) == ("canceled", 9)
    assert not alive(left)


def test_the_end_of_the_task_comes_before_a_cancellation_of_what_it_left(attempt: Attempt) -> None:
    attempt.start(
        "(trap '' TERM; echo > begun; while :; do sleep 0.05; done) & while [ ! -s begun ]; do :; done", grace=0.2
    )
    attempt.wait_for("begun")
    os.kill(attempt.shims[0].pid, signal.SIGTERM)
    assert attempt.wait()["outcome"] in ("exited", "canceled")


def test_one_of_several_fails(attempt: Attempt) -> None:
    attempt.start("trap 'exit 9' TERM; echo > begun; while :; do sleep 0.05; done", "read line < go; exit 3", FOREVER)
    os.mkfifo(attempt.folder / "go")
    attempt.wait_for("begun")
    (attempt.folder / "go").write_text("go\n")
    record = attempt.wait()
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 3, 1)


def test_services_end_with_those_they_serve(attempt: Attempt) -> None:
    processes = [
        {"argv": ["bash", "-c", command], "environment": {}, "log": str(attempt.log), "service": service}
        for command, service in [("exit 0", False), ("sleep 0.1", False), (FOREVER, True)]
    ]
    record = attempt.run(processes=processes)
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("exited", 0, None)


@needs_linux
def test_it_sleeps_meanwhile(attempt: Attempt) -> None:
    shim = attempt.start("sleep 0.7; echo > late; read line < go")
    os.mkfifo(attempt.folder / "go")
    attempt.wait_for("late")
    status = Path(f"/proc/{shim.pid}/status").read_text()
    (attempt.folder / "go").write_text("go\n")
    attempt.wait()
    assert int(re.findall(r"\nvoluntary_ctxt_switches:\s+(\d+)", status)[0]) < 30


# What is left over

DAEMONS = """\
(setsid bash -c 'echo $$ > a; exec sleep 1000' &)
(setsid env -u WORKBENCH_TOKEN bash -c 'trap "" TERM; echo $$ > b; while :; do sleep 1000; done' &)
sleep 1000 & echo $! > c; disown
while [ ! -s a ] || [ ! -s b ]; do sleep 0.01; done
exit 5
"""


@needs_linux
def test_daemons_are_ended(attempt: Attempt) -> None:
    record = attempt.run(DAEMONS, grace=0.3)
    assert (record["outcome"], record["exit_code"]) == ("exited", 5)
    assert [name for name in "abc" if alive(int((attempt.folder / name).read_text()))] == []


@needs_linux
def test_daemons_are_ended_where_python_lacks_ctypes_and_the_c_library_new_sessions(attempt: Attempt) -> None:
    """Of those that changed session and threw the token away, none can be known then."""
    attempt.program = [
        "-c",
        "import posix, sys\n"
        "sys.modules['_ctypes'] = None\n"
        "spawn = posix.posix_spawnp\n"
        "def old(*arguments, setsid=False, **options):\n"
        "    if setsid: raise NotImplementedError\n"
        "    return spawn(*arguments, **options)\n"
        "posix.posix_spawnp = old\n"
        f"sys.argv[0] = {str(SHIM)!r}\n"
        f"exec(compile(open({str(SHIM)!r}).read(), 'shim.py', 'exec'))",
    ]
    record = attempt.run(DAEMONS.replace("env -u WORKBENCH_TOKEN ", ""), grace=0.3)
    assert (record["outcome"], record["exit_code"]) == ("exited", 5)
    assert [name for name in "abc" if alive(int((attempt.folder / name).read_text()))] == []
    assert attempt.complaints() == ""


@needs_linux
def test_processes_that_fork_while_they_are_ended(attempt: Attempt) -> None:
    fork_on = "f() { echo $BASHPID >> pids; sleep 0.02; (trap '' TERM; f &); }; trap '' TERM; f & "
    fork_on += "while [ ! -s pids ]; do :; done"
    attempt.run(fork_on, grace=0.1)
    assert [pid for pid in (attempt.folder / "pids").read_text().split() if alive(int(pid))] == []


# What it used


@needs_linux
def test_time_of_the_whole_tree(attempt: Attempt) -> None:
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.2: pass'"
    record = attempt.run(
        f'{burn}; {burn} & wait; (setsid bash -c "{burn}; echo > done" &); while [ ! -s done ]; do :; done'
    )
    assert 0.6 <= record["cpu_seconds"] < 10
    assert record["cpu_seconds"] / os.cpu_count() <= record["wall_seconds"] < 10


@needs_linux
def test_memory_of_one_process(attempt: Attempt) -> None:
    record = attempt.run(f"{sys.executable} -c 'held = bytearray(64 << 20)'")
    assert 64 << 20 < record["peak_memory_bytes"] < 100 << 20


@needs_linux
@pytest.mark.slow
def test_memory_of_the_whole_tree(attempt: Attempt) -> None:
    """Looked at every five seconds at least, every second where that costs nothing."""
    hold = "held = bytearray(64 << 20); import time; time.sleep(6)"
    record = attempt.run(f"for i in 1 2 3; do {sys.executable} -c '{hold}' & done; wait")
    assert 3 * 64 << 20 < record["peak_memory_bytes"] < 300 << 20


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group with 60 MB of memory, in either version of them."""
    old = Path("/sys/fs/cgroup/memory")
    parent, limit = (old, "memory.limit_in_bytes") if old.exists() else (Path("/sys/fs/cgroup"), "memory.max")
    group = parent / f"workbench-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(60 << 20))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group with a memory limit can be made here: {error}")
    yield group
    wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
    group.rmdir()


@needs_root
@pytest.mark.parametrize("command", ["exec {}", "{}; exit $?"])
def test_death_for_lack_of_memory(attempt: Attempt, small_group: Path, command: str) -> None:
    eat = f"{sys.executable} -c 'b = bytearray(400 << 20)'"
    record = attempt.run(
        command.format(eat), preexec_fn=lambda: (small_group / "cgroup.procs").write_text(str(os.getpid())) and None
    )
    assert record["outcome"] == "out_of_memory"
    assert (record["exit_code"], record["signal"]) in ((137, None), (None, 9))


@pytest.mark.parametrize("command", ["kill -KILL $$", "bash -c 'kill -KILL $$'; exit $?"])
def test_not_every_sigkill_is_for_lack_of_memory(attempt: Attempt, command: str) -> None:
    record = attempt.run(command)
    assert (record["outcome"], record["exit_code"], record["signal"]) in (("signaled", None, 9), ("exited", 137, None))


# What cannot be started


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"argv": ["/no/such/program"]}, "cannot start /no/such/program: No such file or directory"),
        ({"argv": ["no-such-program"]}, "cannot start no-such-program: No such file or directory"),
        ({"argv": ["/etc/passwd"]}, "cannot start /etc/passwd: Permission denied"),
        ({"argv": ["/bin/true", "x" * (3 << 20)]}, "cannot start /bin/true: Argument list too long"),
        ({"argv": ["/bin/true", "\0"]}, "cannot start /bin/true: embedded null byte"),
        ({"log": "/no/such/folder/log"}, "cannot open the log /no/such/folder/log: No such file or directory"),
    ],
)
def test_what_cannot_be_started(attempt: Attempt, change: dict[str, Any], message: str) -> None:
    first = {"argv": ["bash", "-c", FOREVER], "environment": {}, "log": str(attempt.log)}
    record = attempt.run(processes=[first, {**first, **change}])
    assert (record["outcome"], record["exit_code"], record["failed_process"]) == ("spawn_failed", None, 1)
    assert record["message"] == message


def test_a_working_directory_that_is_gone(attempt: Attempt) -> None:
    record = attempt.run("echo", directory="/no/such/folder")
    assert (record["outcome"], record["failed_process"]) == ("spawn_failed", None)
    assert record["message"] == "cannot enter the working directory /no/such/folder: No such file or directory"


def test_a_message_can_be_printed_and_stored(attempt: Attempt) -> None:
    message: str = attempt.run("echo", directory="/no/such/\udcff/" + "ö" * 2000)["message"]
    assert message.startswith("cannot enter the working directory /no/such/?/öö")
    assert len(message.encode()) < 4096


@needs_root
def test_no_room_for_another_process(attempt: Attempt, tmp_path: Path) -> None:
    """The limit on a user's processes does not hold for root, so the shim is another user here."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python that other users may run")
    attempt.python = Path(python)
    with contextlib.ExitStack() as stack:
        shared = Path(stack.enter_context(contextlib.closing(SharedFolder())).path)
        attempt.folder = shared
        attempt.program = [str(shutil.copy(SHIM, shared / "shim.py"))]
        attempt.write("echo")
        for path in (shared, attempt.attempt, attempt.attempt / "task.json"):
            os.chown(path, NOBODY, NOBODY)
        few = lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))  # noqa: E731
        record = attempt.run(user=NOBODY, preexec_fn=few)
    assert (record["outcome"], record["message"]) == (
        "spawn_failed",
        "cannot start /bin/bash: Resource temporarily unavailable",
    )


NOBODY = 65_533


class SharedFolder:
    """A folder that other users can reach, which pytest's are not."""

    def __init__(self) -> None:
        import tempfile

        self.path = tempfile.mkdtemp(prefix="workbench-test-")

    def close(self) -> None:
        shutil.rmtree(self.path)


# Full disks and vanished folders


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, b"size=256k") != 0:
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(bytes(folder), 2)


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill the disk but for ``leave`` bytes; returns the file that has the rest."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    os.truncate(filler, filler.stat().st_size - leave)
    return filler


@needs_root
def test_a_disk_that_fills_up_while_the_task_runs(attempt: Attempt, small_disk: Path) -> None:
    attempt.folder = small_disk
    journal = str(small_disk / "metrics.jsonl")
    attempt.start("read line < go; echo lost; exit 6", journal=journal, sample_every=0.05)
    os.mkfifo(small_disk / "go")
    attempt.wait_for("metrics.jsonl")
    with contextlib.suppress(OSError):
        while True:
            fill(small_disk)  # again, for the journal has room yet in its last block
            with open(journal, "ab", buffering=0) as file:
                file.write(b"\n" * 512)
    (small_disk / "go").write_text("go\n")
    record = attempt.wait()
    assert (record["outcome"], record["exit_code"]) == ("exited", 6)
    assert attempt.log.read_text() == ""


@needs_root
def test_a_disk_that_is_full_from_the_start(attempt: Attempt, small_disk: Path) -> None:
    attempt.folder = small_disk
    attempt.write("echo > begun")
    fill(small_disk)
    assert attempt.start().wait(30) != 0
    assert not (attempt.attempt / "started").exists(), "it may be tried again"
    assert not (small_disk / "begun").exists()


@needs_root
def test_a_disk_that_has_room_for_the_record_only_later(attempt: Attempt, small_disk: Path) -> None:
    attempt.folder = small_disk
    attempt.write("exit 6")
    filler = fill(small_disk, leave=4096)  # which the claim takes
    attempt.start()
    wait_until(lambda: (attempt.attempt / "started").exists(), "the claim")
    wait_until(lambda: attempt.log.exists(), "the task to start")
    assert attempt.shims[0].poll() is None
    filler.unlink()
    assert attempt.wait()["exit_code"] == 6


def test_a_log_on_a_full_disk(attempt: Attempt) -> None:
    process = {"argv": ["bash", "-c", "echo lost; exit 2"], "environment": {}, "log": "/dev/full"}
    record = attempt.run(processes=[process], journal="/dev/full", sample_every=0.01)
    assert (record["outcome"], record["exit_code"]) == ("exited", 2)


def test_a_folder_that_is_removed_meanwhile(attempt: Attempt) -> None:
    os.mkfifo(attempt.folder / "go")
    shim = attempt.start("echo > begun; read line < go")
    attempt.wait_for("begun")
    shutil.rmtree(attempt.attempt)
    (attempt.folder / "go").write_text("go\n")
    assert shim.wait(30) == 1


# Telling others


def test_the_end_is_told(attempt: Attempt, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("s") / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(path))
        ear.settimeout(30)
        attempt.start("exit 0", notify=str(path))
        assert ear.recv(100) == b"exit job"
        assert attempt.record()["exit_code"] == 0
    attempt.wait()


@pytest.mark.parametrize("notify", ["/no/such/socket", "/" + "x" * 200])
def test_nobody_listens(attempt: Attempt, notify: str) -> None:
    assert attempt.run("exit 0", notify=notify)["exit_code"] == 0


def samples(attempt: Attempt) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (attempt.folder / "metrics.jsonl").read_text().splitlines()]


def sampled(attempt: Attempt, script: str, **fields: Any) -> list[dict[str, Any]]:
    """Run with system metrics, to ``metrics.jsonl``."""
    attempt.run(script, journal=str(attempt.folder / "metrics.jsonl"), **fields)
    return samples(attempt)


def test_system_metrics(attempt: Attempt) -> None:
    before = time.time() * 1000
    lines = sampled(attempt, "while ! grep -q '\"s\": 2' metrics.jsonl; do sleep 0.01; done", sample_every=0.1)
    assert {line["r"] for line in lines} == {"job"}
    assert {line["s"] for line in lines} >= {0, 1, 2}
    stamps = [line["t"] for line in lines]
    assert stamps == sorted(stamps)
    assert before + 100 <= stamps[0] < before + 10_000
    assert all(isinstance(line["v"], float) and line["v"] >= 0 for line in lines)
    assert all(line["v"] <= 100 for line in lines if line["k"].endswith("percentage"))


def test_a_short_task_has_none(attempt: Attempt) -> None:
    attempt.run("exit 0", journal=str(attempt.folder / "metrics.jsonl"), sample_every=5)
    assert not (attempt.folder / "metrics.jsonl").exists()


@needs_linux
@pytest.mark.slow
def test_system_metrics_are_those_of_mlflow(attempt: Attempt) -> None:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    expected: dict[str, float] = {}
    for monitor in (CPUMonitor(), DiskMonitor(), NetworkMonitor()):
        monitor.collect_metrics()
        expected |= {f"system/{key}": value for key, value in monitor.aggregate_metrics().items()}
    ours = {line["k"]: line["v"] for line in sampled(attempt, "sleep 0.3", sample_every=0.1)}
    assert set(ours) == set(expected)
    for key in expected:
        if "memory" in key or "disk" in key:  # others use the machine too
            assert ours[key] == pytest.approx(expected[key], rel=0.5), key


def graphics_card(attempt: Attempt, script: str) -> str:
    """A PATH on which nvidia-smi is this script: there is no card on the machines that run the tests."""
    folder = attempt.folder / "bin"
    folder.mkdir()
    (folder / "nvidia-smi").write_text(f"#!/bin/bash\necho asked >> {attempt.folder}/asked\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_gpu_metrics(attempt: Attempt) -> None:
    answer = "echo '0, 57, 1000, 4000, 75.5, 300.00'; echo '1, 3, 500, 2000, [N/A], [N/A]'; echo garbage"
    path = graphics_card(attempt, answer)
    wait = "while ! grep -q gpu_1_memory_usage_percentage metrics.jsonl; do sleep 0.01; done"
    lines = sampled(attempt, wait, sample_every=0.1, environment={"PATH": path})
    assert {line["k"]: line["v"] for line in lines if "gpu" in line["k"]} == {
        "system/gpu_0_utilization_percentage": 57.0,
        "system/gpu_0_memory_usage_megabytes": 1048.6,
        "system/gpu_0_memory_usage_percentage": 25.0,
        "system/gpu_0_power_usage_watts": 75.5,
        "system/gpu_0_power_usage_percentage": pytest.approx(25.2, abs=0.1),
        "system/gpu_1_utilization_percentage": 3.0,
        "system/gpu_1_memory_usage_megabytes": 524.3,
        "system/gpu_1_memory_usage_percentage": 25.0,
    }


def test_a_gpu_that_does_not_answer_holds_nothing_up(attempt: Attempt) -> None:
    path = graphics_card(attempt, "trap '' TERM; while :; do sleep 1000; done")
    script = "while ! grep -q '\"s\": 2' metrics.jsonl; do sleep 0.01; done"
    begin = time.monotonic()
    lines = sampled(attempt, script, sample_every=0.1, environment={"PATH": path}, grace=3600)
    assert time.monotonic() - begin < 20
    assert {line["s"] for line in lines} >= {0, 1, 2}
    assert (attempt.folder / "asked").read_text() == "asked\n", "it is not asked again before it has answered"
    assert attempt.record()["exit_code"] == 0
