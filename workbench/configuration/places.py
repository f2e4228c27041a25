"""Where the keys and values of a TOML text stand, which ``tomllib`` does not tell."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?!")|\'\'\'.*?\'\'\'(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")
_SYNTAX = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Spot:
    """Line and column of a key and of its value, from 1."""

    key: tuple[int, int]
    value: tuple[int, int]


def places(text: str) -> dict[Path, Spot]:
    """The spot of every key and element of a text that ``tomllib`` has read without complaint."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


def syntax_fault(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, int, str]:
    """Line, column and message of an error of syntax."""
    said = _SYNTAX.fullmatch(str(error))
    if said is None:
        return 1, 1, str(error)
    if said[2] is None:
        return *_spot(text, len(text)), said[1]
    return int(said[2]), int(said[3]), said[1]


def _spot(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Scanner:
    """Walks over a valid text and notes where things stand; values are skipped, not understood."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Spot] = {}
        self.counts: dict[Path, int] = {}

    def document(self) -> None:
        """Everything from the first line to the last."""
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"offset {self.at}: not TOML")
        self.at = found.end()
        return found[0]

    def _note(self, path: Path, key: int, value: int) -> None:
        self.found.setdefault(path, Spot(_spot(self.text, key), _spot(self.text, value)))

    def _header(self) -> Path:
        start = self.at
        double = self.text.startswith("[[", start)
        self.at += 2 if double else 1
        path = self._inside(self._key())
        for length in range(1, len(path)):
            self._note(path[:length], start, start)
        if double:
            self.counts[path] = self.counts.get(path, -1) + 1
            self._note(path, start, start)
            path = (*path, self.counts[path])
        self._note(path, start, start)
        self.at = self.text.index("]", self.at) + (2 if double else 1)
        return path

    def _inside(self, names: tuple[str, ...]) -> Path:
        """The path that a header means: below an array of tables, its last element."""
        path: Path = ()
        for number, name in enumerate(names):
            path = (*path, name)
            if number < len(names) - 1 and path in self.counts:
                path = (*path, self.counts[path])
        return path

    def _key(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                names.append(tomllib.loads(f"key = {self._skip(_STRING)}")["key"])
            else:
                names.append(self._skip(_BARE_KEY))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return tuple(names)
            self.at += 1

    def _pair(self, table: Path) -> None:
        start = self.at
        names = self._key()
        self.at = self.text.index("=", self.at) + 1
        self._skip(_SPACE)
        for length in range(1, len(names)):
            self._note((*table, *names[:length]), start, start)
        self._value((*table, *names), start)

    def _value(self, path: Path, key: int) -> None:
        self._note(path, key, self.at)
        match self.text[self.at]:
            case '"' | "'":
                self._skip(_STRING)
            case "[":
                self._elements(path)
            case "{":
                self._inline(path)
            case _:
                self._skip(_SCALAR)

    def _elements(self, path: Path) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._value((*path, number), self.at)
            number += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(path)
