"""``python -I -S shim.py ATTEMPT_FOLDER`` stands over the processes of one task and outlives everyone above it.

It reads ``task.json``, claims the attempt by creating ``started``, runs the processes (each in a session of its own,
printing straight into its log file), heeds the time limit and the files ``cancel`` and ``kill``, ends what is left, and
leaves ``exit.json`` by atomic rename. Its own trouble goes to ``shim.log``. One file, standard library only, Python 3.8
or newer: the very same file is copied to remote machines."""

from __future__ import annotations

# A task waits for these imports: `os`, `signal` and `json` take 9 ms, the C modules below them nothing.
import _signal as signal  # type: ignore[import-not-found]
import errno
import posix as os
import sys
import time
from posix import environ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RECORD_SIZE = 4096  # bytes reserved for the exit record while there is room on the disk
RECORD_PATIENCE = 600.0  # seconds to wait for room where none could be reserved
ABANDON_AFTER = 10.0  # seconds after SIGKILL; what lives on hangs in the kernel and may do so forever
INFINITY, NAN = float("inf"), float("nan")
GPU_FIELDS = b"--query-gpu=index,utilization.gpu,memory.used,memory.total,power.draw,enforced.power.limit"


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def read(path: bytes) -> bytes:
    """What a file says; nothing where there is none."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read() or b""
    except OSError:
        return b""


def opened(path: bytes, how: int) -> int:
    """A file to write to, for this user alone, made where it is missing."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)


def parse(text: str) -> Any:
    from _json import make_scanner

    options: Any = dict.fromkeys(("object_hook", "object_pairs_hook", "array_hook"))  # the last since 3.15
    options.update(strict=True, parse_float=float, parse_int=int, parse_constant=float)
    return make_scanner(type("Options", (), options))(text.strip(), 0)[0]  # type: ignore[arg-type]


def dump(fields: dict[str, Any]) -> bytes:
    """A flat JSON object, as one line."""
    from _json import encode_basestring_ascii as quoted

    shown = ("null" if v is None else quoted(v) if isinstance(v, str) else repr(v) for v in fields.values())
    return ("{" + ", ".join(f'"{key}": {value}' for key, value in zip(fields, shown)) + "}\n").encode()  # noqa: B905


