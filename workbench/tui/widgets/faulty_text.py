"""A document's text with its faults below the lines that they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from store.errors import Fault
from workbench.tui.glyphs import Glyphs
from workbench.tui.widgets.text_pane import Line, TextPane, broken
from workbench.tui.widgets.wrapping import wrap

MOST_LINES = 5000
"""Of a longer text only so many lines are shown; an editor shows all."""

CONTEXT = 3
"""Lines shown above a fault that is jumped to."""


class FaultyText(TextPane):
    """Reads like the file, with what is wrong said in place; one of the faults is the current one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "fault(1)", "next fault", id="document.next_fault"),
        Binding("N", "fault(-1)", "Fault before", show=False, id="document.fault_before"),
        Binding("down,j", "fault(1)", "Fault or line below", show=False, id="document.down"),
        Binding("up,k", "fault(-1)", "Fault or line above", show=False, id="document.up"),
    ]

    def __init__(self, signs: Glyphs) -> None:
        super().__init__()
        self.signs = signs
        self.source: list[str] = []
        self.faults: list[Fault] = []
        self.current = 0
        self._starts: list[int] = []
        """Which line of the pane each fault's message is."""

    def show(self, text: str, faults: Sequence[Fault], file: str) -> None:
        """Show a text and its faults; those of other files come first, with their place."""
        self.source = text.splitlines() or [""]
        inside = [fault for fault in faults if fault.file == file]
        self.faults = [*(fault for fault in faults if fault.file != file), *inside]
        self._outside = len(self.faults) - len(inside)
        self.current = min(self.current, max(0, len(self.faults) - 1))
        self._tell()
        self.call_after_refresh(self._reveal)

    @property
    def line(self) -> int:
        """The line of the current fault, from 1."""
        if self.current < self._outside or not self.faults:
            return 1
        return min(self.faults[self.current].line, len(self.source))

    def on_resize(self) -> None:
        if self.source:
            self._tell()
        super().on_resize()
        self._reveal()

    def action_fault(self, step: int) -> None:
        """Go to another fault; the text scrolls where there is none further."""
        wanted = self.current + step
        if 0 <= wanted < len(self.faults):
            self.current = wanted
            self._tell()
            self._reveal()
        else:
            self.action_scroll(step)

    def _tell(self) -> None:
        if not self.scrollable_content_region.width:
            return  # it is told when there is room for it
        below: dict[int, list[int]] = defaultdict(list)
        for number, fault in enumerate(self.faults):
            below[0 if number < self._outside else min(fault.line, len(self.source))].append(number)
        self._starts = [0] * len(self.faults)
        digits = len(str(len(self.source)))
        room = max(20, self.scrollable_content_region.width - digits - 6)
        mark = self.signs.state("Failed")
        lines: list[Line] = []
        for number in below[0]:
            self._say(lines, number, digits)
        for at, text in enumerate(self.source[:MOST_LINES], 1):
            faulty = bool(below[at])
            style = "removed" if faulty else "muted"
            first = [(f"{mark} " if faulty else "  ", "removed"), (f"{at:>{digits}}  ", style)]
            rows = broken(coloured(text), room)
            lines.append([*first, *rows[0]])
            lines += [[(" " * (digits + 4), ""), *row] for row in rows[1:]]
            for number in below[at]:
                self._say(lines, number, digits)
        if len(self.source) > MOST_LINES:
            lines.append([(f"{len(self.source) - MOST_LINES} lines more", "muted")])
        self.show_lines(lines, keep_place=True)

    def _say(self, lines: list[Line], number: int, digits: int) -> None:
        """Add a fault's message and hint."""
        fault = self.faults[number]
        self._starts[number] = len(lines)
        is_current = number == self.current
        room = max(20, self.scrollable_content_region.width - digits - 7)
        place = f"{fault.file}:{fault.line}: " if number < self._outside else ""
        where = f"{fault.path}: " if fault.path else ""
        mark = self.signs.cursor if is_current else " "
        margin = " " * (digits + 3)
        style = "heading" if is_current else "removed"
        for text in wrap(f"{place}{where}{fault.message}", room):
            lines.append([(margin, ""), (f"{mark} ", "removed"), (text, style)])
        for text in wrap(fault.hint, room) if fault.hint else ():
            lines.append([(margin, ""), (f"{mark} ", "removed"), (text, "comment")])

    def _reveal(self) -> None:
        """Scroll so that the current fault and the lines above it are seen."""
        if not self.faults or not self._width or not self._starts:
            return
        start = self._starts[self.current]
        room = max(1, self._width - 2)
        row = sum(len(broken(line, room)) for line in self.lines[:start])
        top, height = self.scroll_offset.y, self.size.height
        if not top + CONTEXT <= row < top + height - CONTEXT:
            self.scroll_to(y=max(0, row - CONTEXT), animate=False, force=True)


def coloured(text: str) -> list[tuple[str, str]]:
    """A line of YAML as spans: a key, a comment and the rest in styles of their own."""
    bare = text.lstrip(" -")
    if bare.startswith("#"):
        return [(text, "comment")]
    key, colon, rest = bare.partition(":")
    if not colon or not key or key[0] in "'\"{[" or " #" in key or (rest and rest[0] != " "):
        return [(text, "")]
    return [(text[: len(text) - len(bare)], ""), (key, "key"), (colon, "muted"), (rest, "")]
