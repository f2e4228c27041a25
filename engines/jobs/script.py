"""A job's command as a shell script that never contains a value.

Each expression becomes a reference to environment variables, written for the place where it stands, so the shell's
parser never meets a value: nothing in it is run, expanded, taken for a quote or matched against file names.

- Outside quotes a literal is split at blanks (space, tab, line end) here, not by the shell: one variable a word, none
  for a blank value; text around it sticks to the first and the last word. A path is always one word. The user's own
  file name patterns go on working, which ``set -f`` would have prevented.
- Where the shell itself does not split (assignment, redirection, here-string, ``case``, ``[[ ]]``), nothing is split.
- The body of a here-document with a quoted delimiter is made one that is expanded, everything else in it escaped.
- What the shell evaluates as arithmetic would run code hidden in a value (``a[$(rm x)]``): only whole numbers may stand
  in ``$(( ))``, ``(( ))``, ``$[ ]``, ``let``, an array's index, ``${v:offset:length}``, an assignment to a variable
  declared integer, or beside ``-eq`` and its like in ``[[ ]]``.
- ``$`` or a backslash right before an expression is a character of its own and does not touch the value.
- An expression without a value, other than an input, stays as it is written. In single quotes and quoted
  here-documents it is text; elsewhere the shell refuses it when it gets there ("bad substitution"), as on Azure.
- An optional input without a value takes its ``$[[ ]]`` group along; outside of one it is empty.

The promise covers the script itself. What a program, ``eval``, ``unset``, ``read``, ``test -v`` or ``printf -v`` does
with an argument, and arithmetic over a command's output or over a variable that the script gave a value, is the
script's own doing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engines.jobs.shell_commands import survey
from engines.jobs.shell_places import MARK, Edit, Need, Piece, Place, Site
from engines.jobs.variable_names import VariableNames
from store.errors import UsageError
from store.specs.expressions import Group, Literal, Reference, parse_command

# MAX_ARG_STRLEN of execve(2): one argument, or one variable with its name, "=" and the closing NUL.
LONGEST_STRING = 128 * 1024

_BLANKS = " \t\n"
_NUMBER = re.compile(r"[ \t\n]*(?:[-+]?(?:0[xX][0-9A-Fa-f]+|[0-9]+))?[ \t\n]*\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression stands for; a path is one word whatever it contains."""

    text: str
    is_path: bool = False

    @property
    def words(self) -> list[str]:
        return [self.text] if self.is_path else re.findall(r"[^ \t\n]+", self.text)


@dataclass(frozen=True, slots=True)
class Script:
    """What the shell is given: the text, and the variables that have to be in its environment."""

    text: str
    variables: dict[str, str]


def literal_text(value: str | bool | int | float) -> str:
    """A literal as the dialect writes it into a command: ``true`` is ``True``, ``1.0`` is ``1.0``, ``5`` is ``5``."""
    return str(value)


def render(command: str, values: Mapping[str, Value]) -> Script:
    """Turn a command into a script; keys of ``values`` are ``inputs.x``, ``outputs.y``, ``search_space.z``, ``name``.

    Raises UsageError for a value that no environment can hold, or that may not stand where the command puts it.
    """
    if MARK in command:
        raise UsageError("the command contains a NUL character, which no shell can be given")
    return _Renderer(values).render(command)


