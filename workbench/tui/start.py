"""What ``workbench`` alone does: opens the terminal UI, or says why it cannot."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from store.errors import UsageError

if TYPE_CHECKING:
    from store.workspace import Found


def require_terminal() -> None:
    """Raises UsageError where input or output is no terminal: nothing is ever painted into a pipe."""
    if os.environ.get("WORKBENCH_WEB"):
        return  # `workbench web` reads and writes the pipes
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UsageError("the terminal UI needs a terminal; `workbench --help` lists what works without one")
    if os.environ.get("TERM") == "dumb":
        raise UsageError("this terminal (TERM=dumb) cannot move the cursor; `workbench --help` lists what works here")


def run(found: Found) -> int:
    """Run the terminal UI in this terminal until the user leaves."""
    gc.disable()  # until the first picture is there: nothing that is made so far goes (see ``calm``)
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.driver import driver_class
    from workbench.tui.settings import load_settings
    from workbench.tui.theming import Themes

    loaded = load_settings(Themes())
    driver = driver_class(enabled=loaded.configuration.driver == "cells")
    app = WorkbenchApp(found, loaded=loaded, driver_class=driver)
    app.run(mouse=app.configuration.mouse)
    return app.return_code or 0
