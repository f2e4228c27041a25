"""Expressions ``${{...}}`` and optional groups ``$[[ ... ]]`` in a command, read but not yet given values.

A text that only looks like an expression is left as it is, as by Azure ML: a command may well write a template for
somebody else. What is refused is what can only be a mistake: an input that the job does not declare, an expression
that names nothing, and a slip of the pen next to a form that means something here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

EXPRESSION = re.compile(r"\$\{\{\s*(\S*?)\s*\}\}")

KINDS = ("inputs", "outputs", "search_space", "parent")
"""The words that an expression with a name begins with."""
PATH_WORDS = ("name", "default_datastore", "output_name")
"""What stands alone in an expression in the path of an output; ``name`` also in a command."""

LITERAL_HINT = "Where the text ${{ itself is meant, two quotes keep it apart: '$''{{'."
"""How a command writes what would be an expression: the shell puts together what stands apart here."""

_OLD_FORM = r"(?<![{$])\{(?:inputs|outputs|search_space)\.[^\s}]*\}(?!\})"
_TOKEN = re.compile(rf"{EXPRESSION.pattern}|({_OLD_FORM})")
_GROUP = r"(?s)\$\[\[(.*?)\]\]"
_UNFINISHED = r"\$\{\{\s*([A-Za-z_]\w*)[ \t]*(?:[.}\s]|$)"
_SINGLE_BRACE = r"\$\{(inputs|outputs|search_space)\.([^\s}]*)\}"


class Literal(NamedTuple):
    """Text that stays as it is."""

    text: str
    start: int


class Reference(NamedTuple):
    """An expression: ``${{inputs.x}}`` has kind ``inputs`` and name ``x``; ``${{name}}`` has kind ``name`` and no name.

    ``text`` is the expression as written. One whose key has no value stays in the command as that text.
    """

    kind: str
    name: str
    start: int
    text: str

    @property
    def key(self) -> str:
        """``inputs.x``, ``name``."""
        return f"{self.kind}.{self.name}" if self.name else self.kind


class Group(NamedTuple):
    """``$[[ ... ]]``: disappears as a whole if an input in it has no value; ``segments`` is what it holds."""

    segments: tuple[Literal | Reference, ...]
    start: int
    text: str


Segment = Literal | Reference | Group


def parse_command(text: str) -> list[Segment]:
    """The segments of a command; their texts together (a group's being its ``text``) are the command."""
    segments: list[Segment] = []
    at = 0
    for match in re.finditer(_GROUP, text) if "$[[" in text else ():
        inside = _plain(match[1], match.start(1))
        if not any(isinstance(segment, Reference) for segment in inside):
            continue  # $[[:alpha:]] in a pattern for grep, or $[[inputs.x]]: no expression in it, so it is text
        segments += _plain(text[at : match.start()], at)
        segments.append(Group(tuple(inside), match.start(), match[0]))
        at = match.end()
    return [*segments, *_plain(text[at:], at)]


def _plain(text: str, start: int) -> list[Literal | Reference]:
    segments: list[Literal | Reference] = []
    at = 0
    for match in _TOKEN.finditer(text):
        content = match[1] if match[1] is not None else match[2][1:-1]
        if at < match.start():
            segments.append(Literal(text[at : match.start()], start + at))
        kind, _, name = content.partition(".")
        segments.append(Reference(kind, name, start + match.start(), match[0]))
        at = match.end()
    if at < len(text):
        segments.append(Literal(text[at:], start + at))
    return segments


def references(text: str) -> Iterator[tuple[Reference, bool]]:
    """All expressions of a command, and whether each stands in an optional group."""
    for segment in parse_command(text):
        if isinstance(segment, Reference):
            yield segment, False
        elif isinstance(segment, Group):
            yield from ((inner, True) for inner in segment.segments if isinstance(inner, Reference))


def has_value(declared: object) -> bool:
    """Whether an input has a value as a document declares it: a literal, or data with a path."""
    return not isinstance(declared, Mapping) or bool(declared.keys() & {"path", "value"})


def in_variables(document: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """The expressions in a job's environment variables: variable, text, and whether it stands for a value.

    One that does not stays as it is written.
    """
    inputs = document.get("inputs") or {}
    known = {"name", *(f"inputs.{name}" for name, declared in inputs.items() if has_value(declared))}
    known.update(f"outputs.{name}" for name in document.get("outputs") or {})
    for variable, value in (document.get("environment_variables") or {}).items():
        for found in EXPRESSION.finditer(str(value)):
            yield variable, found[0], found[1] in known or found[1].startswith("secrets.")


class ExpressionFault(NamedTuple):
    """Something wrong with the expression ``text`` that begins at ``start``."""

    start: int
    text: str
    message: str
    hint: str | None = None


def command_faults(
    text: str, inputs: Collection[str], outputs: Collection[str], without_value: Collection[str] = ()
) -> list[ExpressionFault]:
    """What is wrong with a job's command, given the inputs and outputs it declares, and which inputs have no value."""
    faults = list(_malformed(text))
    for reference, optional in references(text):
        if fault := _fault_of(reference, optional, inputs, outputs, without_value):
            faults.append(fault)
    return sorted(faults, key=lambda fault: fault.start)


def _fault_of(
    reference: Reference,
    optional: bool,
    inputs: Collection[str],
    outputs: Collection[str],
    without_value: Collection[str],
) -> ExpressionFault | None:
    text, name = reference.text, reference.name
    if not reference.kind:
        forms = "${{inputs.NAME}}, ${{outputs.NAME}} or ${{name}}"
        return ExpressionFault(
            reference.start, text, f"the expression {text} names nothing", f"Write {forms}. {LITERAL_HINT}"
        )
    if reference.kind in ("inputs", "outputs") and not name:
        message = f"{text} names none of the {reference.kind}"
        return ExpressionFault(reference.start, text, message, f"Write ${{{{{reference.kind}.NAME}}}}.")
    if reference.kind == "inputs" and not optional:
        if name not in inputs:
            return ExpressionFault(
                reference.start, text, f"{name!r} is not an input of this job", _declared(name, inputs)
            )
        if name in without_value:
            hint = f"Give it a `path`, or write $[[ ... {text} ... ]] around what is to go when it has none."
            return ExpressionFault(reference.start, text, f"the input {name!r} has no value", hint)
    if reference.kind == "outputs" and name not in outputs and _near(name, outputs):
        return ExpressionFault(
            reference.start, text, f"{name!r} is not an output of this job", _declared(name, outputs)
        )
    if reference.kind == "parent":
        hint = "In the command of a job write ${{inputs.NAME}}."
        return ExpressionFault(reference.start, text, "there is no `parent` outside of a pipeline", hint)
    if reference.kind not in KINDS and name and (meant := _near(reference.kind, KINDS)):
        message = f"unknown expression {text}"
        return ExpressionFault(reference.start, text, message, f"did you mean ${{{{{meant}.{name}}}}}?")
    return None


def path_faults(text: str) -> list[ExpressionFault]:
    """What is wrong with the expressions in the path of an output."""
    faults = []
    for match in EXPRESSION.finditer(text):
        if not match[1]:
            message, hint = f"the expression {match[0]} names nothing", f"Write {_either(PATH_WORDS)}."
            faults.append(ExpressionFault(match.start(), match[0], message, hint))
        elif match[1] not in PATH_WORDS and (meant := _near(match[1], PATH_WORDS)):
            message = f"unknown expression {match[0]}"
            faults.append(ExpressionFault(match.start(), match[0], message, f"did you mean ${{{{{meant}}}}}?"))
    return faults


def _malformed(text: str) -> Iterator[ExpressionFault]:
    """Expressions that begin like one and are none: not closed, with a blank inside, or with one brace too few."""
    whole = {match.start() for match in EXPRESSION.finditer(text)}
    for match in re.finditer(_UNFINISHED, text) if text.count("${{") > len(whole) else ():
        meant = match[1] if match[1] in KINDS else _near(match[1], KINDS)
        if match.start() in whole or meant is None:
            continue
        line = text[match.start() :].split("\n", 1)[0]
        end = line.find("}}")
        if end < 0:
            hint = f"Write ${{{{{meant}.NAME}}}}."
            yield ExpressionFault(match.start(), "${{", f"the expression {_short(line)} is not closed by }}}}", hint)
        else:
            whole_text = line[: end + 2]
            hint = f"Write {_without_blanks(whole_text)}."
            yield ExpressionFault(
                match.start(), whole_text, f"a blank inside the expression {_short(whole_text)}", hint
            )
    for match in re.finditer(_SINGLE_BRACE, text) if "puts." in text or "search_space." in text else ():
        hint = f"Write ${{{{{match[1]}.{match[2]}}}}}."
        yield ExpressionFault(
            match.start(), match[0], f"{match[0]} has one pair of braces, an expression has two", hint
        )
    for match in re.finditer(r"\$\[\[", text) if "$[[" in text else ():
        rest = text[match.end() :]
        if "]]" not in rest and any(True for _ in references(rest)):
            hint = "Write $[[ ... ]] around what is optional."
            yield ExpressionFault(match.start(), "$[[", "the optional group $[[ is not closed by ]]", hint)


def _either(words: Iterable[str]) -> str:
    *others, last = (f"${{{{{word}}}}}" for word in words)
    return f"{', '.join(others)} or {last}"


def _without_blanks(expression: str) -> str:
    return re.sub(r"\s+", "", expression)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _declared(name: str, declared: Collection[str]) -> str:
    if not declared:
        return "The job declares none."
    from store.specs.nearest import nearest

    meant = nearest(name, declared) or nearest(name.partition(".")[0], declared)
    return (f"did you mean {meant!r}? " if meant else "") + f"Declared: {', '.join(declared)}"


def _near(word: str, words: Collection[str]) -> str | None:
    from store.specs.nearest import nearest  # only for a command with something odd in it

    return nearest(word, words, cutoff=0.75)
