"""Whether a shell waits behind this program, to which ``ctrl+z`` can lead."""

from __future__ import annotations

import os


def has_shell() -> bool:
    """Whether the parent is a shell that controls jobs: of this session, and not of this process group.

    Elsewhere, as in a tmux window of its own or behind ``ssh HOST workbench``, nothing would wake a stopped program.
    """
    try:
        parent = os.getppid()
        return os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except OSError:  # a parent of another user, or none that is left
        return False
