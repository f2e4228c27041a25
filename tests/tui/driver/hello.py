"""A Textual program to try drivers on: ``python hello.py cells|textual``."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Header, Log, TabbedContent, TabPane

from workbench.tui.driver import driver_class
from workbench.tui.driver.cell_driver import CellDriver


class Hello(App[None]):
    """Header, tabs, a table of wide and narrow letters, a log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("t", "switch", "Tab"),
        Binding("s", "shell", "Suspend"),
        Binding("b", "burst", "Burst"),
        Binding("c", "crash", "Crash", show=False),
        Binding("r", "repaint", "Repaint", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("z", "suspend_process", "Stop", show=False),
    ]

    def on_load(self) -> None:
        # With any handler of its own asyncio wakes the loop for every signal, as in the terminal UI: one that another
        # thread receives, such as SIGCONT, waits else until something happens.
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: None)

    def compose(self) -> ComposeResult:
        yield Header()
        with TabbedContent():
            with TabPane("Table", id="table"):
                yield DataTable()
            with TabPane("Log", id="log"):
                yield Log()
        yield Footer()

    def on_mount(self) -> None:
        self.animation_level = "none"
        table = self.query_one(DataTable)
        table.add_columns("one", "二", "three")
        for number in range(200):
            table.add_row(number, f"漢字 {number}", f"café [b]{number * 3}[/b]")
        self.query_one(Log).write_lines([f"line {number}" for number in range(100)])

    def action_switch(self) -> None:
        """The other tab."""
        tabs = self.query_one(TabbedContent)
        tabs.active = "log" if tabs.active == "table" else "table"

    def action_shell(self) -> None:
        """Another program has the terminal for a moment."""
        with self.suspend():
            print("another program was here")

    async def action_burst(self) -> None:
        """More frames than a slow line takes."""
        for number in range(300):
            self.query_one(Log).write_line(f"burst {number}")
            self.sub_title = f"burst {number} " * 4
            if number % 10 == 0:
                await asyncio.sleep(0.02)

    def action_crash(self) -> None:
        """A defect."""
        raise RuntimeError("a defect")

    def action_repaint(self) -> None:
        """Another program wrote on the screen."""
        if isinstance(self._driver, CellDriver):
            self._driver.repaint()

    def action_copy(self) -> None:
        """What draws nothing."""
        self.copy_to_clipboard("copied")
        self.bell()


if __name__ == "__main__":
    Hello(driver_class=driver_class(enabled=sys.argv[1] == "cells")).run()
