"""Who submits a job, and the state of the git repository that its code is taken from."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any


def user_name() -> str:
    """Who submits; the number of a user without a name, as in some containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit, branch, remote and whether there are uncommitted changes; None outside a repository or without git."""
    folder = folder if folder.is_dir() else folder.parent
    if not in_repository(folder):
        return None

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    status = git("status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return None
    head = dict(line[2:].split(" ", 1) for line in status.splitlines() if line.startswith("# "))
    commit = head.get("branch.oid", "")
    if commit in ("", "(initial)"):
        return None
    dirty = any(not line.startswith("#") for line in status.splitlines())
    return {"commit": commit, "branch": head.get("branch.head"), "remote": remote(git), "dirty": dirty}


def remote(git: Any) -> str | None:
    """The address of ``origin``, without a user or a password in it."""
    address: str | None = git("config", "--get", "remote.origin.url")
    if address and "://" in address:
        scheme, rest = address.split("://", 1)
        return f"{scheme}://{rest.rsplit('@', 1)[-1]}"
    return address or None


def in_repository(folder: Path) -> bool:
    """Whether a folder lies in a git work tree: cheaper than asking git where it does not."""
    return any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents))
