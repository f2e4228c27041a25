"""``python -m workbench.tui WORKSPACE``: the terminal UI of a workspace, as ``workbench web`` starts it."""

from __future__ import annotations

import sys

from store import workspace
from workbench.tui.start import run

if __name__ == "__main__":
    sys.exit(run(workspace.locate(sys.argv[1])))
