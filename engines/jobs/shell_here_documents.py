"""Here-documents: what follows ``<<`` is read when its line ends, after everything else on that line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engines.jobs.shell_places import MARK, Findings, Place
from engines.jobs.shell_quoting import Quoting

_PLAIN_DELIMITER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_QUOTING = re.compile(r"\$(?=['\"])|\\(.)|'([^']*)'|\"((?:\\.|[^\"\\])*)\"", re.DOTALL)
_REFUSAL = "the delimiter of a here-document can't come from an expression"


@dataclass(frozen=True, slots=True)
class _Document:
    """A here-document whose body is still to come; ``start`` and ``end`` are those of the delimiter as written."""

    start: int
    end: int
    delimiter: str
    quoted: bool
    strip_tabs: bool


class HereDocuments(Quoting):
    """Steps over line ends, and with them over the here-documents that begin there."""

    def __init__(self, text: str, origins: Sequence[int], findings: Findings, *, backticks: int, depth: int) -> None:
        super().__init__(text, origins, findings, backticks=backticks, depth=depth)
        self.pending: list[_Document] = []

    def expect_document(self, start: int, *, strip_tabs: bool) -> None:
        """Note the here-document whose delimiter stands from ``start`` to here."""
        written = self.text[start : self.position]
        if MARK in written:
            for site in self.findings.sites:
                if self.offset(start) <= site.start < self.offset(self.position):
                    site.refusal = _REFUSAL
        written = written.replace("\\\n", "")
        delimiter = _QUOTING.sub(_unquoted, written)
        self.pending.append(_Document(start, self.position, delimiter, delimiter != written, strip_tabs))

    def newline(self) -> None:
        """Step over a line's end and the here-documents that wait for it."""
        self.position += 1
        pending, self.pending = self.pending, []
        for document in pending:
            end, following = self._find_end(document)
            if document.quoted:
                self._literal_body(document, end, following)
            else:
                self._expanded_body(end)
            self.position = following

    def _find_end(self, document: _Document) -> tuple[int, int]:
        """Where the body ends, and where the line after the delimiter's begins."""
        start = self.position
        while start < self.end:
            found = self.text.find("\n", start, self.end)
            # A line's end behind a backslash is none, unless the delimiter is quoted.
            while not document.quoted and found > 0 and self._escaped(start, found):
                found = self.text.find("\n", found + 1, self.end)
            stop = found if found >= 0 else self.end
            line = self.text[start:stop] if document.quoted else self.text[start:stop].replace("\\\n", "")
            if (line.lstrip("\t") if document.strip_tabs else line) == document.delimiter:
                return start, min(stop + 1, self.end)
            start = stop + 1
        return self.end, self.end

    def _escaped(self, start: int, newline: int) -> bool:
        before = self.text[start:newline]
        return (len(before) - len(before.rstrip("\\"))) % 2 == 1

    def _expanded_body(self, end: int) -> None:
        outer, self.end = self.end, end
        with self.needing(None):
            while self.position < self.end:
                if self.peek() == '"':
                    self.position += 1
                else:
                    self.piece(Place.QUOTED)
        self.end = outer

    def _literal_body(self, document: _Document, end: int, following: int) -> None:
        """Make a body that the shell would not expand one where it expands our references and nothing else."""
        body = self.text[self.position : end]
        if MARK not in body:
            return
        delimiter = document.delimiter
        if not _PLAIN_DELIMITER.match(delimiter):
            lines = {line.lstrip("\t") for line in body.split("\n")}
            delimiter = "AZURE_ML_END"
            while delimiter in lines:
                delimiter += "_"
        self.edit(document.start, document.end, delimiter)
        while self.position < end:
            char = self.peek()
            if char == MARK:
                self.site(Place.QUOTED)
                continue
            if char in "\\$`":
                self.edit(self.position, self.position + 1, "\\" + char)
            self.position += 1
        if delimiter != document.delimiter and end < self.end:
            tail = self.text[end:following]
            name_start = end + (len(tail) - len(tail.lstrip("\t")) if document.strip_tabs else 0)
            self.edit(name_start, name_start + len(document.delimiter), delimiter)


def _unquoted(match: re.Match[str]) -> str:
    escaped, single, double = match.groups()
    if escaped is not None:
        return str(escaped)
    if single is not None:
        return str(single)
    return re.sub(r"\\([\\$`\"])", r"\1", double) if double is not None else ""
