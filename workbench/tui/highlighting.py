"""YAML and JSON in colours, line by line, without a library that is slow to import."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench.tui.widgets.text_pane import Line, Span

YAML_KEY = re.compile(r"^(\s*(?:- +)*)((?:[^\s:#'\"\[\]{},&*!|>%@`-]|-(?! ))[^:#]*|'[^']*'|\"[^\"]*\")(:)(?=\s|$)")
COMMENT = re.compile(r"(^|\s)#.*$")
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
SCALAR = re.compile(r"^\s*(?:-?\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|true|false|null|~|\.nan|-?\.inf)\s*$")
JSON_PART = re.compile(
    r"(?P<key>\"(?:[^\"\\]|\\.)*\")(?=\s*:)|(?P<string>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<number>-?\b\d[\d.eE+-]*\b|\b(?:true|false|null|NaN|Infinity)\b)"
)


def yaml_lines(text: str) -> list[Line]:
    """YAML in styled lines; what a block holds is text, whatever it looks like."""
    lines: list[Line] = []
    block: int | None = None
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        if block is not None and (not line.strip() or indent > block):
            lines.append(list(_with_expressions(line, "string")))
            continue
        block = indent if re.search(r":\s+[|>][-+0-9]*\s*$", line) else None
        lines.append(list(_yaml_line(line)))
    return lines


def _yaml_line(line: str) -> Iterator[Span]:
    if line.lstrip().startswith("#"):
        yield line, "comment"
        return
    found = YAML_KEY.match(line)
    rest = line
    if found:
        yield found[1], ""
        yield found[2], "key"
        yield found[3], ""
        rest = line[found.end() :]
    comment = COMMENT.search(rest) if not re.search(r"['\"]", rest) else None
    value, note = (rest[: comment.start()], rest[comment.start() :]) if comment else (rest, "")
    if SCALAR.match(value):
        yield value, "number"
    else:
        yield from _with_expressions(value, "string" if found else "")
    if note:
        yield note, "comment"


def _with_expressions(text: str, style: str) -> Iterator[Span]:
    end = 0
    for found in EXPRESSION.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], style
        yield found[0], "expression"
        end = found.end()
    if end < len(text):
        yield text[end:], style


def json_lines(text: str) -> list[Line]:
    """JSON in styled lines."""
    return [list(_json_line(line)) for line in text.split("\n")]


def _json_line(line: str) -> Iterator[Span]:
    end = 0
    for found in JSON_PART.finditer(line):
        if found.start() > end:
            yield line[end : found.start()], ""
        yield found[0], found.lastgroup or ""
        end = found.end()
    if end < len(line):
        yield line[end:], ""
