"""Text broken into lines of a width in cells, with nothing in it that a terminal would obey."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

TAB = 4


def clean(text: str, *, unicode: bool = True) -> str:
    """One line without control characters: each is shown as a dot."""
    if text.isprintable():
        return text
    dot = "·" if unicode else "?"
    return "".join(each if each.isprintable() else dot for each in text.expandtabs(TAB))


def wrap(text: str, width: int, *, unicode: bool = True) -> list[str]:
    """The lines of a text, each at most ``width`` cells wide: broken at a blank where there is one."""
    width = max(1, width)
    lines: list[str] = []
    for line in text.split("\n"):
        lines += _wrap_line(clean(line.rstrip("\r"), unicode=unicode), width)
    return lines


def _wrap_line(line: str, width: int) -> list[str]:
    if cell_len(line) <= width:
        return [line.rstrip()]
    lines: list[str] = []
    rest = line
    while cell_len(rest) > width:
        part = chop_cells(rest, width)[0]
        if not part:  # a wide character in a line of one cell
            part = rest[0]
        cut = len(part)
        blank = part.rfind(" ", 1) if rest[cut : cut + 1] != " " else cut
        if blank > cut // 2:
            cut = blank
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip(" ")
    return [*lines, rest.rstrip()] if rest.strip() else lines
