"""A text to read: styled lines, broken at the width, scrolled by the usual keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.widgets.wrapping import clean

Span = tuple[str, str | Style]
"""A text and its style: a component class without the prefix, empty for the plain one; for pictures colours."""

Line = Sequence[Span]
STYLES = ("key", "string", "number", "comment", "expression", "added", "removed", "heading", "muted", "warning")


class TextPane(ScrollView, can_focus=True):
    """Shows lines of spans; long ones go on in the next line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "scroll(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("right", "scroll_sideways(8)", "Right", show=False, id="text.right"),
        Binding("left", "scroll_sideways(-8)", "Left", show=False, id="text.left"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"text--{name}" for name in STYLES}

    def __init__(self, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.lines: list[Line] = []
        self.wrapped = True
        self.add_class("-wrapped")
        self._rows: list[Line] = []
        self._width = 0

    def show_lines(self, lines: Sequence[Line], *, wrapped: bool = True, keep_place: bool = False) -> None:
        """Show another text, from its beginning unless ``keep_place``. A table is not ``wrapped``: it scrolls."""
        told = list(lines)
        if told == self.lines and wrapped == self.wrapped:
            return
        self.lines, self.wrapped = told, wrapped
        self.set_class(wrapped, "-wrapped")
        self._width = 0
        self._arrange()
        if not keep_place:
            self.scroll_to(x=0, y=0, animate=False, force=True)
        self.refresh()

    @property
    def text(self) -> str:
        """What is shown, plain."""
        return "\n".join("".join(text for text, _ in line) for line in self.lines)

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        width = self.scrollable_content_region.width
        if width == self._width or not width:
            return
        self._width = width
        if not self.wrapped:
            self._rows = [[(clean(text), style) for text, style in line] for line in self.lines]
            widest = max((sum(cell_len(text) for text, _ in row) for row in self._rows), default=0)
            self.virtual_size = Size(max(width, widest + 2), len(self._rows))
            return
        self._rows = [row for line in self.lines for row in broken(line, max(1, width - 2))]
        self.virtual_size = Size(width, len(self._rows))

    def render_line(self, y: int) -> Strip:
        """A line of the text."""
        width, number = self.scrollable_content_region.width, self.scroll_offset.y + y
        base = self.rich_style
        if number >= len(self._rows):
            return Strip.blank(width, base)
        segments = [Segment(" ", base), *(Segment(text, self._style(name, base)) for text, name in self._rows[number])]
        left = self.scroll_offset.x
        return Strip(segments).crop(left, left + width).adjust_cell_length(width, base)

    def _style(self, name: str | Style, base: Style) -> Style:
        if isinstance(name, Style):
            return base + name
        return base + self.get_component_rich_style(f"text--{name}") if name else base

    def action_scroll(self, rows: int) -> None:
        """Some lines on."""
        self.scroll_relative(y=rows, animate=False, force=True)

    def action_scroll_sideways(self, cells: int) -> None:
        """Some columns on."""
        self.scroll_relative(x=cells, animate=False, force=True)

    def action_page(self, screens: int) -> None:
        """A screen further."""
        self.scroll_relative(y=screens * max(1, self.size.height - 1), animate=False, force=True)

    def action_first(self) -> None:
        """To the beginning."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_last(self) -> None:
        """To the end."""
        self.scroll_to(y=self.virtual_size.height, animate=False, force=True)


def broken(line: Line, width: int) -> list[list[Span]]:
    """A line in rows of a width, each span keeping its style."""
    rows: list[list[Span]] = [[]]
    room = width
    for text, style in line:
        rest = clean(text)
        while rest:
            part = _fitting(rest, room)
            if not part and room < width:
                rows.append([])
                room = width
                continue
            part = part or rest[0]  # a wide character in a line of one cell
            rows[-1].append((part, style))
            room -= cell_len(part)
            rest = rest[len(part) :]
            if rest:
                rows.append([])
                room = width
    return rows


def _fitting(text: str, width: int) -> str:
    """As much of a text's beginning as fits; broken behind a blank where there is one in its second half."""
    if cell_len(text) <= width:
        return text
    used = 0
    for number, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            blank = text.rfind(" ", number // 2, number)
            return text[: blank + 1] if blank > 0 and character != " " else text[:number]
    return text
