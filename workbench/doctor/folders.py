"""The folders of the workspace and the cache: who may read and write them, on what kind of disk, and how full it is."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from store.layout import is_own
from store.mounts import Mount, mount_of
from store.workspace import FOLDERS
from workbench.doctor.finding import Finding, Place, nearest, size

LOW_BYTES = 5 << 30
LEAST_BYTES = 200 << 20
LOW_INODES = 10_000
PROBE_BYTES = 64 << 10


def workspace(place: Place) -> Iterator[Finding]:
    """Whether there is one."""
    root = place.layout.root
    if place.exists:
        yield Finding("workspace", "ok", "workspace", str(root))
    elif root.exists() and not root.is_dir():
        yield Finding("workspace", "error", f"{root} is no folder", mend="Name another with --workspace.")
    else:
        yield Finding("workspace", "ok", f"there is no workspace at {root} yet", "`workbench run FILE` makes it.")


def file_system(place: Place, table: Iterable[Mount] | None = None) -> Iterator[Finding]:
    """What kind of file system holds the workspace: databases and locks work on this machine's own only."""
    mount = mount_of(place.layout.root, table)
    if mount is None:
        return
    if mount.is_network:
        yield Finding(
            "file_system",
            "error",
            f"the workspace lies on a network file system ({mount.kind})",
            f"{mount.point} is {mount.source}. SQLite's databases are damaged there sooner or later,"
            " and file locks may not hold.",
            "Move the workspace to a disk of this machine, and name it with --workspace or WORKBENCH_WORKSPACE;"
            " data may stay where it is.",
        )
    elif mount.is_memory:
        yield Finding(
            "file_system",
            "warning",
            f"the workspace lies in memory ({mount.kind})",
            f"{mount.point} is empty after the next boot.",
            "Move it to a disk.",
        )
    else:
        yield Finding("file_system", "ok", f"the workspace lies on a disk of this machine ({mount.kind})")


def room(place: Place) -> Iterator[Finding]:
    """Free bytes and inodes where the workspace and the cache lie."""
    seen: set[int] = set()
    for name, folder in (("workspace", place.layout.root), ("cache", place.cache)):
        there = nearest(folder)
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        yield free_bytes(name, there)
        yield from free_inodes(name, there)


def free_bytes(name: str, folder: Path) -> Finding:
    """How full the disk is."""
    usage = shutil.disk_usage(folder)
    words = f"{size(usage.free)} of {size(usage.total)} are free where the {name} lies"
    hint = f"Remove what is not needed: `du -xh --max-depth=1 {folder} | sort -h` shows the largest."
    if usage.free < LEAST_BYTES:
        return Finding("room", "error", words, "Jobs and the databases cannot go on.", hint)
    if usage.free < LOW_BYTES:
        return Finding("room", "warning", words, "Environments and outputs soon need more.", hint)
    return Finding("room", "ok", words, str(folder))


def free_inodes(name: str, folder: Path) -> Iterator[Finding]:
    """How many files the disk still takes; file systems without a limit say 0."""
    found = os.statvfs(folder)
    if found.f_files and found.f_favail < LOW_INODES:
        yield Finding(
            "room",
            "error" if found.f_favail < 100 else "warning",
            f"only {found.f_favail} more files fit where the {name} lies",
            "The file system has used up its inodes.",
            "Remove folders of many small files, such as old environments and working copies.",
        )


def privacy(place: Place) -> Iterator[Finding]:
    """The workspace belongs to the user and to nobody else."""
    if not place.exists:
        return
    root, open_ones, foreign = place.layout.root, [], []
    for path in (root, *sorted(root.iterdir()), *(root / "vault").glob("*")):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            continue
        if status.st_uid != os.getuid():
            foreign.append(path.name)
        if status.st_mode & 0o077 and (path == root or path.name in FOLDERS or path.is_file()):
            open_ones.append(path.name)
    if foreign:
        yield Finding(
            "ownership",
            "error",
            f"{len(foreign)} entries of the workspace belong to somebody else",
            f"{', '.join(foreign[:5])}. Perhaps Workbench was once run with sudo.",
            f"`sudo chown -R {os.getuid()}:{os.getgid()} {root}`",
        )
    if open_ones:
        yield Finding(
            "permissions",
            "warning",
            "others may look into the workspace",
            f"{', '.join(open_ones[:5])}",
            f"`chmod -R go= {root}`",
        )
    if not foreign and not open_ones:
        yield Finding("permissions", "ok", "the workspace is private to you")


def writable(place: Place) -> Iterator[Finding]:
    """Whether a file can be written and reaches the disk, in the workspace and in the cache."""
    for name, folder in (("workspace", place.layout.root), ("cache", place.cache)):
        there = nearest(folder)
        try:
            if there == folder:
                write_probe(there)
            elif not os.access(there, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            yield Finding("writable", "error", f"the {name} cannot be written", *why_not(error, there))
        else:
            yield Finding("writable", "ok", f"the {name} can be written", str(folder))


def write_probe(folder: Path) -> None:
    """Write a small file, flush it to the disk, and remove it."""
    probe = folder / f".doctor-{os.getpid()}"
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, b"\xff" * PROBE_BYTES)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            probe.unlink()


def why_not(error: OSError, folder: Path) -> tuple[str, str]:
    """What refuses a write, and what to do."""
    detail = f"{folder}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return detail, "Free some room; nothing that was accepted is lost meanwhile."
    if error.errno == errno.EROFS:
        return detail, "The file system is mounted read-only: after disk errors Linux does so itself (`dmesg`)."
    return detail, f"See who may: `ls -ld {folder}`; or name another workspace with --workspace."


def agent_socket(place: Place) -> Iterator[Finding]:
    """Whether the agent can listen: the folder of its socket must be the user's alone."""
    path = place.layout.agent_socket
    if path.parent.exists() and not is_own(path.parent):
        yield Finding(
            "socket",
            "error",
            "the agent does not listen where others may write",
            str(path.parent),
            "Set XDG_RUNTIME_DIR to a folder of your own, mode 0700.",
        )
        return
    there = nearest(path.parent)
    probe = there / f"wb-doctor-{os.getpid()}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(probe))
        probe.unlink()
    except OSError as error:
        yield Finding(
            "socket",
            "error",
            "the agent cannot listen",
            f"{there}: {error.strerror or error}",
            "Set XDG_RUNTIME_DIR to a folder of your own.",
        )
    else:
        yield Finding("socket", "ok", "the agent can listen", str(path))


CHECKS = (workspace, file_system, room, privacy, writable, agent_socket)
