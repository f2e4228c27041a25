"""Quotes and expansions of the shell's language: what one word can contain.

Bash is followed where it and the POSIX shell read the same text differently, since a job's shell is bash where there is
one. ``shell_commands`` builds the grammar of commands on top.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engines.jobs.shell_places import MARK, Edit, Findings, Need, Piece, Place, Site, Word
from store.errors import UsageError

BLANKS = " \t\n"
DEEPEST = 50

_SIMPLE = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])?")
_PARAMETER = re.compile(r"[#!]?(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*])|[#?$!-]")
_VALUE_OPERATOR = re.compile(r":?[-=?+]")
_PLAIN_REST = re.compile(r"[^'\\]*'")

_NAME_REFUSAL = "a variable's name inside ${...} can't come from an expression"


class Quoting(ABC):
    """A position in a script, and the steps over quotes and expansions. Every step notes the marks that it passes."""

    def __init__(self, text: str, origins: Sequence[int], findings: Findings, *, backticks: int, depth: int) -> None:
        self.text = text
        self.end = len(text)
        self.position = 0
        self.findings = findings
        self.need: Need | None = None
        self.backticks = backticks
        self.depth = depth
        self._origins = origins

    @abstractmethod
    def substitution(self) -> None:
        """Step over the commands of ``$(...)`` and the closing parenthesis."""

    @abstractmethod
    def inner_script(self, text: str, origins: Sequence[int]) -> None:
        """Scan what stood between backticks as a script of its own."""

    # Small steps

    def peek(self, ahead: int = 0) -> str:
        """The character there, empty at the end."""
        return self.text[self.position + ahead : self.position + ahead + 1] if self.position + ahead < self.end else ""

    def at(self, prefix: str) -> bool:
        return self.text.startswith(prefix, self.position, self.end)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.text, self.position, self.end)

    def take(self, pattern: re.Pattern[str]) -> str:
        """Step over what matches here."""
        found = self.match(pattern)
        if found is None:
            return ""
        self.position = found.end()
        return found.group()

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper; a script that nests without end must not end the scan with a RecursionError."""
        if self.depth >= DEEPEST:
            raise UsageError(
                f"the command nests substitutions or compound commands more than {DEEPEST} levels deep",
                hint="Move the script into a file of the job's code folder and call it.",
            )
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    @contextmanager
    def needing(self, need: Need | None) -> Iterator[None]:
        """What the shell evaluates from here on; ``None`` where a fresh command begins."""
        before, self.need = self.need, need
        try:
            yield
        finally:
            self.need = before

    # Notes

    def offset(self, position: int) -> int:
        """Where that stands in the text that the whole scan began with."""
        return self._origins[position]

    def edit(self, start: int, end: int, text: str) -> None:
        self.findings.edits.append(Edit(self._origins[start], self._origins[end], text, self.backticks))

    def site(self, place: Place, word: Word | None = None, refusal: str | None = None) -> None:
        """Note the mark that stands here and step over it."""
        start, end = self._origins[self.position], self._origins[self.position + 1]
        site = Site(start, end, place, self.backticks, self.need, refusal, word if place is Place.BARE else None)
        self.findings.sites.append(site)
        if word is not None:
            word.pieces.append(site)
        self.position += 1

    # Parts of a word

    def piece(self, place: Place, word: Word | None = None) -> None:
        """Step over one character, or one quoted or expanded part, of a word."""
        char = self.text[self.position]
        if char == MARK:
            self.site(place, word)
            return
        if self.at("\\\n"):
            self.position += 2
            return
        if word is not None:
            word.pieces.append(self._kind(char))
        if char == "\\":
            self._escape(place)
        elif char == "$":
            self._dollar(place)
        elif char == "`":
            self._backquoted(place)
        elif char == "'" and place is not Place.QUOTED:
            self._single_quoted()
        elif char == '"':
            self._double_quoted()
        else:
            self.position += 1

    def _kind(self, char: str) -> Piece:
        if char in "'\"" or self.at("$'"):
            return Piece.QUOTED
        return Piece.EXPANSION if char == "`" or (char == "$" and self.peek(1) != MARK) else Piece.TEXT

    def _escape(self, place: Place) -> None:
        if self.peek(1) == MARK:
            # What would be quoted by the backslash is data already. Between double quotes it is a character.
            self.edit(self.position, self.position + 1, "\\\\" if place is Place.QUOTED else "")
            self.position += 1
        else:
            self.position = min(self.position + 2, self.end)

    def _single_quoted(self) -> None:
        self.position += 1
        while self.position < self.end and self.peek() != "'":
            if self.peek() == MARK:
                self.site(Place.SINGLE)
            else:
                self.position += 1
        self.position += 1

    def _ansi_quoted(self) -> None:
        self.position += 2
        while self.position < self.end and self.peek() != "'":
            if self.peek() == MARK:
                # Without backslashes in the rest, plain quotes do, which the POSIX shell knows as well.
                rest = _PLAIN_REST.match(self.text, self.position + 1, self.end)
                self.site(Place.SINGLE if rest else Place.ANSI)
            elif self.at("\\" + MARK):
                self.edit(self.position, self.position + 1, "\\\\")
                self.position += 1
            else:
                self.position += 2 if self.peek() == "\\" else 1
        self.position = min(self.position + 1, self.end)

    def _double_quoted(self) -> None:
        self.position += 1
        while self.position < self.end and self.peek() != '"':
            self.piece(Place.QUOTED)
        self.position += 1

    def _backquoted(self, place: Place) -> None:
        escapable = "`\\$" + ('"' if place is Place.QUOTED else "")
        self.position += 1
        characters: list[str] = []
        origins: list[int] = []
        while self.position < self.end and self.peek() != "`":
            origins.append(self._origins[self.position])
            if self.peek() == "\\" and self.peek(1) and self.peek(1) in escapable:
                self.position += 1
            characters.append(self.peek())
            self.position += 1
        origins.append(self._origins[self.position])
        self.position = min(self.position + 1, self.end)
        with self.nested():
            self.inner_script("".join(characters), origins)

    # What a dollar begins

    def _dollar(self, place: Place) -> None:
        following = self.peek(1)
        if following == MARK:
            # Together with what replaces the mark it would read as `$"` or `$$`.
            self.edit(self.position, self.position + 1, "\\$")
            self.position += 1
        elif following == "{":
            self._braced(place)
        elif following == "(":
            self.position += 1
            if not self.arithmetic_parentheses():
                self.position += 1
                self.substitution()
        elif following == "[":
            self.position += 2
            self.arithmetic("]")
        elif following == "'" and place is not Place.QUOTED:
            self._ansi_quoted()
        else:
            self.take(_SIMPLE)

    def _braced(self, place: Place) -> None:
        self.position += 2
        with self.nested():
            named = bool(self.take(_PARAMETER))
            if named and self.peek() == "[":
                self.position += 1
                self.arithmetic("]")
            while self.peek() == MARK:
                self.site(Place.QUOTED, refusal=_NAME_REFUSAL)
            if not named or self.take(_VALUE_OPERATOR):
                self._body(place)
            elif self.peek() == ":":
                self.position += 1
                self.arithmetic("}")
            else:
                # A pattern is quoted apart from the quotes around the whole, or `*` of a value would match.
                self._body(Place.WHOLE)

    def _body(self, place: Place) -> None:
        word = Word(in_braces=True) if place is Place.BARE else None
        while self.position < self.end and self.peek() != "}":
            if word is not None and self.peek() in BLANKS:
                word.pieces.append(Piece.GAP)
                self.position += 1
            else:
                self.piece(place, word)
        self.position += 1

    # Arithmetic

    def arithmetic_parentheses(self) -> bool:
        """Step over ``((...))`` if what begins here is that, and not a subshell inside another."""
        key = (self.backticks, self._origins[self.position])
        if not self.at("((") or key in self.findings.not_arithmetic:
            return False
        start, sites, edits = self.position, len(self.findings.sites), len(self.findings.edits)
        self.position += 2
        if self.arithmetic("))"):
            return True
        self.position = start
        del self.findings.sites[sites:], self.findings.edits[edits:]
        self.findings.not_arithmetic.add(key)
        return False

    def arithmetic(self, closer: str) -> bool:
        """Step over an arithmetic expression and its closer; whether it was there."""
        opening = {"))": "(", "]": "[", "}": "{"}[closer]
        open_brackets = 0
        with self.needing(Need.NUMBER), self.nested():
            while self.position < self.end:
                char = self.peek()
                if char == closer[0] and not open_brackets:
                    found = self.at(closer)
                    self.position += len(closer) if found else 1
                    return found
                open_brackets += (char == opening) - (char == closer[0])
                if char == "'":
                    self._single_quoted()
                else:
                    self.piece(Place.QUOTED)
        return False
