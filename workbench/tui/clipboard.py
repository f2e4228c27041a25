"""Copying a text to the user's own clipboard in tmux: what a program writes to the terminal it drops (tmux(1))."""

from __future__ import annotations

import os
import subprocess

TMUX_SECONDS = 2.0


def taken_by_tmux(text: str) -> bool:
    """Whether this runs in tmux, and tmux took the text into its own buffer, which it passes on.

    With its defaults an OSC 52 from a program is dropped (``set-clipboard external``).
    """
    if not os.environ.get("TMUX"):
        return False
    command = ["tmux", "load-buffer", "-w", "-"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TMUX_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
