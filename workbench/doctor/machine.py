"""The machine: Python, programs, limits, network, what ends at a logout."""

from __future__ import annotations

import locale
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from workbench.doctor.finding import Finding, Place, nearest, size

DISTRIBUTION = "workbench-ml"
OLDEST_PYTHON = (3, 11)
PROGRAM_SECONDS = 10
OPEN_FILES = 1024
MEMORY_BYTES = 512 << 20
EARLIEST_TIME = 1_735_689_600  # 2025-01-01: a clock before this was never set


def answer(*command: str) -> str | None:
    """What a program prints, None when it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def python(place: Place) -> Iterator[Finding]:
    """The version that runs Workbench."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= OLDEST_PYTHON:
        yield Finding("python", "ok", f"Python {version}", sys.executable)
    else:
        needed = ".".join(map(str, OLDEST_PYTHON))
        yield Finding(
            "python", "error", f"Python {version} is too old", sys.executable, f"Use Python {needed} or newer."
        )


def packages(place: Place) -> Iterator[Finding]:
    """What Workbench declares that it needs, by the metadata of what is installed."""
    try:
        required = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "packages",
            "warning",
            f"{DISTRIBUTION} is not installed, it runs from its source",
            "Engines and MLflow's tracking store are found through what an installation registers.",
            "In the folder with pyproject.toml: `pip install -e .`",
        )
        return
    wrong = [fault for text in required if (fault := fault_of_requirement(text))]
    if wrong:
        yield Finding(
            "packages", "error", "packages are missing or too old", "; ".join(wrong), f"`pip install {DISTRIBUTION}`"
        )
    else:
        versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("mlflow", "pydantic", "click"))
        yield Finding("packages", "ok", f"all {len(required)} packages are there", versions)


def fault_of_requirement(text: str) -> str | None:
    """What is wrong with one requirement; None for one that is met, or is not wanted here."""
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return None
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if not requirement.specifier.contains(version, prereleases=True):
        return f"{requirement.name} is {version}, needed is {requirement.specifier}"
    return None


def uv(place: Place) -> Iterator[Finding]:
    """The program that builds environments."""
    from uv import find_uv_bin

    try:
        program = find_uv_bin()
    except FileNotFoundError:
        program = ""
    found = answer(program, "--version") if program else None
    if found:
        yield Finding("uv", "ok", found, program)
    else:
        yield Finding(
            "uv", "error", "uv does not run", program or "It was not found.", "`pip install --force-reinstall uv`"
        )


def shell(place: Place) -> Iterator[Finding]:
    """What runs commands."""
    if bash := shutil.which("bash"):
        yield Finding("bash", "ok", "bash", bash)
    else:
        yield Finding(
            "bash",
            "warning",
            "there is no bash",
            "Commands of jobs run in sh, which knows less (no `[[ ]]`, no arrays).",
            "Install bash.",
        )


def git(place: Place) -> Iterator[Finding]:
    """What tells the commit of a job's code."""
    if version := answer("git", "--version"):
        yield Finding("git", "ok", version, shutil.which("git") or "")
    else:
        yield Finding("git", "warning", "there is no git", "Jobs will not know their commit.", "Install git.")


def open_files(place: Place) -> Iterator[Finding]:
    """How many files a process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    words = "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        yield Finding(
            "open_files",
            "warning",
            f"a process may open {words} files only",
            "Data loaders with several workers, and many jobs at once, need more.",
            f"`ulimit -n {min(hard, 65536) if hard > 0 else 65536}`, or in /etc/security/limits.conf",
        )
    else:
        yield Finding("open_files", "ok", f"a process may open {words} files")


def text_encoding(place: Place) -> Iterator[Finding]:
    """Whether text is UTF-8 here."""
    encoding = locale.getencoding().lower().replace("-", "").replace("_", "")
    if encoding == "utf8" or sys.flags.utf8_mode:
        yield Finding("locale", "ok", "text is UTF-8", os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    else:
        yield Finding(
            "locale",
            "warning",
            f"text is {locale.getencoding()}, not UTF-8",
            "Scripts that read or print other letters fail; jobs get the locale of whoever submits them.",
            "`export LC_ALL=C.UTF-8`",
        )


def loopback(place: Place) -> Iterator[Finding]:
    """Whether processes here can talk to one another by TCP."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(5)
            with socket.create_connection(server.getsockname(), timeout=5):
                server.accept()[0].close()
    except OSError as error:
        yield Finding(
            "loopback",
            "error",
            "127.0.0.1 does not work",
            f"{error.strerror or error}. Distributed jobs and MLflow's server need it.",
            "`ip link set lo up`; look for a firewall or sandbox.",
        )
    else:
        yield Finding("loopback", "ok", "127.0.0.1 works")


