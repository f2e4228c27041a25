"""The metrics of a job as a table: last, lowest and highest value of each, painted a line at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from store.tracking.metrics import KeyFacts
from workbench.tui.job.metric_feed import told
from workbench.tui.widgets.axis import value_label
from workbench.tui.widgets.chart_legend import clipped, printable

COLUMNS = (("last", 11), ("step", 9), ("min", 11), ("max", 11), ("points", 9))
MARK = "■"


class MetricTable(Widget, can_focus=True):
    """A row for each metric, a selected one, and marks; only the rows on the screen are asked for."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "metric-table--head",
        "metric-table--row",
        "metric-table--selected",
        "metric-table--mark",
    }

    class Shown(Message):
        """Other rows are on the screen than before."""

    def __init__(self, facts: Callable[[str], KeyFacts | None], mark: str = MARK) -> None:
        super().__init__()
        self.names: list[str] = []
        self.marks: set[str] = set()
        self.selected = 0
        self.top = 0
        self._facts = facts
        self._mark = mark
        self._names_told: list[str] = []
        self._rows: list[str] = []
        self._painted: tuple[int, frozenset[str]] = (-1, frozenset())

    def set_names(self, names: Sequence[str], marks: set[str]) -> None:
        """The metrics, in order."""
        self.names, self.marks = list(names), marks
        self.select(self.selected)

    def names_shown(self) -> list[str]:
        """The metrics whose rows are on the screen."""
        return self.names[self.top : self.top + self.page()]

    def page(self) -> int:
        """How many rows the screen has."""
        return max(1, self.size.height - 1)

    def select(self, number: int) -> None:
        """Select a row by its number, and bring it to the screen."""
        self.selected = max(0, min(len(self.names) - 1, number))
        last = max(0, len(self.names) - self.page())
        self.top = min(last, max(self.selected - self.page() + 1, min(self.top, self.selected)))
        if self.names_shown() != self._names_told:
            self._names_told = self.names_shown()
            self.post_message(self.Shown())
        self.update_rows()

    def update_rows(self) -> None:
        """Paint what changed."""
        rows = [self._head(), *(self._line(name) for name in self.names_shown())]
        if rows != self._rows or self._painted != (self.selected, frozenset(self.marks)):
            self._rows, self._painted = rows, (self.selected, frozenset(self.marks))
            self.refresh()

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each metric in sight."""
        for y, _ in enumerate(self.names_shown(), 1):
            yield Offset(0, y), partial(self.select, self.top + y - 1)

    def on_resize(self) -> None:
        self.select(self.selected)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        number = self.top + y - 1
        name = "head" if not y else "selected" if number == self.selected and self.has_focus else "row"
        style = self.get_component_rich_style(f"metric-table--{name}")
        marked = bool(y) and self.names[number] in self.marks
        sign = Segment(f"{self._mark} ", self.get_component_rich_style("metric-table--mark")) if marked else None
        cursor = ">" if y and number == self.selected and not self.has_focus else " "
        strip = Strip([sign or Segment(f"{cursor} ", style), Segment(self._rows[y], style)])
        return strip.adjust_cell_length(width, style)

    def _widths(self) -> tuple[int, list[tuple[str, int]]]:
        """The width of the names, and the columns that there is room for."""
        room, columns = self.size.width - 2, list(COLUMNS)
        while columns and room - sum(width for _, width in columns) < 16:
            columns.pop()
        return max(1, room - sum(width for _, width in columns)), columns

    def _head(self) -> str:
        room, columns = self._widths()
        return "metric".ljust(room)[:room] + "".join(f"{name:>{width}}" for name, width in columns)

    def _line(self, name: str) -> str:
        from rich.cells import cell_len

        room, columns = self._widths()
        shown = clipped(printable(name), room)
        facts = self._facts(name)
        cells = dict.fromkeys((column for column, _ in COLUMNS), "")
        if facts is not None:
            cells["last"], cells["step"] = value_label(told(facts.last.value)), value_label(facts.last.step)
            if facts.total is not None:
                cells["points"] = f"{facts.total:,}"
                for column, value in (("min", facts.low), ("max", facts.high)):
                    cells[column] = "-" if value is None else value_label(value)
        shown += " " * (room - cell_len(shown))
        return shown + "".join(f"{cells[column]:>{width}}" for column, width in columns)