class _Renderer:
    def __init__(self, values: Mapping[str, Value]) -> None:
        self._given = frozenset(values)
        self._values = dict(values)
        self._names = VariableNames(values)
        self._variables: dict[str, str] = {}
        for key, value in values.items():
            self._set(self._names.whole(key), key, value.text)

    def render(self, command: str) -> Script:
        text, keys = self._marked(command)
        vanishing = frozenset(offset for offset, key in keys.items() if not self._values[key].words)
        findings = survey(text, vanishing)
        edits = list(findings.edits)
        for site in findings.sites:
            key = keys[site.start]
            self._check(site, key)
            edits.append(Edit(site.start, site.end, self._reference(site, key, keys), site.backticks))
        script = _apply(text, edits)
        if len(_encoded(script, "the command")) >= LONGEST_STRING:
            raise UsageError(
                f"the command is longer than {LONGEST_STRING // 1024} KiB, the most that a shell can be given",
                hint="Put the script, or the long value, into a file of the job's code folder.",
            )
        return Script(script, self._variables)

    # From the command to text with marks

    def _marked(self, command: str) -> tuple[str, dict[int, str]]:
        """The command with its groups resolved and a mark for each expression, and whose mark stands where."""
        keys: dict[int, str] = {}
        parts: list[str] = []
        length = 0
        for segment in self._without_groups(command):
            text = segment.text
            if isinstance(segment, Reference) and self._has_value(segment):
                keys[length] = segment.key
                text = MARK
            parts.append(text)
            length += len(text)
        return "".join(parts), keys

    def _without_groups(self, command: str) -> Iterator[Literal | Reference]:
        for segment in parse_command(command):
            if not isinstance(segment, Group):
                yield segment
            elif not any(self._is_missing(inside) for inside in segment.segments):
                yield from segment.segments

    def _is_missing(self, segment: Literal | Reference) -> bool:
        return isinstance(segment, Reference) and segment.kind == "inputs" and segment.key not in self._given

    def _has_value(self, reference: Reference) -> bool:
        """Whether something takes the expression's place; for an input that is missing, nothing does."""
        if self._is_missing(reference):
            self._values[reference.key] = Value("")
            self._names.add(reference.key)
            self._set(self._names.whole(reference.key), reference.key, "")
        return reference.key in self._values

    # From a place to what is written there

    def _check(self, site: Site, key: str) -> None:
        shown = f"${{{{{key}}}}}"
        text = self._values[key].text
        if site.refusal:
            raise UsageError(f"{shown}: {site.refusal}")
        if site.need is Need.NUMBER and not _NUMBER.match(text):
            raise UsageError(
                f"{shown} stands in shell arithmetic, where only a whole number may stand, and is {_shortened(text)}: "
                "the shell would evaluate it as an expression, and run commands that are in it",
                hint="Compute with the value inside a program, or compare it as text.",
            )
        if site.need is Need.NAME and not _NAME.match(text):
            raise UsageError(
                f"{shown} stands where the shell expects a variable's name, and is {_shortened(text)}: "
                "the shell would evaluate an index in it, and run commands that are in that",
            )

    def _reference(self, site: Site, key: str, keys: Mapping[int, str]) -> str:
        whole = f"${{{self._names.whole(key)}}}"
        if site.place is Place.BARE:
            return self._split(site, key, keys)
        return {
            Place.WHOLE: f'"{whole}"',
            Place.QUOTED: whole,
            Place.SINGLE: f"'\"{whole}\"'",
            Place.ANSI: f"'\"{whole}\"$'",
        }[site.place]

    def _split(self, site: Site, key: str, keys: Mapping[int, str]) -> str:
        """The value's words. ``""`` keeps text beside a gap from becoming a comment, reserved word or assignment."""
        value = self._values[key]
        if value.is_path or value.words == [value.text]:
            return f'"${{{self._names.whole(key)}}}"'
        before, after = (self._neighbour(site, keys, step) for step in (-1, 1))
        guard_before, guard_after = ('""' if piece is Piece.TEXT else "" for piece in (before, after))
        if not value.text:
            alone = before is None and after is None and site.word is not None and not site.word.in_braces
            return guard_before or guard_after or (" " if alone else "")
        references = []
        for number, word in enumerate(value.words, start=1):
            name = self._names.word(key, number)
            self._set(name, key, word)
            references.append(f'"${{{name}}}"')
        script = " ".join(references)
        if value.text[0] in _BLANKS:
            script = f"{guard_before} {script}"
        if value.text[-1] in _BLANKS:
            script = f"{script} {guard_after}"
        return script

    def _neighbour(self, site: Site, keys: Mapping[int, str], step: int) -> Piece | Site | None:
        """What stands directly before (-1) or after (1) the site in the same word; empty values do not count."""
        pieces = site.word.pieces if site.word else []
        index = pieces.index(site) + step
        while 0 <= index < len(pieces):
            piece = pieces[index]
            if isinstance(piece, Piece):
                return None if piece is Piece.GAP else piece
            value = self._values[keys[piece.start]]
            if value.is_path or value.text:
                blank = not value.is_path and value.text[-1 if step < 0 else 0] in _BLANKS
                return None if blank else piece
            index += step
        return None

    def _set(self, name: str, key: str, text: str) -> None:
        if MARK in text:
            raise UsageError(f"the value of {key} contains a NUL character, which no program can be given")
        if len(_encoded(text, f"the value of {key}")) + len(name) + 2 > LONGEST_STRING:
            raise UsageError(
                f"the value of {key} is longer than {LONGEST_STRING // 1024} KiB, the most that a program can be given",
                hint="Put it into a file and make the input a uri_file.",
            )
        self._variables[name] = text


def _encoded(text: str, what: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} contains a character that is no text: {error.reason}") from error


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _apply(text: str, edits: Iterable[Edit]) -> str:
    parts = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[position : edit.start], edit.escaped()]
        position = edit.end
    return "".join([*parts, text[position:]])
