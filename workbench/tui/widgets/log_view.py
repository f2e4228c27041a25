"""A log of any size on the screen: draws a window of its lines, and asks for another when it comes to the edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from store.log_lines import Line, Window
from store.log_search import Pattern
from workbench.tui.widgets.log_line import Layer, LogLine
from workbench.tui.widgets.log_rows import LogRows, Place

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

Aim = Literal["keep", "top", "end", "hit"]

WHEEL_ROWS = 3
COLUMNS = 8
"""Cells that a key moves the text sideways."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place to show: what is shown now, the line with a byte at the top, the end, or what was searched for."""

    aim: Aim
    offset: int = 0


class LogView(ScrollView, can_focus=True):
    """Rows of a log. What is on the screen stays where it is while the log grows, unless it is followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="log.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="log.up"),
        Binding("pagedown,ctrl+d", "page(1)", "A screen down", show=False, id="log.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "A screen up", show=False, id="log.page_up"),
        Binding("g,home", "first", "To the beginning", show=False, id="log.first"),
        Binding("G,end", "last", "To the end, and follow", show=False, id="log.last"),
        Binding("right,l", "sideways(1)", "Right", show=False, id="log.right"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("circumflex_accent", "leftmost", "To the beginning of the lines", show=False, id="log.leftmost"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--number", "log--match", "log--current", "log--edge"}

    class Needed(Message):
        """Other lines are needed."""

        def __init__(self, wanted: Wanted) -> None:
            super().__init__()
            self.wanted = wanted

    class Moved(Message):
        """Something else is on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = LogRows()
        self.follow = True
        self.numbered = False
        self.total = 0
        """How many lines the log has, as far as they were counted."""
        self.pattern: Pattern | None = None
        self.current: int | None = None
        """Where the line is that was searched for and found."""
        self.left = 0
        self._top: Place = (0, 0)
        self._owed = 0
        """Rows that are still to be moved, once the lines are there."""
        self._rows: list[Place] = []
        self._shown: dict[int, tuple[object, ...]] = {}

    # -- lines and rows -----------------------------------------------------------------------------------------

    @property
    def window(self) -> Window:
        """The lines that are here."""
        return self.rows.window

    @property
    def number_width(self) -> int:
        """Cells of the line numbers."""
        if not self.numbered:
            return 0
        return max(4, len(str(max(self.total, *self.rows.numbers[-1:], 0)))) + 2

    def _measure(self) -> None:
        """Tell the rows how much room there is."""
        region = self.scrollable_content_region
        self.rows.height = max(1, region.height)
        self.rows.width = max(2, region.width - self.number_width)

    @property
    def top(self) -> Line | None:
        """The first line on the screen."""
        return self.window.lines[self._top[0]] if self.window.lines else None

    @property
    def bottom(self) -> Line | None:
        """The last line on the screen."""
        return self.window.lines[self._rows[-1][0]] if self._rows else None

    @property
    def at_bottom(self) -> bool:
        """Whether the end of the log is on the screen."""
        return self.window.at_end and self._top >= self.rows.last_top()

    def lines_shown(self) -> list[Line]:
        """The lines on the screen."""
        return [self.window.lines[index] for index in dict.fromkeys(index for index, _ in self._rows)]

    @property
    def current_line(self) -> Line | None:
        """The line that was found, where it is on the screen."""
        place = self.current
        return next((each for each in self.lines_shown() if place is not None and each.start <= place < each.end), None)

    def text_of(self, line: Line) -> str:
        """What a line says."""
        return self.rows.drawn(line).text

    # -- what is shown ------------------------------------------------------------------------------------------

    def take(self, window: Window, wanted: Wanted) -> None:
        """Show another window, at the place for which it was asked."""
        kept = self.top.start if self.top is not None else 0
        row = self._top[1]
        before = self.window
        self.rows.take(window)
        self._measure()
        if wanted.aim == "end" or (wanted.aim == "keep" and self.follow):
            self._top = self.rows.last_top()
        elif wanted.aim == "keep":
            index = window.index_of(kept)
            same = before.identity == window.identity and window.lines and window.lines[index].start == kept
            self._top = (index, row if same else 0)
        elif wanted.aim == "top":
            self._top = (window.index_of(wanted.offset), 0)
        elif window.lines:
            self._top = (len(window.lines), 0)  # nothing of it is on the screen yet
            self._reveal(wanted.offset)
        self._top = self.rows.kept(self._top)
        owed, self._owed = self._owed, 0
        if owed and wanted.aim != "end":
            self.move(owed)
        self.lay_out()

    def reveal(self, offset: int) -> bool:
        """Show the line with a byte where it is in the window; else False."""
        lines = self.window.lines
        if not lines or not lines[0].start <= offset < lines[-1].end:
            return False
        before = self._top
        self._reveal(offset)
        if not self.window.at_end and self._top > self.rows.last_top():
            self._top = before
            return False
        self._top = self.rows.kept(self._top)
        self.lay_out()
        self._prefetch()
        return True

    def _reveal(self, offset: int) -> None:
        index = self.window.index_of(offset)
        self.current = offset
        self._bring_sideways(index)
        place = (index, self._row_of_match(index))
        if self._top[0] > index or place not in self.rows.screen(self.rows.kept(self._top)):
            self._top = self.rows.higher(place, self.rows.height // 3)

    def _row_of_match(self, index: int) -> int:
        """In which row of a wrapped line the first match is."""
        if not self.rows.wrap or self.pattern is None:
            return 0
        line = self.rows.drawn(self.window.lines[index])
        spans = self.pattern.spans(line.text)
        starts = line.rows(self.rows.width)
        return max((row for row, start in enumerate(starts) if spans and start <= spans[0][0]), default=0)

    def _bring_sideways(self, index: int) -> None:
        if self.rows.wrap or self.pattern is None:
            return
        line = self.rows.drawn(self.window.lines[index])
        spans = self.pattern.spans(line.text)
        if spans:
            first, last = line.cell(spans[0][0]), line.cell(spans[0][1])
            if first < self.left or last > self.left + self.rows.width - 1:
                self.left = 0 if last < self.rows.width else max(0, first - self.rows.width // 3)

    def lay_out(self) -> None:
        """Say again which rows are on the screen, and paint those that are others."""
        self._rows = list(self.rows.screen(self._top))
        self._set_bar()
        width = self.scrollable_content_region.width
        for y in range(self.rows.height):
            if self._shown.get(y) != self._signature(y):
                self.refresh(Region(0, y, width, 1))
        self.post_message(self.Moved())

    def grown(self, size: int) -> None:
        """The log has another size now; what is on the screen is the same."""
        self.rows.window = replace(self.window, size=size, at_end=False)
        self._set_bar()
        self.post_message(self.Moved())

    def _set_bar(self) -> None:
        """The scroll bar counts rows."""
        bar = self.vertical_scrollbar
        bar.window_virtual_size, position = self.rows.bar(self._top)
        bar.window_size, bar.position = self.rows.height, position

    def _scroll_update(self, virtual_size: Size) -> None:
        """Called by the layout: the bar keeps counting rows, not the cells of a canvas."""
        self._refresh_scrollbars()
        self._set_bar()

    # -- drawing ------------------------------------------------------------------------------------------------

    def _signature(self, y: int) -> tuple[object, ...]:
        """All that the painting of a row depends on."""
        if y >= len(self._rows):
            return (self.scrollable_content_region.width,)
        index, row = self._rows[y]
        line = self.window.lines[index]
        here = self.current is not None and line.start <= self.current < line.end
        selected = selection.get_span(line.start) if (selection := self.text_selection) is not None else None
        size = (self.scrollable_content_region.width, self.number_width, self.left, self.rows.wrap)
        return (line, row, here, selected, size, self.pattern, self.rows.number((index, row)))

    def render_line(self, y: int) -> Strip:
        """A row of a line."""
        self._shown[y] = self._signature(y)
        width, base = self.scrollable_content_region.width, self.rich_style
        if y >= len(self._rows):
            return Strip.blank(width, base)
        index, row = self._rows[y]
        line = self.window.lines[index]
        if self.current is not None and line.start <= self.current < line.end:
            base += self.get_component_rich_style("log--current")
        body = self._body(line, row, base)
        if not self.number_width:
            return body
        number = self.rows.number((index, row))
        style = base + Style(color=self.get_component_rich_style("log--number").color)
        text = f"{'' if number is None else number:>{self.number_width - 1}} "
        return Strip.join([Strip([Segment(text, style)]), body])

    def _layers(self, line: Line, drawn: LogLine) -> list[Layer]:
        found: list[Layer] = []
        if self.pattern is not None:
            style = self.get_component_rich_style("log--match")
            found += [(start, stop, style) for start, stop in self.pattern.spans(drawn.text)]
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(line.start)) is not None:
            stop = len(drawn.text) if span[1] == -1 else span[1]
            found.append((span[0], stop, self.screen.get_component_rich_style("screen--selection")))
        return found

    def _body(self, line: Line, row: int, base: Style) -> Strip:
        drawn, width = self.rows.drawn(line), self.rows.width
        layers = self._layers(line, drawn)
        if self.rows.wrap:
            starts = drawn.rows(width)
            start, stop = starts[row], starts[row + 1] if row + 1 < len(starts) else len(drawn.text)
            strip = Strip(drawn.segments(start, stop, base, layers))
            return strip.apply_offsets(start, line.start).adjust_cell_length(width, base)
        start, stop = drawn.place(self.left), min(len(drawn.text), drawn.place(self.left + width) + 1)
        strip = Strip(drawn.segments(start, stop, base, layers)).apply_offsets(start, line.start)
        skipped = self.left - drawn.cell(start) if start < len(drawn.text) else 0
        strip = strip.crop(skipped, skipped + width).adjust_cell_length(width, base)
        return self._edged(strip, drawn, base)

    def _edged(self, strip: Strip, drawn: LogLine, base: Style) -> Strip:
        """With a sign at the edge behind which the line goes on."""
        width = self.rows.width
        unicode = cast("WorkbenchApp", self.app).signs.unicode
        style = base + Style(color=self.get_component_rich_style("log--edge").color)
        if self.left and drawn.text:
            strip = Strip.join([Strip([Segment("‹" if unicode else "<", style)]), strip.crop(1, width)])
        if drawn.width > self.left + width:
            strip = Strip.join([strip.crop(0, width - 1), Strip([Segment("›" if unicode else ">", style)])])
        return strip

    # -- moving -------------------------------------------------------------------------------------------------

    def move(self, rows: int) -> None:
        """Move by rows; those that are not in the window are moved when they are."""
        if not self.window.lines:
            return
        rows += self._owed
        if rows < 0:
            self.follow = False
        self._top, left = self.rows.moved(self._top, rows)
        self._owed = 0 if (self.window.at_start if rows < 0 else self.window.at_end) else left
        self.lay_out()
        self._prefetch()

    def _prefetch(self) -> None:
        """Ask for lines before they are needed."""
        index, margin = self._top[0], self.rows.height
        near_start = index < margin and not self.window.at_start
        near_end = index + 2 * margin > len(self.window.lines) and not self.window.at_end
        if near_start or near_end or self._owed:
            self.post_message(self.Needed(Wanted("keep")))

    def action_move(self, rows: int) -> None:
        """Move by rows."""
        self.move(rows)

    def action_page(self, screens: int) -> None:
        """Move by a screen, less a row to go on from."""
        self.move(screens * max(1, self.rows.height - 1))

    def action_first(self) -> None:
        """To the beginning."""
        self.follow = False
        self._owed = 0
        if self.window.at_start:
            self._top = (0, 0)
            self.lay_out()
        else:
            self.post_message(self.Needed(Wanted("top", 0)))

    def action_last(self) -> None:
        """To the end, and follow what comes."""
        self.follow = True
        self._owed = 0
        self.post_message(self.Needed(Wanted("end")))

    def action_sideways(self, steps: int) -> None:
        """Move the text."""
        self.move_sideways(steps * COLUMNS)

    def action_leftmost(self) -> None:
        """Show the beginning of the lines."""
        self.move_sideways(-self.left)

    def move_sideways(self, cells: int) -> None:
        """Move the text by cells, no further than the longest line on the screen."""
        if self.rows.wrap:
            return
        widest = max((self.rows.drawn(line).width for line in self.lines_shown()), default=0)
        limit = max(self.left if cells < 0 else 0, widest - self.rows.width + 1)
        self.left = max(0, min(self.left + cells, limit))
        self.lay_out()

    # -- mouse, size and selection ------------------------------------------------------------------------------

    def scroll_to(self, x: float | None = None, y: float | None = None, **_options: object) -> None:
        """Where the scroll bar was dragged."""
        if y is None:
            return
        bar = self.vertical_scrollbar
        self.follow = False
        self._owed = 0
        if y >= bar.window_virtual_size - bar.window_size:
            self.post_message(self.Needed(Wanted("end")))
        else:
            part = max(0.0, y) / max(1, bar.window_virtual_size)
            self.post_message(self.Needed(Wanted("top", int(self.window.size * part))))

    def scroll_page_up(self, **_options: object) -> None:
        """A click above the scroll bar's handle."""
        self.action_page(-1)

    def scroll_page_down(self, **_options: object) -> None:
        """A click below it."""
        self.action_page(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self.move_sideways(COLUMNS) if event.shift or event.ctrl else self.move(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self.move_sideways(-COLUMNS) if event.shift or event.ctrl else self.move(-WHEEL_ROWS)

    def on_resize(self) -> None:
        self._shown.clear()
        self.relay()

    def relay(self) -> None:
        """Cut the rows anew, for another width or in another way."""
        self._measure()
        self._top = self.rows.last_top() if self.follow and self.window.at_end else self.rows.kept(self._top)
        self.lay_out()
        self._prefetch()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What was selected with the mouse; its rows are told by where their lines begin."""
        texts: list[str] = []
        for line in self.window.lines:
            span = selection.get_span(line.start)
            if span is not None:
                text = self.rows.drawn(line).text
                texts.append(text[span[0] : len(text) if span[1] == -1 else span[1]])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.lay_out()
