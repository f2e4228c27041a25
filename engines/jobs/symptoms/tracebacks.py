"""Python tracebacks in a log: the last exception raised, what caused it, and its frames.

Reads what Python 3.8 and newer print, with chained exceptions, exception groups, syntax errors, and the prefixes that
launchers put before each line (``[rank0]: ``); and the boxes of ``rich``. A line of the source is kept where the
interpreter printed one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from engines.jobs.symptoms import rich_boxes

HEADER = re.compile(r"^(?P<prefix>.*?)(?:Exception Group )?Traceback \(most recent call last\):\s*$")
FRAME = re.compile(r'^ {2,}File "(?P<file>.*)", line (?P<line>\d{1,9})(?:, in (?P<function>.*))?$')
FATAL = re.compile(r"^(?:Fatal Python error: |(?:Current thread|Thread) 0x[0-9a-f]+ .*\(most recent call first\):)")
FATAL_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d{1,9}) in (?P<function>.*)$')
RAISED = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(?:\.<locals>\.[\w.]+)*)(?:: ?(?P<message>.*))?$")
MARKERS = re.compile(r"^[\^~ -]*$")
DIVIDER = re.compile(r"^(?P<indent> *)\+(?:-\+)?-{2,} (?:\d+|\.\.\.) -{2,}$")
GROUP_LINE = re.compile(r"^ *[|+] ?")
DIRECT = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"
LINKS = ("The above exception was the direct cause", "During handling of the above exception,")
"""The beginnings of both, as far as they stand on one line everywhere."""
SYNTAX_LINES = 8
"""A syntax error without a traceback above it ends within so many lines."""
SYNTAX = ("SyntaxError", "IndentationError", "TabError")
QUOTES = '"""'
"""Around the traceback that a worker process sent."""
MESSAGE_LINES = 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One call in a traceback; ``function`` is None for the place of a syntax error."""

    file: str
    line: int
    function: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as it was printed; ``line`` is the index of the line that names it, ``end`` of the one after it."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    cause: Raised | None = None
    direct: bool = False
    """Raised ``from`` its cause; otherwise while that was being handled."""
    members: tuple[Raised, ...] = ()
    line: int = 0
    end: int = 0

    @property
    def name(self) -> str:
        """The type without its module."""
        return self.type.rpartition(".")[2]

    def causes(self) -> Iterator[Raised]:
        """This exception, its members when it is a group, and what it was raised from; the last raised first."""
        yield self
        for member in self.members:
            yield from member.causes()
        if self.cause is not None and self.direct:
            yield from self.cause.causes()


def find(lines: Sequence[str]) -> Raised | None:
    """The last exception that was printed, None when there is none."""
    last: Raised | None = None
    lines, index = rich_boxes.unboxed(lines), 0
    while index < len(lines):
        parsed = parse_at(lines, index)
        if parsed is None:
            index += 1
            continue
        if last is not None and (link := linked(lines, last.end, index)) is not None:
            parsed = replace(parsed, cause=last, direct=link)
        last, index = parsed, max(parsed.end, index + 1)
    return last


def linked(lines: Sequence[str], start: int, end: int) -> bool | None:
    """Whether what is printed between two exceptions chains them: True ``from``, False while handling, None not."""
    between = [bare(line) for line in lines[max(start - 1, 0) : end]]
    if len(between) > 6:
        return None
    said = " ".join(between)  # a narrow box has it on two lines
    return True if DIRECT in said else False if CONTEXT in said else None


def bare(line: str) -> str:
    """A line without what an exception group draws before it."""
    return GROUP_LINE.sub("", line).strip()


def parse_at(lines: Sequence[str], index: int) -> Raised | None:
    """The exception whose traceback begins at a line."""
    line = lines[index]
    if "Traceback" in line and (header := HEADER.match(line)):
        return parse_block(lines, index + 1, body_prefix(header["prefix"], lines, index + 1))
    soon = lines[index + 1 : index + SYNTAX_LINES]
    if line.startswith("  File ") and FRAME.match(line) and any(each.startswith(SYNTAX) for each in soon):
        parsed = parse_block(lines, index, "")
        return parsed if parsed and parsed.name in SYNTAX else None
    return None


def body_prefix(prefix: str, lines: Sequence[str], index: int) -> str:
    """What stands before each line below a header: the same as before the header, unless only that line has it."""
    if prefix.strip() == "+":
        prefix = prefix.replace("+", "|")
    following = lines[index] if index < len(lines) else ""
    return prefix if following.startswith(prefix) else ""


def without(line: str, prefix: str) -> str | None:
    """The line behind its prefix, None when it does not have it."""
    if line.startswith(prefix):
        return line[len(prefix) :]
    return "" if line == prefix.rstrip() else None


def parse_block(lines: Sequence[str], index: int, prefix: str) -> Raised | None:
    """Frames, then the line that names the exception, then the rest of its message."""
    frames: list[Frame] = []
    while index < len(lines):
        text = without(lines[index], prefix)
        if text is None or not text.strip():
            return None
        if not text.startswith("  "):
            return parse_end(lines, index, prefix, frames)
        if found := FRAME.match(text):
            frames.append(Frame(found["file"], int(found["line"]), found["function"], source(lines, index, prefix)))
        index += 1
    return None


def source(lines: Sequence[str], index: int, prefix: str) -> str | None:
    """The line of source printed below a frame."""
    text = without(lines[index + 1], prefix) if index + 1 < len(lines) else None
    if text is None or not text.startswith("    ") or MARKERS.match(text):
        return None
    return text.strip()


def parse_end(lines: Sequence[str], index: int, prefix: str, frames: list[Frame]) -> Raised | None:
    """The exception itself, from the line that names it."""
    found = RAISED.match(without(lines[index], prefix) or "")
    if found is None:
        return None
    message, named = [found["message"] or ""], index
    index += 1
    while index < len(lines) and len(message) < MESSAGE_LINES and continues(lines, index, prefix):
        message.append(without(lines[index], prefix) or "")
        index += 1
    members, index = parse_members(lines, index)
    text = "\n".join(message).rstrip()
    return Raised(found["type"], text, tuple(frames), members=members, line=named, end=index)


def continues(lines: Sequence[str], index: int, prefix: str) -> bool:
    """Whether a line still belongs to the message above it."""
    text = without(lines[index], prefix)
    if (
        text is None
        or text == QUOTES
        or HEADER.match(lines[index])
        or DIVIDER.match(lines[index])
        or begins_another(text)
    ):
        return False
    return bool(text.strip()) or not any(begins_another(line) for line in lines[index : index + 2])


def begins_another(line: str) -> bool:
    """Whether a line leads to the next exception: one of a chain, or of a group that is drawn in boxes."""
    return any(words in line for words in LINKS) or rich_boxes.is_member(line)


def parse_members(lines: Sequence[str], index: int) -> tuple[tuple[Raised, ...], int]:
    """The exceptions of a group, drawn below it between dividers or in boxes."""
    boxes, after = rich_boxes.members(lines, index)
    if boxes:
        return tuple(member for inside in boxes for member in parse_member(inside)), after
    divider = DIVIDER.match(lines[index]) if index < len(lines) else None
    if divider is None:
        return (), index
    column = lines[index].rindex("+")
    members: list[Raised] = []
    chunk: list[str] = []
    for position in range(index + 1, len(lines)):
        line = lines[position]
        ends = line[:column].strip() == "" and line[column : column + 5] == "+----"
        if not ends and line[column : column + 1] in ("|", "+", "", " "):
            chunk.append(line)
            continue
        members.extend(parse_member(chunk))
        chunk = []
        if not (ends and DIVIDER.match(line)):
            return tuple(members), position + ends
    return (*members, *parse_member(chunk)), len(lines)


def parse_member(chunk: Sequence[str]) -> Iterator[Raised]:
    """One exception of a group: with a traceback, or its last line alone."""
    if found := find(chunk):
        yield found
    elif chunk and (alone := parse_end([GROUP_LINE.sub("", line) for line in chunk], 0, "", [])):
        yield alone


def fatal_frames(lines: Sequence[str]) -> tuple[Frame, ...]:
    """The frames that ``faulthandler`` printed for the thread that crashed, outermost first."""
    frames: list[Frame] = []
    for line in lines:
        if FATAL.match(line) and (line.startswith("Fatal") or not line.startswith("Thread") or not frames):
            frames = []
        elif found := FATAL_FRAME.match(line):
            frames.append(Frame(found["file"], int(found["line"]), found["function"]))
    return tuple(reversed(frames))


def is_library(file: str) -> bool:
    """Whether a file belongs to Python or an installed package.

    Compiled packages name their sources as they lay where they were built: ``numpy/random/mtrand.pyx``.
    """
    if file.endswith((".pyx", ".pxi", ".pxd")) and not file.startswith("/"):
        return True
    return any(part in file for part in ("/site-packages/", "/dist-packages/", "/lib/python3", "<frozen "))


def users_frame(frames: Sequence[Frame], is_own: Iterable[bool]) -> Frame | None:
    """The user's own last frame: the deepest in the job's code, else in other code that no package brought."""
    own = [frame for frame, mine in zip(frames, is_own, strict=True) if mine and not is_library(frame.file)]
    if own:
        return own[-1]
    loose = [frame for frame in frames if not frame.file.startswith("<") and not is_library(frame.file)]
    if loose:
        return loose[-1]
    if frames and frames[0].file.startswith("<") and not is_library(frames[0].file):
        return [frame for frame in frames if frame.file == frames[0].file][-1]
    return frames[-1] if frames else None
