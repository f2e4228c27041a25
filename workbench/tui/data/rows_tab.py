"""The tab with the first rows of a version; of what is no table its text or its files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from store.errors import MachineError, WorkbenchError
from workbench.tui.data.child import Child
from workbench.tui.data.reading_tab import ReadingTab
from workbench.tui.reading_data import VersionFacts
from workbench.tui.view import Notice, is_typing
from workbench.tui.widgets.file_tree import size_text
from workbench.tui.widgets.filter_line import FilterLine
from workbench.tui.widgets.text_pane import Line, TextPane

FILES = 500


class RowsTab(ReadingTab):
    """Reads the rows in a process of its own; ``/`` takes a condition, as in an MLTable."""

    reading = "Reading the first rows…"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="rows.filter", priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.condition = ""

    def compose(self) -> ComposeResult:
        yield FilterLine(suggest=lambda _: None, placeholder='a condition: col("age") > 30')
        yield Notice(self.reading, classes="notice", markup=False)
        with Container(classes="profile-content"):
            yield Static("", classes="section-facts", markup=False)
            yield TextPane()

    @property
    def holder(self) -> Widget:
        """The rows and what there is to say of them."""
        return self.query_one(".profile-content")

    async def read(self, child: Child, facts: VersionFacts) -> Any:
        """The first rows, or what stands in for them."""
        found = await child.ask("rows", None, place=str(facts.data), condition=self.condition or None)
        if "local" not in found:
            return found
        return {**found, **await self._instead(Path(found["local"]))}

    async def _instead(self, path: Path) -> dict[str, Any]:
        """The beginning of a file that is no table, or the names in a folder."""
        from store import folder_pages
        from workbench.tui.job.preview import preview

        pane = self.query_one(TextPane)
        try:
            if path.is_dir():
                page = await asyncio.to_thread(folder_pages.page, path, None, FILES)
                lines: list[Line] = [
                    [(f"{'' if each.is_folder else size_text(each.size):>9}  ", "muted"), (each.name, "")]
                    for each in page.entries
                ]
                more = f", and {page.more:,} more" if page.more else ""
                return {"title": f"{len(page.entries):,} entries{more}", "lines": lines, "wrapped": False}
            found = await preview(path, (max(20, pane.size.width - 2), max(5, pane.size.height)), self.bench.signs)
        except OSError as error:
            raise MachineError(f"{path} cannot be read: {error.strerror}") from error
        title = " ".join(filter(None, (found.kind, found.note)))
        return {"title": title, "lines": found.lines, "wrapped": found.wrapped}

    def fill(self, answer: Any) -> None:
        """Show them."""
        from workbench.tui.job.preview import table_lines

        if "local" in answer:
            told = f"no table: {answer['title']}"
            lines, wrapped = answer["lines"], answer["wrapped"]
        else:
            names = [name for name, _ in answer["columns"]]
            lines, wrapped = table_lines(names, answer["rows"], self.bench.signs), False
            count = len(answer["rows"])
            told = f"{len(names)} columns, the first {count} row{'' if count == 1 else 's'}"
            told += "".join(f"  ! {note}" for note in answer["notes"])
        clears = f"/{self.condition}  esc shows all  " if self.condition else ""
        self.query_one(".section-facts", Static).update(clears + told)
        self.query_one(TextPane).show_lines(lines, wrapped=wrapped)

    def focus_holder(self) -> None:
        """The rows take the keys."""
        self.screen.set_focus(self.query_one(TextPane), scroll_visible=False)

    def fail(self, error: WorkbenchError) -> None:
        """A condition that means nothing is said where it is written."""
        if self.condition:
            self.query_one(FilterLine).answer("")
            self.condition = ""
            self.notify(str(error), title="No such rows", severity="warning", markup=False)
            self.again()
        else:
            super().fail(error)

    # -- conditions ---------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash that is typed into a text is a slash."""
        return not (action == "filter" and is_typing(self.app.focused))

    def action_filter(self) -> None:
        """Open the line for a condition."""
        self.query_one(FilterLine).open(self.condition)

    @on(FilterLine.Typed)
    def condition_typed(self, event: FilterLine.Typed) -> None:
        """A condition that is half written means nothing: it is read when it is kept."""
        event.stop()

    @on(FilterLine.Closed)
    def condition_closed(self, event: FilterLine.Closed) -> None:
        """Read the rows that fulfil it."""
        event.stop()
        if event.text != self.condition:
            self.condition = event.text
            self.again()
        self.focus_content()