def fill(file: int, content: bytes) -> None:
    """Write at the start of a file; room for a part of it is an error too."""
    if os.pwrite(file, content, 0) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def complain(text: str) -> None:
    """To shim.log, which is standard error by now; a full disk is no reason to stop."""
    try:
        os.write(2, f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def send(target: int, *signals: int) -> bool:
    """Signal a process, or a group where ``target`` is negative; tells whether there was one."""
    try:
        for number in signals:
            os.kill(target, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def launch(argv: list[bytes], environment: Any, output: int, source: int = 0) -> int:
    """Start a program in a session of its own, all that it prints to ``output``; its input is /dev/null, as ours is."""
    options: dict[str, Any] = {
        "file_actions": [(os.POSIX_SPAWN_DUP2, file, at) for at, file in enumerate((source, output, output))],
        "setsigdef": [number for number in range(1, 32) if number not in (signal.SIGKILL, signal.SIGSTOP)],
        "setsigmask": [],
    }
    try:
        return os.posix_spawnp(argv[0], argv, environment, setsid=True, **options)
    except NotImplementedError:  # an old C library: a process group has to do
        return os.posix_spawnp(argv[0], argv, environment, setpgroup=0, **options)


def listener() -> tuple[int, bytes]:
    """A socket that takes connections from this machine, on a port that nobody else can have, and its address."""
    import _socket

    made = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, _socket.IPPROTO_TCP)
    made.bind(("127.0.0.1", 0))
    made.listen(1024)
    address = b"http://127.0.0.1:%d" % made.getsockname()[1]
    return made.detach(), address


def processes() -> dict[int, tuple[bytes, int, int, int]]:
    """State, parent, session and pages of memory of each process; nothing where there is no /proc."""
    table = {}
    for name in os.listdir(b"/proc") if os.access(b"/proc/self/stat", os.R_OK) else []:
        fields = read(b"/proc/" + name + b"/stat").rpartition(b")")[2].split() if name.isdigit() else []
        if fields:  # else gone meanwhile
            table[int(name)] = (fields[0], int(fields[1]), int(fields[3]), int(fields[21]))
    return table


def descendants(table: dict[int, tuple[bytes, int, int, int]]) -> set[int]:
    found: set[int] = set()
    generation = {os.getpid()}
    while generation:
        generation = {pid for pid, row in table.items() if row[1] in generation} - found
        found |= generation
    return found


def become_subreaper() -> bool:
    """Orphaned descendants become our children, whatever sessions they make: none is lost sight of."""
    try:
        import _ctypes  # `ctypes` itself takes 2 ms

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        return bool(_ctypes.call_cdeclfunction(prctl, (36, 1, 0, 0, 0)) == 0)  # PR_SET_CHILD_SUBREAPER
    except (ImportError, AttributeError, OSError):
        return False


def oom_kills() -> int:
    """Kills for lack of memory so far: on this machine, and in our cgroup (v2 or v1) where its count is apart."""
    files = [b"/proc/vmstat"]
    for line in read(b"/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(b":", 2)
        if not controllers:
            files.append(b"/sys/fs/cgroup" + path + b"/memory.events")
        elif b"memory" in controllers.split(b","):
            files.append(b"/sys/fs/cgroup/memory" + path + b"/memory.oom_control")
    return sum(int(line[9:]) for file in files for line in read(file).splitlines() if line.startswith(b"oom_kill "))


def usage(name: str, used: float, total: float) -> dict[str, float]:
    share = 100 * used / (total or NAN)
    return {name + "_usage_megabytes": round(used / 1e6, 1), name + "_usage_percentage": round(share, 1)}


class SystemMetrics:
    """The machine's load, under the names and in the units of MLflow's own system metrics."""

    def __init__(self, journal: bytes, run: str) -> None:
        self.journal, self.run, self.step = journal, run, 0
        self.before = self.start = self.counters()
        self.gpu_process, self.gpu_stamp = 0, (0, 0)

    def counters(self) -> tuple[int, int, float, float]:
        """So far: ticks, those neither idle nor waiting for a disk, megabytes received and sent."""
        ticks = [int(field) for field in read(b"/proc/stat").partition(b"\n")[0].split()[1:9]] or [0] * 8
        rows = [line.partition(b":")[2].split() for line in read(b"/proc/net/dev").splitlines()[2:]]
        received, sent = (sum(int(row[column]) for row in rows) / 1e6 for column in (0, 8))
        return sum(ticks), sum(ticks) - ticks[3] - ticks[4], received, sent

    def sample(self) -> None:
        stamp, self.step = (int(time.time() * 1000), self.step), self.step + 1
        room = os.statvfs(b"/")
        used, free = (room.f_blocks - room.f_bfree) * room.f_frsize, room.f_bavail * room.f_frsize
        values = {**usage("disk", used, used + free), "disk_available_megabytes": round(free / 1e6, 1)}
        memory = {line.split()[0]: int(line.split()[1]) * 1024 for line in read(b"/proc/meminfo").splitlines()}
        if memory:
            before, self.before = self.before, self.counters()
            share = (self.before[1] - before[1]) / max(self.before[0] - before[0], 1)
            values["cpu_utilization_percentage"] = round(100 * share, 1)
            values["network_receive_megabytes"] = self.before[2] - self.start[2]
            values["network_transmit_megabytes"] = self.before[3] - self.start[3]
            total = memory[b"MemTotal:"]
            values.update(usage("system_memory", total - memory[b"MemAvailable:"], total))
        self.append(stamp, values)
        if not self.gpu_process:  # else it has not answered the last question yet
            self.ask_gpus(stamp)

    def append(self, stamp: tuple[int, int], values: dict[str, float]) -> None:
        line = {"r": self.run, "k": "", "v": 0.0, "t": stamp[0], "s": stamp[1]}
        told = {key: float(value) for key, value in values.items() if value == value}  # a card may tell NaN
        try:
            journal = opened(self.journal, os.O_APPEND)
            os.write(journal, b"".join(dump({**line, "k": "system/" + key, "v": told[key]}) for key in told))
            os.close(journal)
        except OSError as error:
            complain(f"system metrics: {error}")

    def ask_gpus(self, stamp: tuple[int, int]) -> None:
        """Start nvidia-smi where there is one; ``take_gpus`` reads what it printed once it has ended."""
        answer = opened(b"gpus.csv", os.O_TRUNC)
        try:
            command = [b"nvidia-smi", b"--format=csv,noheader,nounits", GPU_FIELDS]
            self.gpu_process, self.gpu_stamp = launch(command, environ, answer), stamp
        except OSError:
            os.unlink(b"gpus.csv")
        os.close(answer)

    def take_gpus(self) -> None:
        self.gpu_process = 0
        for row in read(b"gpus.csv").splitlines():
            told = [cell.strip() for cell in row.split(b",")]
            cells = [float(cell) if cell.replace(b".", b"", 1).isdigit() else NAN for cell in told]
            if len(cells) == 6 and told[0].isdigit():
                name, (busy, used, total, power, limit) = "gpu_" + told[0].decode(), cells[1:]
                values = usage(name + "_memory", used * 2**20, total * 2**20)
                values[name + "_utilization_percentage"] = busy
                values[name + "_power_usage_watts"] = round(power, 1)
                values[name + "_power_usage_percentage"] = round(100 * power / (limit or NAN), 1)
                self.append(self.gpu_stamp, values)


class Supervisor:
    """Runs one claimed task, from its first process to its exit record."""

    def __init__(self, folder: bytes, task: dict[str, Any], wake: int) -> None:
        self.task, self.wake, self.asked_to_end = task, wake, False
        self.folder_file, self.record_file = os.open(folder, os.O_RDONLY), -1
        os.fchdir(self.folder_file)  # to stay in the folder wherever it is moved
        self.running: dict[int, int] = {}  # pid: rank
        self.groups: list[int] = []
        self.results: dict[int, tuple[int | None, int | None]] = {}  # rank: exit code, signal
        self.outcome, self.message = "exited", ""
        self.failed: int | None = None  # rank
        self.kill_at: float | None = None  # once set, everything has been asked to end
        self.killed_at, self.childless, self.cpu_seconds, self.peak = INFINITY, False, 0.0, 0
        self.metrics: SystemMetrics | None = None
        self.subreaper, self.oom_before = become_subreaper(), oom_kills()
        self.started_at, self.started = time.time(), time.monotonic()
        self.next_peak, self.next_metrics = self.started + 0.25, INFINITY
        self.time_limit = self.started + (INFINITY if task.get("time_limit") is None else task["time_limit"])

    def run(self) -> None:
        self.begin()
        self.prepare()
        while self.running:
            self.heed()
            self.wait(min(self.kill_at or self.time_limit, self.next_peak, self.next_metrics))
        self.end_leftovers()
        self.leave_record()
        self.notify()

    def begin(self) -> None:
        if os.access(b"cancel", os.F_OK) or os.access(b"kill", os.F_OK):
            self.outcome = "canceled"
            return
        subject, rank = f"enter the working directory {self.task['directory']}", None
        try:
            os.chdir(encoded(self.task["directory"]))
            for rank, process in reversed([*enumerate(self.task["processes"])]):  # services, which come last, first
                subject = f"open the log {process['log']}"
                log = opened(encoded(process["log"]), os.O_APPEND)
                subject, source = f"start {process['argv'][0]}", 0
                if process.get("address_variable"):
                    source, environ[encoded(process["address_variable"])] = listener()
                extra = {**process.get("environment", {}), "WORKBENCH_TOKEN": self.task["token"]}
                environment = {**environ, **{encoded(key): encoded(extra[key]) for key in extra}}
                pid = launch([encoded(word) for word in process["argv"]], environment, log, source)
                os.close(log)
                if source:  # whoever calls a service that has ended is to be refused
                    os.close(source)
                self.running[pid] = rank
                self.groups.append(pid)
        except (OSError, ValueError) as error:  # ValueError: a NUL byte, which no program can be given
            self.failed = rank
            self.stop("spawn_failed", f"cannot {subject}: {getattr(error, 'strerror', None) or error}")
        os.fchdir(self.folder_file)

    def prepare(self) -> None:
        """The rest of the set-up, which the processes need not wait for."""
        try:
            self.reserve_record()
        except OSError as error:
            complain(f"no room reserved for the exit record: {error}")
        if self.running and self.task.get("journal") and self.task.get("sample_every"):
            self.next_metrics = self.started + self.task["sample_every"]
            self.metrics = SystemMetrics(encoded(self.task["journal"]), self.task["name"])

    def heed(self) -> None:
        """Requests and clocks."""
        now, kill = time.monotonic(), os.access(b"kill", os.F_OK)
        if self.kill_at is None:
            if kill or self.asked_to_end or os.access(b"cancel", os.F_OK):
                self.stop("canceled")
            elif now >= self.time_limit:
                self.stop("timeout", f"ran longer than {self.task['time_limit']:g} seconds")
        if self.kill_at is not None and (now >= self.kill_at or (kill and now < self.killed_at)):
            self.killed_at = min(self.killed_at, now)
            for target in [-pid for pid in self.running] + self.leftovers():
                send(target, signal.SIGKILL)
            self.kill_at = now + min(1.0, now - self.killed_at + 0.05)  # again: one may have forked meanwhile
        try:
            if self.metrics and now >= self.next_metrics:
                self.next_metrics = max(self.next_metrics + self.task["sample_every"], now)
                self.metrics.sample()
            if now >= self.next_peak:
                self.sample_peak(now)
        except (OSError, ValueError, LookupError) as error:  # not worth a job
            complain(f"cannot measure: {error!r}")

    def wait(self, until: float) -> None:
        """Wait until something happens or the time comes, then take in what has ended."""
        import select

        if select.select([self.wake], [], [], max(0.0, min(until - time.monotonic(), 3600.0)))[0]:
            self.asked_to_end |= signal.SIGTERM in os.read(self.wake, 4096)  # the numbers of what was received
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                pid, self.childless = 0, True
            if pid == 0:
                return
            if self.metrics and pid == self.metrics.gpu_process:
                self.metrics.take_gpus()
                continue
            self.cpu_seconds += usage.ru_utime + usage.ru_stime
            self.peak = max(self.peak, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
            if pid in self.running:
                self.ended(self.running.pop(pid), status)

    def ended(self, rank: int, status: int) -> None:
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.results[rank] = (code, number)
        if self.kill_at is None and code != 0:  # else it ends because it was asked to
            self.failed = rank
            if (number == 9 or code == 128 + 9) and oom_kills() > self.oom_before:  # 128 + 9: what a shell tells of it
                self.stop("out_of_memory", "killed by the kernel for lack of memory")
            else:
                self.stop("exited" if number is None else "signaled")
        elif not self.served():
            self.stop(self.outcome, self.message)

    def stop(self, outcome: str, message: str = "") -> None:
        """Ask the process groups to end, services once the others have, and give all of them the grace period."""
        self.outcome, self.message = outcome, message
        self.kill_at = self.kill_at or time.monotonic() + self.task["grace"]
        for pid in self.served() or list(self.running):  # not reaped yet, so the number is still theirs
            send(-pid, signal.SIGTERM, signal.SIGCONT)  # a stopped process would not notice the first alone

    def served(self) -> list[int]:  # the running processes that are no services
        return [pid for pid, rank in self.running.items() if not self.task["processes"][rank].get("service")]

    def leftovers(self) -> list[int]:
        """What descends from the main processes and still lives (negative: a process group)."""
        if self.subreaper and self.childless:
            return []
        table = processes()
        if not table:
            return [-pid for pid in self.groups if send(-pid, 0)]
        found = descendants(table)
        if not self.subreaper:  # orphans are known by their session, or by what they inherited
            token = encoded("WORKBENCH_TOKEN=" + self.task["token"])
            found |= {pid for pid, row in table.items() if row[2] in self.groups}
            found |= {pid for pid in table if token in read(b"/proc/%d/environ" % pid).split(b"\0")}
        found -= {os.getpid(), self.metrics.gpu_process if self.metrics else 0}
        return [pid for pid in found if pid in table and table[pid][0] not in b"ZX"]

    def end_leftovers(self) -> None:
        self.next_metrics = INFINITY
        if self.metrics and self.metrics.gpu_process:
            send(-self.metrics.gpu_process, signal.SIGKILL)
        for target in self.leftovers():
            send(target, signal.SIGTERM, signal.SIGCONT)
        self.kill_at = self.kill_at or time.monotonic() + self.task["grace"]
        while (left := self.leftovers()) and time.monotonic() < self.killed_at + ABANDON_AFTER:
            self.heed()
            pause = 1.0 if self.subreaper and self.killed_at == INFINITY else 0.05
            self.wait(min(self.kill_at, time.monotonic() + pause))
        if left:
            complain(f"could not be ended: {sorted(left)}")
        self.wait(0)  # for what the last of them used

    def sample_peak(self, now: float) -> None:
        """The memory of the whole tree: every second, or as seldom as keeps it below 0.2% of a core."""
        first, before, self.next_peak = self.next_peak < self.started + 1, time.process_time(), now + 5
        table = processes()
        used = {pid: table[pid][3] * os.sysconf("SC_PAGE_SIZE") for pid in descendants(table)}
        if sum(used.values()) > self.peak:  # what they share, as after a fork, counts once: that takes a closer look
            for pid in used:
                told = read(b"/proc/%d/smaps_rollup" % pid).partition(b"\nPss:")[2].split()
                used[pid] = int(told[0]) * 1024 if told else used[pid]
            self.peak = max(self.peak, sum(used.values()))
        self.next_peak = now + max((time.process_time() - before) * 500, 1.0)
        if first:  # a power failure must not make it look as if it never started; short tasks are spared the wait
            os.fsync(self.folder_file)

    def reserve_record(self) -> None:
        """Fill the file that becomes the exit record, so that a full disk cannot keep it from being written."""
        self.record_file = opened(b"exit.json.tmp", os.O_TRUNC)
        fill(self.record_file, b" " * RECORD_SIZE)

    def leave_record(self) -> None:
        code, number = self.results.get(self.failed or 0, (None, None))
        record = {
            "token": self.task["token"],
            "outcome": self.outcome,
            "exit_code": code,
            "signal": number,
            "failed_process": self.failed,
            "message": self.message[:500].encode("utf-8", "replace").decode() or None,
            "started_at": self.started_at,
            "ended_at": time.time(),
            "wall_seconds": time.monotonic() - self.started,
            "cpu_seconds": self.cpu_seconds,
            "peak_memory_bytes": self.peak,
            "memory_kills": oom_kills() - self.oom_before,
        }
        give_up = time.monotonic() + RECORD_PATIENCE
        while True:
            try:
                if self.record_file < 0:
                    self.reserve_record()
                fill(self.record_file, dump(record).ljust(RECORD_SIZE))
                os.fsync(self.record_file)
                return os.rename(b"exit.json.tmp", b"exit.json")
            except OSError as error:
                complain(f"exit record not written: {error}")
                if isinstance(error, FileNotFoundError) or time.monotonic() > give_up:
                    raise
                time.sleep(1)

    def notify(self) -> None:
        try:
            import _socket

            sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
            address = encoded(self.task.get("notify") or "")
            sender.sendto(b"exit " + encoded(self.task["name"]), _socket.MSG_DONTWAIT, address)
        except (ImportError, OSError):  # nobody listens, or is woken already: whoever comes finds the record
            pass


def claim(folder: bytes, token: str) -> bool:
    """Create ``started``, or see that someone else has: whoever creates it owns the attempt."""
    draft, started = folder + b"/started.%d" % os.getpid(), folder + b"/started"
    stat = read(b"/proc/self/stat").rpartition(b")")[2].split()
    fields: dict[str, Any] = {"pid": os.getpid(), "start_time": int(stat[19]) if stat else None, "token": token}
    fields["boot_id"] = read(b"/proc/sys/kernel/random/boot_id").decode().strip() or None
    file = opened(draft, os.O_TRUNC)  # first: a full disk leaves it unclaimed
    fill(file, dump(fields))
    os.close(file)
    try:
        os.close(opened(started, os.O_EXCL))
    except FileExistsError:
        os.unlink(draft)
        return False
    os.rename(draft, started)
    return True


def listen() -> int:
    """Where the numbers of the signals of interest can be read from; a hang-up is nothing to us."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return reader


def main() -> None:
    folder = sys.argv[1].encode(sys.getfilesystemencoding(), "surrogateescape")
    # Let go of whoever started us: its session (the leader of a group has one or may not leave) and its streams.
    if os.getpgrp() != os.getpid():
        os.setsid()
    null = os.open(b"/dev/null", os.O_RDWR)
    log = opened(folder + b"/shim.log", os.O_APPEND)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    wake = listen()
    with open(folder + b"/task.json", "rb") as file:
        task = parse(file.read().decode())
    if claim(folder, task["token"]):
        Supervisor(folder, task, wake).run()


if __name__ == "__main__":
    main()
    os._exit(0)  # no tidying up: it takes 2 ms, and someone waits for this process