def gpu(place: Place) -> Iterator[Finding]:
    """The GPUs that jobs will see."""
    listed = answer("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    if listed:
        cards = listed.splitlines()
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        chosen = f" CUDA_VISIBLE_DEVICES is {hidden!r}." if hidden is not None else ""
        yield Finding("gpu", "ok", f"{len(cards)} GPU(s)", f"{'; '.join(cards)}.{chosen}")
    elif Path("/dev/nvidia0").exists():
        yield Finding(
            "gpu",
            "warning",
            "there is a GPU, but nvidia-smi does not answer",
            "The driver of the kernel and its programs may be of different versions.",
            "Run `nvidia-smi`; after an update of the driver, restart the machine.",
        )
    elif Path("/dev/kfd").exists():
        yield Finding("gpu", "ok", "an AMD GPU", "/dev/kfd")
    else:
        yield Finding("gpu", "ok", "no GPU")


def inputs(place: Place) -> Iterator[Finding]:
    """Whether jobs can be kept from writing to inputs that they are to read."""
    from workbench import read_only

    if sys.platform == "linux" and read_only.can([tempfile.gettempdir()], []):
        yield Finding("inputs", "ok", "inputs of jobs are mounted read-only")
    else:
        told = "A write to an input is noticed when the job has ended. `mode: download` gives a job a copy of its own."
        yield Finding("inputs", "ok", "a job may write to inputs that it is to read: no mount namespaces here", told)


def memory(place: Place) -> Iterator[Finding]:
    """How much memory is left."""
    import psutil

    found = psutil.virtual_memory()
    words = f"{size(found.available)} of {size(found.total)} memory are free"
    if found.available < MEMORY_BYTES:
        yield Finding("memory", "warning", words, "Jobs may be ended by the system.", "`top` shows what uses it.")
    else:
        yield Finding("memory", "ok", words)


def clock(place: Place) -> Iterator[Finding]:
    """Whether the clock was set at all, and runs as the file system's does."""
    now = time.time()
    if now < EARLIEST_TIME:
        yield Finding(
            "clock",
            "error",
            f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}",
            "Times of jobs will be wrong, and secure connections fail.",
            "Set it: `timedatectl set-ntp true`",
        )
    else:
        yield Finding("clock", "ok", "the clock is set", time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now)))


def home(place: Place) -> Iterator[Finding]:
    """HOME and the folders of the XDG base directory specification."""
    if not os.environ.get("HOME"):
        yield Finding("home", "warning", "HOME is not set", "Caches and settings go astray.", "`export HOME=~`")
    folders = {
        "data": Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"),
        "cache": Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"),
        "config": Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"),
    }
    for kind, folder in folders.items():
        if not folder.is_absolute():
            mend = f"Set XDG_{kind.upper()}_HOME to an absolute path."
            yield Finding("home", "warning", f"the {kind} folder {folder} is a relative path", mend=mend)
        elif not os.access(nearest(folder), os.W_OK | os.X_OK):
            yield Finding(
                "home",
                "error" if kind == "data" else "warning",
                f"the {kind} folder {folder} cannot be written",
                mend=f"See who owns it (`ls -ld {nearest(folder)}`), or set XDG_{kind.upper()}_HOME.",
            )
        else:
            yield Finding("home", "ok", f"the {kind} folder can be written", str(folder))


def logout(place: Place) -> Iterator[Finding]:
    """Whether the agent and jobs survive the end of the last session (loginctl(1), logind.conf(5))."""
    if not Path("/run/systemd/system").exists():
        return
    shown = answer("loginctl", "show-user", str(os.getuid()), "--property=Linger") or ""
    kills = answer("busctl", "get-property", *LOGIN_MANAGER, "KillUserProcesses") or ""
    if re.search(r"Linger=yes", shown):
        yield Finding("logout", "ok", "the agent and jobs survive a logout", "Lingering is on.")
    elif kills.endswith("true"):
        yield Finding(
            "logout",
            "warning",
            "a logout ends the agent and running jobs",
            "systemd ends all processes of a user at the logout here (KillUserProcesses).",
            "`loginctl enable-linger`",
        )
    else:
        yield Finding(
            "logout",
            "warning",
            "a logout may end the agent",
            "Jobs go on, but nothing starts the next one until a command starts the agent again.",
            "`loginctl enable-linger`",
        )


LOGIN_MANAGER = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")

CHECKS = (
    python,
    packages,
    uv,
    shell,
    git,
    memory,
    gpu,
    inputs,
    open_files,
    text_encoding,
    loopback,
    clock,
    home,
    logout,
)
