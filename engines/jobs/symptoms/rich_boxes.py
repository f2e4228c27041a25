"""Tracebacks that the ``rich`` package draws in boxes, rewritten as Python would have printed them.

Every box becomes as many lines as it had, so that a line's place in the log stays what it was. Boxes of characters
and of plain ASCII are read, at any width, with the variables of each frame passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TITLE = "Traceback (most recent call last)"
HEADER = re.compile(rf"^(?P<prefix>.*?)(?P<top>[╭┌+][─-]+ {re.escape(TITLE)} [─-]+[╮┐+])$")
TOP = re.compile(r"^[╭┌+][─-]{4,}[╮┐+]$")
BOTTOM = re.compile(r"^[╰└+][─-]{4,}[╯┘+]$")
MEMBER = re.compile(r"^[╭┌+][─-]+ Sub-exception #\d+ [─-]+[╮┐+]$")
SIDE = re.compile(r"^[│|] (?P<inside>.*) [│|]$")
CUT_OFF = re.compile(r"^│ .* │$")
"""A box whose top lies before the part of the log that was read: only one of characters is known for certain."""
PLACE = re.compile(r"^ ?(?P<file>\S.*):(?P<line>\d{1,9})(?: in (?P<function>\S.*))?$")
UNNAMED = re.compile(r"^in (?P<function>\S.*):(?P<line>\d{1,9})$")
CODE = re.compile(r"^(?:❱|\\u2771|>) *\d+ [│| ]*(?P<code>.*)$")
DRAWN = " │|╭╰┌└+❱>\\"
"""What begins a line of source or of variables, and never the place of a frame."""
PADDING = "    ^"
MESSAGE_LINES = 20


def unboxed(lines: Sequence[str]) -> Sequence[str]:
    """The lines with each box rewritten; a box that is not whole is left as it is."""
    starts = [index for index, line in enumerate(lines) if TITLE in line and HEADER.match(line)]
    if lines and CUT_OFF.match(lines[0]):
        starts.insert(0, 0)
    if not starts:
        return lines
    plain = list(lines)
    for start in starts:
        rewrite(plain, start)
    return plain


def rewrite(lines: list[str], start: int) -> None:
    """Put a plain traceback in the place of the box that begins at a line, and of the exception below it."""
    header = HEADER.match(lines[start])
    before = header["prefix"] if header else ""
    following = lines[start + 1] if start + 1 < len(lines) else ""
    prefix = before if following.startswith(before) else ""
    inside, end = box(lines, start + bool(header), prefix)
    if end is None:
        return
    frames = plain_frames(inside)
    if end < len(lines) and TOP.match(lines[end].removeprefix(prefix)):  # the place of a syntax error
        inside, after = box(lines, end + 1, prefix)
        frames, end = [*frames, *syntax_place(inside)], after or end
    width = len(header["top"]) if header else len(lines[start])
    raised, end = unwrapped(lines, end, prefix, width)
    plain = [f"{before}{TITLE}:", *(prefix + line for line in frames)]
    room = end - start - len(plain) - 1
    if raised is not None and room >= 0:
        lines[start:end] = [*plain, *[prefix + PADDING] * room, prefix + raised]


def box(lines: Sequence[str], start: int, prefix: str) -> tuple[list[str], int | None]:
    """What stands inside a box, and the line after it; None for a box without an end."""
    inside: list[str] = []
    for index in range(start, len(lines)):
        line = lines[index].removeprefix(prefix)
        if side := SIDE.match(line):
            inside.append(side["inside"])
        else:
            return inside, index + 1 if BOTTOM.match(line) else None
    return inside, None


def plain_frames(inside: Sequence[str]) -> list[str]:
    """The frames as Python prints them; a place that was broken into lines is put together again."""
    found: list[str] = []
    place = ""
    for line in inside:
        text = line.rstrip()
        if code := CODE.match(text):
            if text != line and found and found[-1].startswith("  File "):  # else it was cut off: the file has it whole
                found.append(f"    {code['code']}")
        elif not text or text[0] in DRAWN:
            place = ""
        else:
            place += joined(line, len(line))
            if frame := frame_line(place.strip()):
                found.append(frame)
                place = ""
    return found


def frame_line(place: str) -> str | None:
    """The line that Python prints for a frame; None where the place is not whole."""
    if unnamed := UNNAMED.match(place):
        return f'  File "<input>", line {unnamed["line"]}, in {unnamed["function"]}'
    found = PLACE.match(place)
    if found is None or found["function"] is None:
        return None
    return f'  File "{found["file"]}", line {found["line"]}, in {found["function"]}'


def syntax_place(inside: Sequence[str]) -> list[str]:
    """File, line and source of a syntax error."""
    place = ""
    for index, line in enumerate(inside):
        place += joined(line, len(line))
        if found := PLACE.match(place.strip()):
            source = [f"    {each.strip()}" for each in inside[index + 1 : index + 2]]
            return [f'  File "{found["file"]}", line {found["line"]}', *source]
    return []


def unwrapped(lines: Sequence[str], index: int, prefix: str, width: int) -> tuple[str | None, int]:
    """The exception below a box, in one line where it was broken to fit, and the index of the line after it."""
    if index >= len(lines) or not lines[index].startswith(prefix):
        return None, index
    whole, last = "", lines[index].removeprefix(prefix)
    index += 1
    for line in lines[index : index + MESSAGE_LINES]:
        text = line.removeprefix(prefix)
        word = text.split(" ", 1)[0]
        if not word or len(last) > width or len(last) + 1 + len(word) <= width or is_member(text):
            break
        whole += joined(last, width)
        last, index = text, index + 1
    return whole + last or None, index


def joined(line: str, width: int) -> str:
    """A line as the next one follows it: at once where it ends in the middle of a word that was longer than a line."""
    text = line.rstrip()
    return text if len(text) == width and " " not in text.strip() else f"{text} "


def is_member(line: str) -> bool:
    """Whether a line begins the box of an exception of a group."""
    return MEMBER.match(line) is not None


def members(lines: Sequence[str], index: int) -> tuple[list[list[str]], int]:
    """What stands in the boxes of a group's exceptions from a line on, and the line after them."""
    found: list[list[str]] = []
    while index < len(lines):
        if not lines[index].strip():
            index += 1
            continue
        inside, end = box(lines, index + 1, "") if is_member(lines[index]) else ([], None)
        if end is None:
            break
        found.append([line.rstrip() for line in inside])
        index = end
    return found, index
