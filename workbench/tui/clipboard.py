"""Copying a text to the user's own clipboard, over SSH and in tmux as well."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

TMUX_SECONDS = 2.0


def copy(app: App[None], text: str) -> None:
    """Copy a text.

    In tmux through its own buffer, which it passes on: with tmux's defaults an OSC 52 from a program is dropped
    (``set-clipboard external``, tmux(1)). Elsewhere by OSC 52, which the terminal at the far end obeys.
    """
    if os.environ.get("TMUX") and _by_tmux(text):
        return
    app.copy_to_clipboard(text)


def _by_tmux(text: str) -> bool:
    command = ["tmux", "load-buffer", "-w", "-"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TMUX_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
