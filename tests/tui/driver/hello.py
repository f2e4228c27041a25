"""A Textual program to try drivers on: ``python hello.py cells|textual``."""

from __future__ import annotations

import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Header, Log, TabbedContent, TabPane

from workbench.tui.driver import driver_class


class Hello(App[None]):
    """Header, tabs, a table of wide and narrow letters, a log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("t", "switch", "Tab"),
        Binding("s", "shell", "Suspend"),
        Binding("b", "burst", "Burst"),
    ]

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

    def action_burst(self) -> None:
        """More frames than a line takes."""
        log = self.query_one(Log)
        for number in range(300):
            log.write_line(f"burst {number}")
            self.screen.refresh()


if __name__ == "__main__":
    Hello(driver_class=driver_class(enabled=sys.argv[1] == "cells")).run()
