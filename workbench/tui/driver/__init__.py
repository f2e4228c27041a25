"""What is written to the terminal: only the cells that changed; and to a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver


def driver_class(*, enabled: bool) -> type[Driver] | None:
    """The driver for an application to use; None leaves the choice to Textual.

    ``TEXTUAL_DRIVER`` names another one.
    """
    if os.environ.get("WORKBENCH_WEB"):
        from workbench.tui.driver.page_driver import PageDriver

        return PageDriver
    if not enabled or os.environ.get("TEXTUAL_DRIVER"):
        return None
    from workbench.tui.driver.cell_driver import CellDriver

    return CellDriver
