"""Facts under headings, one below the other: a name, a value that is broken where it is long, what enter opens."""

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
from workbench.tui.widgets.wrapping import wrap

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

MOST_LINES = 8
"""Of one value; enter shows the rest."""

WIDEST_TITLE = 40
KINDS = ("waiting", "running", "completed", "failed", "canceled", "muted", "plain")


@dataclass(frozen=True, slots=True)
class Opens:
    """Where enter leads: a ``job``, a ``tab`` of this one, a ``compare`` with a job, or the whole ``text``."""

    kind: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row. ``copies`` is what the copy key takes where it is another than the value."""

    title: str
    value: str
    opens: Opens | None = None
    copies: str | None = None
    kind: str = "plain"
    """How the value is coloured: a state's group, or ``muted``."""


@dataclass(frozen=True, slots=True)
class Section:
    """Facts under a heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the screen; ``number`` is that of its fact, None for headings and blanks."""

    number: int | None
    title: str
    text: str
    kind: str
    cut: bool = False


class FactList(ScrollView, can_focus=True):
    """Paints only the lines that say something else than before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="facts.open"),
        Binding("y", "copy", "copy value", id="facts.copy"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "facts--heading",
        "facts--title",
        "facts--cursor",
        *(f"facts--{kind}" for kind in KINDS),
    }

    class Opened(Message):
        """A fact that leads somewhere was opened."""

        def __init__(self, fact: Fact, opens: Opens) -> None:
            super().__init__()
            self.fact, self.opens = fact, opens

    def __init__(self) -> None:
        super().__init__()
        self.sections: tuple[Section, ...] = ()
        self.facts: list[tuple[str, Fact]] = []
        """Each with the title of its section."""
        self.cursor = 0
        self._lines: list[_Line] = []
        self._title_width = 0
        self._painted: dict[int, object] = {}

    # -- content ------------------------------------------------------------------------------------------------

    def take(self, sections: Sequence[Section]) -> None:
        """Show other facts; the cursor stays with its own. Empty sections are left out."""
        told = tuple(section for section in sections if section.facts)
        if told == self.sections:
            return
        before = self._key(self.cursor)
        self.sections = told
        self.facts = [(section.title, fact) for section in told for fact in section.facts]
        keys = [self._key(number) for number in range(len(self.facts))]
        self.cursor = keys.index(before) if before in keys else max(0, min(self.cursor, len(keys) - 1))
        self._lay_out()

    @property
    def fact(self) -> Fact | None:
        """The fact under the cursor."""
        return self.facts[self.cursor][1] if self.cursor < len(self.facts) else None

    def _key(self, number: int) -> tuple[str, str] | None:
        if number >= len(self.facts):
            return None
        title, fact = self.facts[number]
        return title, fact.title

    def on_resize(self) -> None:
        self._painted.clear()
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if not width:
            return
        widest = max((cell_len(fact.title) for _, fact in self.facts), default=0)
        self._title_width = min(widest, WIDEST_TITLE, max(6, width // 3))
        lines: list[_Line] = []
        number = 0
        for section in self.sections:
            if lines:
                lines.append(_Line(None, "", "", "plain"))
            lines.append(_Line(None, section.title, "", "heading"))
            for fact in section.facts:
                lines += self._lines_of(number, fact, max(1, width - self._title_width - 4))
                number += 1
        self._lines = lines
        self.virtual_size = Size(width, len(lines))
        self._show_cursor()
        self._repaint()

    def _lines_of(self, number: int, fact: Fact, room: int) -> list[_Line]:
        texts = wrap(fact.value, room, unicode=self._bench.signs.unicode)
        cut = len(texts) > MOST_LINES
        if cut:
            texts = [*texts[: MOST_LINES - 1], f"{len(texts) - MOST_LINES + 1} more lines: enter"]
        last = len(texts) - 1
        return [
            _Line(number, "" if row else fact.title, text, fact.kind, cut and row == last)
            for row, text in enumerate(texts)
        ]

    @property
    def _bench(self) -> WorkbenchApp:
        return cast("WorkbenchApp", self.app)

    # -- drawing ------------------------------------------------------------------------------------------------

    def _repaint(self) -> None:
        for y in range(self.size.height):
            if self._painted.get(y, self) != self._signature(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _signature(self, y: int) -> object:
        number = self.scroll_offset.y + y
        line = self._lines[number] if number < len(self._lines) else None
        at_cursor = line is not None and line.number == self.cursor
        return line, at_cursor, self.has_focus, self.size.width, self._title_width

    def render_line(self, y: int) -> Strip:
        """A heading, or a part of a fact."""
        self._painted[y] = self._signature(y)
        width, number = self.scrollable_content_region.width, self.scroll_offset.y + y
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[number]
        if line.number is None:
            style = self.get_component_rich_style("facts--heading")
            return Strip([Segment(f" {line.title}", style)]).adjust_cell_length(width, self.rich_style)
        return self._fact_line(line, width)

    def _fact_line(self, line: _Line, width: int) -> Strip:
        signs, at_cursor = self._bench.signs, line.number == self.cursor
        lit = at_cursor and self.has_focus
        base = self.get_component_rich_style("facts--cursor") if lit else self.rich_style
        kind = "muted" if line.cut else line.kind
        return Strip(
            [
                Segment(f"{signs.cursor if at_cursor else ' '} ", base),
                Segment(cell(line.title, self._title_width, signs), self._styled("facts--title", base, lit)),
                Segment("  ", base),
                Segment(line.text, self._styled(f"facts--{kind}", base, lit)),
            ]
        ).adjust_cell_length(width, base)

    def _styled(self, name: str, base: Style, lit: bool) -> Style:
        """A part's own colours, which the cursor's ground may not suit."""
        return base if lit else base + self.get_component_rich_style(name)

    def on_focus(self) -> None:
        self._repaint()

    def on_blur(self) -> None:
        self._repaint()

    # -- keys ---------------------------------------------------------------------------------------------------

    def _span(self, number: int) -> tuple[int, int]:
        """The first and last line of a fact; with the first of a section its heading."""
        own = [at for at, line in enumerate(self._lines) if line.number == number]
        if not own:
            return 0, 0
        first = own[0] - 1 if own[0] and self._lines[own[0] - 1].number is None else own[0]
        return first, own[-1]

    def _show_cursor(self) -> None:
        first, last = self._span(self.cursor)
        top, height = self.scroll_offset.y, self.size.height
        if first < top or last - first >= height:
            self.scroll_to(y=first, animate=False, force=True)
        elif last >= top + height:
            self.scroll_to(y=last - height + 1, animate=False, force=True)

    def _move_to(self, number: int) -> None:
        self.cursor = max(0, min(number, len(self.facts) - 1))
        self._show_cursor()
        self._repaint()
        self.refresh_bindings()

    def action_move(self, rows: int) -> None:
        """Another fact."""
        self._move_to(self.cursor + rows)

    def action_page(self, screens: int) -> None:
        """A screen further."""
        wanted = self._span(self.cursor)[0] + screens * max(1, self.size.height - 2)
        before = [line.number for line in self._lines[: max(0, wanted) + 1] if line.number is not None]
        self._move_to(before[-1] if before else 0)

    def action_first(self) -> None:
        """The first fact."""
        self._move_to(0)

    def action_last(self) -> None:
        """The last fact."""
        self._move_to(len(self.facts) - 1)

    def _leads_to(self) -> Opens | None:
        fact = self.fact
        if fact is not None and any(line.cut for line in self._lines if line.number == self.cursor):
            return Opens("text", fact.value)
        return fact.opens if fact is not None else None

    def action_open(self) -> None:
        """Go where the fact leads; a value that is cut is shown whole."""
        opens = self._leads_to()
        if self.fact is not None and opens is not None:
            self.post_message(self.Opened(self.fact, opens))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is told where it leads somewhere."""
        if action == "open":
            return self._leads_to() is not None
        return action != "copy" or self.fact is not None

    def action_copy(self) -> None:
        """Copy the value of the fact."""
        fact = self.fact
        if fact is not None:
            self._bench.copy_text(fact.value if fact.copies is None else fact.copies, fact.title)

    def jump_places(self) -> Iterable[tuple[Offset, Callable[[], object]]]:
        """Each fact whose first line is in sight."""
        top = self.scroll_offset.y
        for y, line in enumerate(self._lines[top : top + self.size.height]):
            first = top + y == 0 or self._lines[top + y - 1].number != line.number
            if line.number is not None and first:
                yield Offset(0, y), partial(self._move_to, line.number)

    def on_click(self, event: events.Click) -> None:
        """Select; a second click opens."""
        number = self.scroll_offset.y + event.y
        line = self._lines[number] if number < len(self._lines) else None
        if line is not None and line.number is not None:
            self._move_to(line.number)
            if event.chain == 2:
                self.action_open()
