"""A list of entries of a line or more each, with a cursor that stays with its entry; draws what is in sight."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.glyphs import Glyphs

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

Span = tuple[str, str]
"""A text and how it is drawn: one of ``KINDS``, or nothing."""
Line = tuple[Span, ...]

KINDS = ("head", "muted", "strong", "accent", "warning", "waiting", "running", "completed", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what tells it from others, what it is, and how many lines it takes."""

    key: str
    value: Any
    height: int = 1


Draw = Callable[[Any, int, Glyphs], Sequence[Line]]
"""The lines of a value in a width, as many as its entry's height."""
Head = Callable[[int, Glyphs], Line]


class LineList(ScrollView, can_focus=True):
    """Draws the entries it is given."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="list.open"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--cursor", *(f"line--{kind}" for kind in KINDS)}

    class Opened(Message):
        """An entry was opened."""

        def __init__(self, source: LineList, entry: Entry) -> None:
            super().__init__()
            self.source, self.entry = source, entry

        @property
        def control(self) -> LineList:
            """The list that it is in."""
            return self.source

    class Edge(Message):
        """The cursor was moved beyond the first entry (``step`` -1) or the last one (1)."""

        def __init__(self, source: LineList, step: int) -> None:
            super().__init__()
            self.source, self.step = source, step

    class Near(Message):
        """The last entries came into sight (``step`` 1), or the first ones (-1): there may be more."""

        def __init__(self, source: LineList, step: int) -> None:
            super().__init__()
            self.source, self.step = source, step

    class Far(Message):
        """The user asks for the very last entry (``step`` 1), or the very first one (-1)."""

        def __init__(self, source: LineList, step: int) -> None:
            super().__init__()
            self.source, self.step = source, step

    def __init__(self, draw: Draw, head: Head | None = None, *, prefetch: int = 0, opens: bool = True) -> None:
        """``prefetch``: with so few lines to either end ``Near`` is posted; none of the messages about ends without.

        ``opens`` is False where an entry leads nowhere.
        """
        super().__init__()
        self.prefetch, self.opens = prefetch, opens
        self._draw_entry, self._head = draw, head
        self.entries: Sequence[Entry] = ()
        self._tops: list[int] = [0]
        self.cursor = 0
        self._shown: dict[int, tuple[object, ...]] = {}

    # -- entries ------------------------------------------------------------------------------------------------

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        return self.entries[self.cursor] if 0 <= self.cursor < len(self.entries) else None

    @property
    def wanted_height(self) -> int:
        """The lines that all of it takes."""
        return self._tops[-1] + self._heads

    @property
    def least_height(self) -> int:
        """The lines that the head and the first entry take."""
        return self._heads + (self.entries[0].height if self.entries else 0)

    def take(self, entries: Sequence[Entry]) -> None:
        """Show other entries; the cursor stays with its own, and on its line of the screen."""
        at, before = self.entry, self.cursor
        if self.prefetch and before == 0 and self.scroll_offset.y == 0:
            at = None  # to see what comes in at the top
        top = self._top_of(before) - self.scroll_offset.y
        self.entries = entries
        self._tops = list(accumulate((entry.height for entry in entries), initial=0))
        self._resize()
        found = next((n for n, entry in enumerate(entries) if at is not None and entry.key == at.key), None)
        self.cursor = found if found is not None else max(0, min(before, len(entries) - 1))
        if found is not None and found != before:
            self.scroll_to(y=self._top_of(found) - top, animate=False, force=True)
        self.repaint()

    def move_to(self, number: int) -> None:
        """Put the cursor on an entry, and bring it into sight."""
        self.cursor = max(0, min(number, len(self.entries) - 1))
        if self.entries:
            top, height = self._top_of(self.cursor), self.entries[self.cursor].height
            if top < self.scroll_offset.y:
                self.scroll_to(y=top, animate=False, force=True)
            elif top + height > self.scroll_offset.y + self.lines:
                self.scroll_to(y=top + height - self.lines, animate=False, force=True)
        self.repaint()
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Say when what is in sight comes near an end."""
        if self.prefetch and self.entries:
            top = self.scroll_offset.y
            if top + self.lines + self.prefetch >= self._tops[-1]:
                self.post_message(self.Near(self, 1))
            if top <= self.prefetch:
                self.post_message(self.Near(self, -1))

    @property
    def lines(self) -> int:
        """How many lines there are for entries."""
        return max(1, self.scrollable_content_region.height - self._heads)

    @property
    def in_sight(self) -> int:
        """How many entries are in sight."""
        top = self.scroll_offset.y
        return self._at(top + self.lines - 1)[0] - self._at(top)[0] + 1 if self.entries else 0

    @property
    def _heads(self) -> int:
        return 1 if self._head is not None else 0

    def _top_of(self, number: int) -> int:
        return self._tops[min(number, len(self._tops) - 1)]

    def _at(self, line: int) -> tuple[int, int]:
        """The entry at a line, and which of its lines that is; the last one's for a line behind the end."""
        number = min(max(0, bisect_right(self._tops, line) - 1), max(0, len(self.entries) - 1))
        return number, line - self._top_of(number)

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, self.wanted_height)

    # -- drawing ------------------------------------------------------------------------------------------------

    def draw(self, value: Any, width: int, signs: Glyphs) -> Sequence[Line]:
        """The lines of an entry."""
        return self._draw_entry(value, width, signs)

    def repaint(self) -> None:
        """Paint the lines that say something else than before."""
        width = self.scrollable_content_region.width
        for y in range(self.size.height):
            if self._shown.get(y) != self._signature(y):
                self.refresh(Region(0, y, width, 1))

    def _signature(self, y: int) -> tuple[object, ...]:
        line, number = self._line(y)
        return (line, number is not None and number == self.cursor and self.has_focus, self.size.width)

    def _line(self, y: int) -> tuple[Line, int | None]:
        """What stands in a line, and of which entry it is."""
        width = self.scrollable_content_region.width
        if self._head is not None and y == 0:
            return self._head(width, self.signs), None
        line = y - self._heads + self.scroll_offset.y
        if not 0 <= line < self._tops[-1]:
            return (), None
        number, part = self._at(line)
        drawn = self.draw(self.entries[number].value, width, self.signs)
        return (drawn[part] if part < len(drawn) else ()), number

    def render_line(self, y: int) -> Strip:
        """The head, then the entries in sight."""
        line, number = self._line(y)
        at_cursor = number is not None and number == self.cursor and self.has_focus
        self._shown[y] = (line, at_cursor, self.size.width)
        base = self.get_component_rich_style("line--cursor") if at_cursor else self.rich_style
        width = self.scrollable_content_region.width
        parts, left = [], width
        for text, kind in line:
            clean, cells = fitted(text, left, self.signs)
            parts.append(Segment(clean, self._style(base, kind, at_cursor)))
            left -= cells
        return Strip(parts).adjust_cell_length(width, base)

    def _style(self, base: Style, kind: str, at_cursor: bool) -> Style:
        if not kind:
            return base
        style = self.get_component_rich_style(f"line--{kind}")
        plain = at_cursor and self.has_pseudo_class("ansi")  # no colour of sixteen is sure to be seen on the cursor's
        return base + Style(color=None if plain else style.color, bold=style.bold, dim=style.dim)

    @property
    def signs(self) -> Glyphs:
        """The signs that this terminal draws."""
        return cast("WorkbenchApp", self.app).signs

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No hint for what does nothing."""
        return action != "open" or self.opens

    # -- moving -------------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if round(old) != round(new):
            self.refresh()
            self._look_ahead()

    def on_resize(self) -> None:
        self._resize()
        self._shown.clear()
        if self.entries:
            self.move_to(self.cursor)

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self.move_by(step)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a screen."""
        self.move_by(pages * max(1, self.lines // max(1, self.entries[0].height if self.entries else 1)))

    def move_by(self, step: int) -> None:
        """Move the cursor, and say where it meets the end or comes near it."""
        target = self.cursor + step
        self.move_to(target)
        if not -1 < target < len(self.entries):
            self.post_message(self.Edge(self, 1 if step > 0 else -1))

    def action_first(self) -> None:
        """To the first entry."""
        self.move_to(0)
        if self.prefetch:
            self.post_message(self.Far(self, -1))

    def action_last(self) -> None:
        """To the last entry."""
        self.move_to(len(self.entries) - 1)
        if self.prefetch:
            self.post_message(self.Far(self, 1))

    def action_open(self) -> None:
        """Open the entry under the cursor."""
        if self.entry is not None:
            self.post_message(self.Opened(self, self.entry))

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each entry whose first line is in sight, where one can be chosen."""
        top = self.scroll_offset.y
        for number in range(len(self.entries) if self.can_focus else 0):
            line = self._top_of(number) - top
            if 0 <= line < self.lines:
                yield Offset(0, line + self._heads), partial(self.move_to, number)

    def on_click(self, event: events.Click) -> None:
        line = event.y - self._heads + self.scroll_offset.y
        if event.y < self._heads or line >= self._tops[-1]:
            return
        number, _ = self._at(line)
        again = number == self.cursor and self.has_focus
        self.move_to(number)
        if again or event.chain > 1:
            self.action_open()


def fitted(text: str, width: int, signs: Glyphs) -> tuple[str, int]:
    """A text in a width of cells at most, and how many it takes: control characters as a sign, cut where too long."""
    if not text.isprintable():
        text = "".join(each if each.isprintable() else "·" if signs.unicode else "?" for each in text)
    cells = cell_len(text)
    if cells <= width:
        return text, cells
    return (set_cell_size(text, width - 1) + signs.ellipsis if width > 0 else "", max(0, width))
