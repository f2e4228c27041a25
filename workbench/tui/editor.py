"""The user's own editor, opened on a file at a line, while the terminal UI steps aside."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import MachineError, UsageError

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

USUAL = ("vi", "nano", "vim", "nvim", "emacs", "micro", "ed")
"""What is looked for where the user names none."""

PLUS_LINE = frozenset(
    "vi vim nvim view gvim ex elvis nano pico rnano emacs emacsclient jed joe jmacs mg ne mcedit kak micro".split()
)
"""Editors that take ``+LINE FILE``."""

COLON_LINE = frozenset(("hx", "helix", "subl", "zed", "zeditor"))
"""Editors that take ``FILE:LINE``."""

GOTO_LINE = frozenset(("code", "code-insiders", "codium", "cursor"))
"""Editors that take ``--goto FILE:LINE``."""

WAITING = {**dict.fromkeys((*GOTO_LINE, "subl", "zed", "zeditor"), "--wait"), "gvim": "--nofork", "kate": "--block"}
"""Editors that return at once unless they are told to wait."""


def command(app: WorkbenchApp) -> list[str]:
    """The command of the editor. Raises MachineError where there is none, which says how to name one."""
    wanted = app.configuration.editor_command
    named = bool(app.configuration.editor or os.environ.get("VISUAL") or os.environ.get("EDITOR"))
    try:
        words = shlex.split(wanted)
    except ValueError as error:
        raise UsageError(f"the editor {wanted!r} is no command: {error}", hint=_HOW) from error
    if words and shutil.which(words[0]):
        return words
    if not named:
        for usual in USUAL:
            if shutil.which(usual):
                return [usual]
    raise MachineError(f"there is no editor {words[0] if words and named else wanted!r} on this machine", hint=_HOW)


_HOW = "Name one: `editor` in config.toml, $VISUAL or $EDITOR."


def arguments(words: list[str], file: Path, line: int) -> list[str]:
    """The command that opens a file at a line, where the editor has a way to say that."""
    name = os.path.basename(words[0])
    wait = WAITING.get(name)
    whole = [*words, wait] if wait and wait not in words else list(words)
    if line > 1 and name in GOTO_LINE:
        return [*whole, "--goto", f"{file}:{line}"]
    if line > 1 and name in COLON_LINE:
        return [*whole, f"{file}:{line}"]
    if line > 1 and name in PLUS_LINE:
        return [*whole, f"+{line}", str(file)]
    return [*whole, str(file)]


def edit(app: WorkbenchApp, file: Path, line: int = 1) -> None:
    """Open a file and wait until the editor has ended. Raises MachineError where it could not be or ended badly."""
    words = command(app)
    whole = arguments(words, file, line)
    with _stepped_aside(app), _signals_for_the_editor():
        try:
            done = subprocess.run(whole, check=False)
        except OSError as error:
            raise MachineError(f"{words[0]} could not be started: {error.strerror}", hint=_HOW) from error
    if done.returncode:
        how = f"with {done.returncode}" if done.returncode > 0 else f"by {signal.Signals(-done.returncode).name}"
        raise MachineError(f"{os.path.basename(words[0])} ended {how}: nothing is submitted")


def _stepped_aside(app: WorkbenchApp) -> contextlib.AbstractContextManager[Any]:
    """The terminal is the editor's; a test's application has none to give."""
    return contextlib.nullcontext() if app.is_headless else app.suspend()


@contextlib.contextmanager
def _signals_for_the_editor() -> Iterator[None]:
    """ctrl+c goes to all in the foreground, and is meant for the editor; ctrl+z stops both, and the shell's ``fg``
    wakes both."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),  # a handler, unlike SIG_IGN, is not inherited
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, signal.SIG_DFL),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
