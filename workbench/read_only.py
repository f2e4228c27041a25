"""Become a program to which some paths are read-only, by namespaces of Linux; where there are none, just that program.

    python -I -S read_only.py '{"read_only": [...], "writable": [...]}' PROGRAM ARGUMENT...

Runs beside a user's code and imports the standard library alone. ``writable`` are paths that stay so where they lie
below a read-only one. Root needs a mount namespace only; anybody else a user namespace with it, in which they are
themselves and have no other right than before. WORKBENCH_WRITABLE_INPUTS in the environment leaves all as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_SLAVE = 1, 32, 4096, 16384, 1 << 19
KEPT_FLAGS = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
"""What ``statvfs`` tells of a mount (nosuid, nodev, noexec, noatime, nodiratime, relatime), as ``mount`` wants it."""

libc = ctypes.CDLL(None, use_errno=True)


def protect(read_only: list[str], writable: list[str]) -> None:
    """Make paths read-only for this process and all that it becomes. Raises OSError where that cannot be."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _call(libc.unshare, CLONE_NEWNS)
    else:
        _call(libc.unshare, CLONE_NEWNS | CLONE_NEWUSER)
        for file, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{file}", "w") as stream:
                stream.write(line)
    _mount("none", "/", MS_REC | MS_SLAVE)
    holes = []
    for path in writable:
        if any(path.startswith(f"{above.rstrip('/')}/") for above in read_only):
            with contextlib.suppress(OSError):
                holes.append((path, os.open(path, os.O_PATH | os.O_CLOEXEC)))
    for path in read_only:
        _mount(path, path, MS_BIND | MS_REC)
        for point in _mounts_below(path):
            _mount("none", point, MS_BIND | MS_REMOUNT | MS_RDONLY | _flags(point))
    for path, descriptor in holes:
        _mount(f"/proc/self/fd/{descriptor}", path, MS_BIND | MS_REC)
    os.chdir(os.getcwd())  # which led past the new mounts


def _flags(point: str) -> int:
    told = os.statvfs(point).f_flag
    return sum(flag for bit, flag in KEPT_FLAGS.items() if told & bit)


def _mounts_below(path: str) -> list[str]:
    with open("/proc/self/mountinfo", "rb") as raw:
        found = [os.fsdecode(_unescaped(line.split(b" ")[4])) for line in raw]
    return sorted({point for point in found if point == path or point.startswith(f"{path.rstrip('/')}/")})


def _unescaped(field: bytes) -> bytes:
    first, *rest = field.split(b"\\")
    return first + b"".join(bytes([int(each[:3], 8)]) + each[3:] for each in rest)


def _mount(source: str, target: str, flags: int) -> None:
    _call(libc.mount, os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None)


def _call(function: object, *arguments: object) -> None:
    if function(*arguments):  # type: ignore[operator]
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def can(read_only: list[str], writable: list[str]) -> bool:
    """Whether all of it would succeed: tried by a child, since half of it would be worse than nothing."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            protect(read_only, writable)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def main(paths: str, *argv: str) -> None:
    """Protect where that is possible, and become the program."""
    told = json.loads(paths)
    if sys.platform == "linux" and not os.environ.get("WORKBENCH_WRITABLE_INPUTS"):
        with contextlib.suppress(OSError):
            if can(told["read_only"], told["writable"]):
                protect(told["read_only"], told["writable"])
    os.execv(argv[0], argv)  # noqa: S606 - what it was started for


if __name__ == "__main__":
    main(*sys.argv[1:])
