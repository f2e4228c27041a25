"""An error of the terminal UI's own: kept in a file, told in a few words, never spread over the screen."""

from __future__ import annotations

import os
import platform
import time
import traceback
from importlib.metadata import version
from pathlib import Path

from workbench.agent.version import VERSION
from workbench.tui.last_place import state_file

LINES_WITHOUT_FILE = 6


def keep() -> str:
    """Write the exception that is being handled into the user's state folder; what to tell of it.

    Without the values of variables: they may be secrets.
    """
    whole = traceback.format_exc()
    last = whole.strip().rpartition("\n")[2]
    told = (
        f"error: the terminal UI stopped by an error of its own: {last}\n  Jobs go on, and `workbench` leads back here."
    )
    try:
        file = _write(whole)
    except OSError:
        end = "\n".join(f"  | {line}" for line in whole.strip().splitlines()[-LINES_WITHOUT_FILE:])
        return f"{told}\n{end}"
    return f"{told}\n  Where it happened: {file}"


def _write(whole: str) -> Path:
    folder = state_file().parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    programs = f"workbench {VERSION}, textual {version('textual')}, Python {platform.python_version()}"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(f"{programs}, {platform.platform()}\nTERM={os.environ.get('TERM')}\n\n{whole}")
    return file
