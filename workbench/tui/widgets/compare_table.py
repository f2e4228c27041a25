"""A table with a column for each job: names stay where they are at the left, the columns scroll beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.job_columns import cell

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

HEAD_LINES = 2
LEAST_COLUMN, FAIR_COLUMN, MOST_COLUMN = 9, 18, 40
"""A column has what it needs between the outer two; more than the middle one where all columns have room."""

LEAST_TITLE, MOST_TITLE = 10, 32


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above a column: a name, and below it something about it in the colour of a state."""

    title: str
    about: str
    kind: str = "muted"


@dataclass(frozen=True, slots=True)
class Line:
    """A heading (without cells), or a row; ``best`` are the columns to mark, ``key`` tells rows apart."""

    title: str
    cells: tuple[str, ...] = ()
    best: frozenset[int] = frozenset()
    key: tuple[str, str] | None = None
    differs: bool = True


class CompareTable(ScrollView, can_focus=True):
    """Draws what it is given; the cursor is a row and a column."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "whole value", id="compare.open"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("right,l", "sideways(1)", "Next job", show=False, id="compare.right"),
        Binding("left,h", "sideways(-1)", "Job before", show=False, id="compare.left"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "compare--head",
        "compare--section",
        "compare--title",
        "compare--same",
        "compare--best",
        "compare--cursor",
        "compare--column",
        *(f"compare--{kind}" for kind in ("muted", "waiting", "running", "completed", "failed", "canceled")),
    }

    class Opened(Message):
        """A row is to be shown whole."""

        def __init__(self, key: tuple[str, str]) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__()
        self.heads: tuple[Head, ...] = ()
        self.lines: list[Line] = []
        self.cursor = 0
        self.column = 0
        self.first_column = 0
        self._widths: list[int] = []
        self._title_width = LEAST_TITLE
        self._painted: dict[int, object] = {}

    # -- content ------------------------------------------------------------------------------------------------

    def show_lines(self, heads: Sequence[Head], lines: Sequence[Line]) -> None:
        """Show another table; the cursor stays with its row."""
        if tuple(heads) == self.heads and list(lines) == self.lines:
            return
        before = self.key
        self.heads, self.lines = tuple(heads), list(lines)
        keys = [line.key for line in self.lines]
        if before is not None and before in keys:
            self.cursor = keys.index(before)
        else:
            self.cursor = next((number for number, key in enumerate(keys) if key is not None), 0)
        self.column = max(0, min(self.column, len(self.heads) - 1))
        self._measure()
        self.virtual_size = Size(self.size.width, len(self.lines) + HEAD_LINES)
        self._show_cursor()
        self._repaint()

    @property
    def key(self) -> tuple[str, str] | None:
        """What the row under the cursor is."""
        return self.lines[self.cursor].key if self.cursor < len(self.lines) else None

    def _measure(self) -> None:
        """How wide each column has to be."""
        titles = [cell_len(line.title) + 2 for line in self.lines if line.key is not None]
        most_title = max(LEAST_TITLE, min(MOST_TITLE, self.size.width // 3))
        self._title_width = min(max([LEAST_TITLE, *titles]), most_title)
        room = self.size.width - self._title_width - 1
        most = max(FAIR_COLUMN, min(MOST_COLUMN, room // max(1, len(self.heads)) - 1))
        self._widths = []
        for number, head in enumerate(self.heads):
            texts = [line.cells[number] for line in self.lines if number < len(line.cells)]
            widest = max([cell_len(head.title), cell_len(head.about), *(cell_len(text) + 2 for text in texts)])
            self._widths.append(max(LEAST_COLUMN, min(most, widest)))

    # -- drawing ------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._measure()
        self.virtual_size = Size(self.size.width, len(self.lines) + HEAD_LINES)
        self._painted.clear()
        self._show_column()
        self._show_cursor()

    def _repaint(self) -> None:
        for y in range(self.size.height):
            if self._painted.get(y, self) != self._signature(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _number(self, y: int) -> int:
        return self.scroll_offset.y + y - HEAD_LINES

    def _signature(self, y: int) -> object:
        width = (self.size.width, self._title_width, tuple(self._widths))
        place = (self.column, self.first_column, self.has_focus, width)
        if y < HEAD_LINES:
            return self.heads, place
        number = self._number(y)
        return (self.lines[number] if number < len(self.lines) else None), number == self.cursor, place

    def render_line(self, y: int) -> Strip:
        """The two lines of the head stay; a row a line below them."""
        self._painted[y] = self._signature(y)
        width = self.scrollable_content_region.width
        if y < HEAD_LINES:
            return self._head(y, width)
        number = self._number(y)
        if number >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        line = self.lines[number]
        if line.key is None:
            style = self.get_component_rich_style("compare--section")
            return Strip([Segment(f" {line.title}", style)]).adjust_cell_length(width, self.rich_style)
        return self._row(line, number == self.cursor, width)

    def _head(self, y: int, width: int) -> Strip:
        signs, base = cast("WorkbenchApp", self.app).signs, self.rich_style
        segments = [Segment(" " * (self._title_width + 1), base)]
        for number, size in self._shown():
            head = self.heads[number]
            name = f"compare--{head.kind}" if y else "compare--head"
            style = base + self.get_component_rich_style(name)
            if number == self.column and not y:
                style += Style(underline=True)
            segments += [Segment(" ", base), Segment(cell(head.about if y else head.title, size, signs), style)]
        before, after = self.first_column, len(self.heads) - self._shown()[-1][0] - 1 if self._shown() else 0
        if y == 0 and (before or after):
            told = f" {before} < > {after}"
            segments[0] = Segment(cell(told, self._title_width + 1, signs), base + self._part("compare--muted"))
        return Strip(segments).adjust_cell_length(width, base)

    def _row(self, line: Line, at_cursor: bool, width: int) -> Strip:
        signs = cast("WorkbenchApp", self.app).signs
        lit = at_cursor and self.has_focus
        base = self.get_component_rich_style("compare--cursor") if lit else self.rich_style
        title = base if lit else base + self._part("compare--title" if line.differs else "compare--same")
        bar = signs.cursor if at_cursor else " "
        segments = [Segment(bar, base), Segment(cell(line.title, self._title_width, signs), title)]
        best_sign = "★" if signs.unicode else "*"
        for number, size in self._shown():
            text = line.cells[number] if number < len(line.cells) else ""
            is_best = number in line.best
            shown = f"{best_sign} {text}" if is_best else text
            style = base
            if not lit:
                style += self._part("compare--best" if is_best else "" if line.differs else "compare--same")
            if at_cursor and number == self.column:
                style += Style(underline=True)
            segments += [Segment(" ", base), Segment(cell(shown, size, signs), style)]
        return Strip(segments).adjust_cell_length(width, base)

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(name) if name else Style()

    def _shown(self) -> list[tuple[int, int]]:
        """The columns that are in sight, the last one perhaps cut."""
        room = self.scrollable_content_region.width - self._title_width - 1
        found: list[tuple[int, int]] = []
        for number in range(self.first_column, len(self._widths)):
            size = self._widths[number]
            if room < size + 1 and (found or room < 4):
                break
            found.append((number, min(size, room - 1)))
            room -= size + 1
        return found

    def on_focus(self) -> None:
        self._repaint()

    def on_blur(self) -> None:
        self._repaint()

    # -- keys ---------------------------------------------------------------------------------------------------

    def _show_cursor(self) -> None:
        top, height = self.scroll_offset.y, self.size.height - HEAD_LINES
        if height <= 0:
            return
        above = self.cursor - 1 if self.cursor and self.lines[self.cursor - 1].key is None else self.cursor
        if above < top:
            self.scroll_to(y=above, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def _show_column(self) -> None:
        if self.column < self.first_column:
            self.first_column = self.column
        while self.first_column < self.column and self.column not in [number for number, _ in self._shown()]:
            self.first_column += 1

    def _move_to(self, number: int, step: int) -> None:
        """Put the cursor on a row; a heading is passed over."""
        number = max(0, min(number, len(self.lines) - 1))
        while 0 <= number < len(self.lines) and self.lines[number].key is None:
            number += step
        if 0 <= number < len(self.lines):
            self.cursor = number
        self._show_cursor()
        self._repaint()

    def action_move(self, rows: int) -> None:
        """Another row."""
        self._move_to(self.cursor + rows, 1 if rows > 0 else -1)

    def _move_to_column(self, number: int) -> None:
        self.column = max(0, min(number, len(self.heads) - 1))
        self._show_column()
        self._repaint()

    def action_sideways(self, columns: int) -> None:
        """Another job."""
        self._move_to_column(self.column + columns)

    def action_page(self, screens: int) -> None:
        """A screen further."""
        rows = max(1, self.size.height - HEAD_LINES - 1)
        self._move_to(self.cursor + screens * rows, -1 if screens > 0 else 1)

    def action_first(self) -> None:
        """The first row."""
        self._move_to(0, 1)
        self.scroll_to(y=0, animate=False, force=True)

    def action_last(self) -> None:
        """The last row."""
        self._move_to(len(self.lines) - 1, -1)

    def action_open(self) -> None:
        """Show the row whole."""
        if self.key is not None:
            self.post_message(self.Opened(self.key))

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each column and each row in sight."""
        left = self._title_width + 2
        for number, size in self._shown():
            yield Offset(left - 1, 0), partial(self._move_to_column, number)
            left += size + 1
        for y in range(HEAD_LINES, self.size.height):
            number = self._number(y)
            if number < len(self.lines) and self.lines[number].key is not None:
                yield Offset(0, y), partial(self._move_to, number, 1)

    def on_click(self, event: events.Click) -> None:
        """Select a row and a column; a second click shows the row whole."""
        left = self._title_width + 1
        for number, size in self._shown():
            if left < event.x <= left + size:
                self.column = number
            left += size + 1
        number = self._number(event.y)
        if event.y >= HEAD_LINES and number < len(self.lines) and self.lines[number].key is not None:
            self._move_to(number, 1)
            if event.chain == 2:
                self.action_open()
        self._repaint()
