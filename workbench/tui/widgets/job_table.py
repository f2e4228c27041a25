"""A list of jobs of any length: a window of rows, a cursor that stays with its job, and marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from store.job_filter import Sort
from store.job_pages import JobRow
from workbench.tui.glyphs import Glyphs, kind_of_state
from workbench.tui.job_columns import COLUMNS, GAP, STATE_WIDTH, Column, cell, chosen, needed
from workbench.tui.job_window import PAGE, Window

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

NEAR = PAGE // 3
"""How close to the end of what is in memory the next page is asked for."""


class JobTable(ScrollView, can_focus=True):
    """Draws the window it is given, and asks for another when the cursor or the scroll bar leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="jobs.open"),
        Binding("space", "mark", "mark", id="jobs.mark"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
        Binding("right,z", "fold", "Unfold or fold children", show=False, id="jobs.fold"),
        Binding("asterisk", "unmark", "Clear marks", show=False, id="jobs.unmark"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "jobs--cursor",
        "jobs--head",
        "jobs--muted",
        "jobs--mark",
        "jobs--waiting",
        "jobs--running",
        "jobs--completed",
        "jobs--failed",
        "jobs--canceled",
    }

    window: reactive[Window] = reactive(Window, repaint=False, always_update=True)
    cursor: reactive[int] = reactive(0, repaint=False)

    class Opened(Message):
        """A row was opened."""

        def __init__(self, row: JobRow) -> None:
            super().__init__()
            self.row = row

    class Needed(Message):
        """Other rows are needed: around ``number``; the last ones where it is None."""

        def __init__(self, number: int | None) -> None:
            super().__init__()
            self.number = number

    class Folded(Message):
        """The children of a row are to be shown, or no longer."""

        def __init__(self, row: JobRow) -> None:
            super().__init__()
            self.row = row

    class Pointed(Message):
        """Another job is under the cursor, or it is in another state."""

    class Marked(Message):
        """The marks changed."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, None] = {}
        self.unfolded: frozenset[str] = frozenset()
        self.sort = Sort()
        self._pointed: tuple[str, str] | None = None
        self._shown: dict[int, tuple[object, ...]] = {}
        self._needs: dict[str, int] = {}
        """The widest text of each column so far: columns that changed with every page would be hard to read."""

    # -- rows ---------------------------------------------------------------------------------------------------

    @property
    def row(self) -> JobRow | None:
        """The row under the cursor."""
        return self.window.row(self.cursor)

    def chosen_names(self) -> list[str]:
        """The marked jobs, else the one under the cursor."""
        if self.marks:
            return list(self.marks)
        return [self.row.name] if self.row else []

    def take(self, window: Window, *, follow: bool = True) -> None:
        """Show another window. The cursor stays with its job, unless it was at the very top, to see what is new."""
        at = self.row
        stays = follow and at is not None and not (self.cursor == 0 and self.scroll_offset.y == 0)
        found = window.number_of(at.name) if stays and at is not None else None
        before, self.window = self.cursor, window
        for name, cells in needed(window.rows, window.metrics).items():
            self._needs[name] = max(cells, self._needs.get(name, 0))
        self.virtual_size = Size(self.size.width, window.total + 1)
        if found is not None and found != before:
            self.scroll_to(y=self.scroll_offset.y + found - before, animate=False, force=True)
            self.cursor = found
        elif found is None:
            self.cursor = max(0, min(self.cursor, window.total - 1))
        self._repaint()

    def watch_cursor(self) -> None:
        self._repaint()

    def _repaint(self) -> None:
        """Paint the lines that say something else than before."""
        pointed = (self.row.name, self.row.status) if self.row else None
        if pointed != self._pointed:
            self._pointed = pointed
            self.post_message(self.Pointed())
        width = self.scrollable_content_region.width
        for y in range(self.size.height):
            now = self._signature(y)
            if self._shown.get(y) != now:
                self.refresh(Region(0, y, width, 1))

    def _signature(self, y: int) -> tuple[object, ...]:
        number = self.scroll_offset.y + y - 1
        row = self.window.row(number) if y else None
        columns = self._columns()
        texts = tuple(column.text(row, self.window.metrics.get(row.name)) for column, _ in columns) if row else ()
        widths = tuple(size for _, size in columns)
        marked = row is not None and row.name in self.marks
        folded = row is not None and row.name in self.unfolded
        head = (self.sort,) if y == 0 else ()
        status = (row.status, row.children, row.name) if row else ()
        return (
            number == self.cursor and y > 0,
            marked,
            folded,
            self.has_focus,
            texts,
            status,
            head,
            widths,
            self.size.width,
        )

    # -- drawing ------------------------------------------------------------------------------------------------

    def _columns(self) -> list[tuple[Column, int]]:
        return chosen(max(8, self.scrollable_content_region.width - STATE_WIDTH - 2 - GAP), COLUMNS, self._needs)

    def render_line(self, y: int) -> Strip:
        """The head, then a row a line."""
        self._shown[y] = self._signature(y)
        width = self.scrollable_content_region.width
        if y == 0:
            return self._head(width)
        number = self.scroll_offset.y + y - 1
        row = self.window.row(number)
        if row is None:
            return Strip.blank(width, self.rich_style)
        return self._line(row, number == self.cursor, width)

    def _head(self, width: int) -> Strip:
        style = self.get_component_rich_style("jobs--head")
        parts = [" " * 2, self._title("State", "state", STATE_WIDTH), " " * GAP]
        for column, size in self._columns():
            parts += [self._title(column.title, column.sort, size, right=column.right), " " * GAP]
        return Strip([Segment("".join(parts), style)]).adjust_cell_length(width, style)

    def _title(self, title: str, sort: str, width: int, *, right: bool = False) -> str:
        """A column's title; where the list is sorted by it with a sign, which stays when the title is cut."""
        signs = self._signs
        if self.sort.key != sort:
            return cell(title, width, signs, right=right)
        up, down = ("▲", "▼") if signs.unicode else ("^", "v")
        sign = down if self.sort.descending else up
        shown = cell(title, min(len(title), width - 1), signs) + sign
        return cell(shown, width, signs, right=right)

    def _line(self, row: JobRow, at_cursor: bool, width: int) -> Strip:
        signs = self._signs
        base = self.get_component_rich_style("jobs--cursor") if at_cursor and self.has_focus else self.rich_style
        muted = self._over(base, "jobs--muted")
        state = self._over(base, f"jobs--{kind_of_state(row.status)}")
        mark = signs.mark if row.name in self.marks else (">" if at_cursor and not self.has_focus else " ")
        fold = self._fold_sign(row)
        parts = [
            Segment(cell(mark, 1, signs), self._over(base, "jobs--mark")),
            Segment(cell(fold, 1, signs), muted),
            Segment(cell(f"{signs.state(row.status)} {row.status}", STATE_WIDTH, signs), state),
            Segment(" " * GAP, base),
        ]
        for column, size in self._columns():
            text = column.text(row, self.window.metrics.get(row.name))
            indent = "  " if column.name == "name" and row.parent_job_name and self.unfolded else ""
            plain = column.name in ("name", "metric", "duration")
            parts += [
                Segment(cell(indent + text, size, signs, right=column.right), base if plain else muted),
                Segment(" " * GAP, base),
            ]
        return Strip(parts).adjust_cell_length(width, base)

    def _fold_sign(self, row: JobRow) -> str:
        if not row.children:
            return " "
        return self._signs.unfolded if row.name in self.unfolded else self._signs.folded

    def _over(self, base: Style, component: str) -> Style:
        """A component's colour on the background of the line."""
        style = self.get_component_rich_style(component)
        plain = base.bgcolor != self.rich_style.bgcolor and self.has_pseudo_class("ansi")
        # no colour of sixteen is sure to be seen on the cursor's
        return base + Style(color=None if plain else style.color, bold=style.bold, dim=style.dim)

    @property
    def _signs(self) -> Glyphs:
        return cast("WorkbenchApp", self.app).signs

    # -- moving -------------------------------------------------------------------------------------------------

    @property
    def lines(self) -> int:
        """How many rows the widget shows."""
        return max(1, self.scrollable_content_region.height - 1)

    def move_to(self, number: int) -> None:
        """Put the cursor on a row, and ask for it where it is not in memory."""
        self.cursor = max(0, min(number, self.window.total - 1))
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + self.lines:
            self.scroll_to(y=self.cursor - self.lines + 1, animate=False, force=True)
        self._need()

    def _need(self) -> None:
        """Ask for rows when what is shown comes near the edge of what is in memory."""
        window, top = self.window, self.scroll_offset.y
        low, high = max(0, top - NEAR), min(window.total, top + self.lines + NEAR)
        if window.total and (low < window.first or high > window.end):
            at_end = top + self.lines >= window.total and self.cursor >= window.end
            self.post_message(self.Needed(None if at_end else max(self.cursor, top) if self.cursor >= top else top))

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if round(old) != round(new):
            self._need()
            self.refresh()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.window.total + 1)
        self._shown.clear()
        self._need()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self.move_to(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a screen."""
        self.move_to(self.cursor + pages * self.lines)

    def action_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_to(self.window.total - 1)

    def action_open(self) -> None:
        """Open the job under the cursor."""
        if self.row is not None:
            self.post_message(self.Opened(self.row))

    def action_fold(self) -> None:
        """Show or hide the children of the job under the cursor."""
        if self.row is not None and (self.row.children or self.row.parent_job_name):
            self.post_message(self.Folded(self.row))

    def action_mark(self) -> None:
        """Mark the job under the cursor, or take the mark away, and go on to the next."""
        if self.row is None:
            return
        if self.row.name in self.marks:
            del self.marks[self.row.name]
        else:
            self.marks[self.row.name] = None
        self._repaint()
        self.post_message(self.Marked())
        self.move_to(self.cursor + 1)

    def action_unmark(self) -> None:
        """Take all marks away."""
        self.keep_marks(())

    def keep_marks(self, names: Iterable[str]) -> None:
        """Keep only these marks."""
        kept = set(names)
        self.marks = {name: None for name in self.marks if name in kept}
        self._repaint()
        self.post_message(self.Marked())

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each row in sight."""
        top = self.scroll_offset.y
        for number in range(top, min(top + self.lines, self.window.total)):
            yield Offset(0, number - top + 1), partial(self.move_to, number)

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            return
        number = self.scroll_offset.y + event.y - 1
        if number >= self.window.total:
            return
        again = number == self.cursor
        self.move_to(number)
        if again or event.chain > 1:
            self.action_open()
