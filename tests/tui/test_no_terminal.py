"""Without a terminal: one line, exit code 2, and not a byte painted into a pipe."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from store.layout import Layout

COMMAND = [sys.executable, "-m", "workbench.cli.main"]


@pytest.mark.parametrize("pipe", ["stdin", "stdout", "stderr"])
def test_each_end_has_to_be_a_terminal(pipe: str, layout: Layout) -> None:
    master, terminal = pty.openpty()
    ends = dict.fromkeys(("stdin", "stdout", "stderr"), terminal) | {pipe: subprocess.PIPE}
    environment = {**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)}
    with subprocess.Popen(COMMAND, env=environment, **ends) as process:  # type: ignore[call-overload]
        out, err = process.communicate(timeout=60)
    os.close(terminal)
    seen = os.read(master, 4096) if pipe != "stderr" else err
    os.close(master)
    assert process.returncode == 2
    assert not out
    assert b"the terminal UI needs a terminal" in seen
    assert seen.strip().count(b"\n") == 0 and b"\x1b" not in seen


def test_a_terminal_that_cannot_move_the_cursor_is_none(layout: Layout) -> None:
    master, terminal = pty.openpty()
    environment = {**os.environ, "WORKBENCH_WORKSPACE": str(layout.root), "TERM": "dumb"}
    done = subprocess.run(COMMAND, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, timeout=60)
    os.close(terminal)
    seen = os.read(master, 4096)
    os.close(master)
    assert done.returncode == 2
    assert seen.startswith(b"error: this terminal (TERM=dumb) cannot move the cursor")
    assert seen.strip().count(b"\n") == 0 and b"\x1b" not in seen
