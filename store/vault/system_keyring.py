"""The system's keyring, asked by a process of its own: it may want to be unlocked, hang, fall, and takes time to load.

What goes there and comes back goes through pipes: it is in no argument list and in no environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from store.errors import MachineError
from store.layout import runtime_folder
from store.lent import variables

PATIENCE = 60.0
"""Seconds that somebody has to unlock it."""

INSTALL = 'pip install "workbench-ml[keyring]"'


class KeyringUnusable(MachineError):
    """There is no keyring that works and encrypts, or it cannot be reached from here."""


def keep(key_id: str, key: str) -> str:
    """Put a key into the keyring that this system has; returns its class. Raises KeyringUnusable."""
    return str(_ask({"do": "keep", "id": key_id, "key": key})["backend"])


def fetch(key_id: str, backend: str) -> str | None:
    """A key from a keyring of this class, None where it has none of this id. Raises KeyringUnusable."""
    found = _ask({"do": "fetch", "id": key_id, "backend": backend})["key"]
    return None if found is None else str(found)


def remove(key_id: str, backend: str) -> None:
    """Take a key out, if it is there. Raises KeyringUnusable."""
    _ask({"do": "remove", "id": key_id, "backend": backend})


def _ask(question: Mapping[str, str]) -> Mapping[str, Any]:
    recorded = question["do"] != "keep"
    if find_spec("keyring") is None:
        raise _unusable("the Python package `keyring` is not installed", recorded, f"Install it: {INSTALL}. ")
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "store.vault.keyring_child"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd="/",
            env=_environment(),
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        waited = f"the keyring did not answer within {PATIENCE:.0f} s; it may be waiting to be unlocked"
        raise _unusable(waited, recorded) from None
    except ValueError:
        last = (done.stderr.strip().splitlines() or [f"it left with status {done.returncode}"])[-1]
        raise _unusable(f"the keyring cannot be asked: {last}", recorded) from None
    if reason := answer.get("refused"):
        raise _unusable(str(reason), recorded)
    return answer


def _environment() -> dict[str, str]:
    """The caller's, and where the session's bus is not named, the place where systemd has it."""
    environment = {**os.environ, **{key: value for key, value in variables().items() if key.startswith("XDG_")}}
    bus = runtime_folder() / "bus"
    if "DBUS_SESSION_BUS_ADDRESS" not in environment and bus.exists():
        environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
    return environment


def _unusable(reason: str, recorded: bool, first: str = "") -> KeyringUnusable:
    if not recorded:
        return KeyringUnusable(reason, hint=f"{first}Without a keyring the key lies in a file of yours.")
    return KeyringUnusable(
        f"the secrets of this workspace cannot be read: their key is in the system's keyring, and {reason}",
        hint=f"{first}Unlock the keyring, as by logging in at the desktop. To do without it from now on, over SSH "
        "too, run `workbench secret move file` where it answers.",
    )
