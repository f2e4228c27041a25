"""What one line of a conda file asks for, in pip's words.

conda's grammar is written down in its ``MatchSpec``: ``channel/subdir::name``, a version and a build, in one of
``name=1.2``, ``name==1.2``, ``name >=1,<2``, ``name 1.2 build``, ``name=1.2=build`` or ``name[version='>=1']``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

_SPEC = re.compile(
    r"""^(?:(?P<channel>[^\s\[\]=<>!~]+?)::?(?:[^\s:\[\]=<>!~]*:)?)?  # conda-forge/noarch::  or  channel:namespace:
        (?P<name>[A-Za-z0-9_][A-Za-z0-9_.\-]*)
        (?P<rest>[^\[]*)
        (?:\[(?P<brackets>.*)\])?$""",
    re.VERBOSE,
)
_BRACKET = re.compile(r"""\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s,]+))\s*(?:,|$)""")
_AROUND_OPERATORS = re.compile(r"\s*(,|\||[=<>!~]=|[=<>])\s*")
_CLAUSE = re.compile(r"^(==|>=|<=|!=|~=|=|<|>)?(.+)$")
_FUZZY_END = re.compile(r"\.?\*$")


class SpecError(ValueError):
    """A line that has no counterpart in pip's words; says why."""


@dataclass(frozen=True, slots=True)
class CondaSpec:
    """A package by its conda name; ``specifier`` is PEP 440 text, empty for any version."""

    name: str
    specifier: str = ""
    build: str | None = None
    channel: str | None = None


def parse_spec(text: str) -> CondaSpec:
    """Read one dependency of a conda file. Raises SpecError."""
    cleaned = text.split(" #")[0].strip()
    match = _SPEC.match(cleaned)
    if match is None:
        raise SpecError("is not a conda package, such as 'numpy=1.26' or 'pandas>=2,<3'")
    version, build = _version_and_build(match["rest"])
    brackets = _brackets(match["brackets"] or "")
    version, build = brackets.get("version", version), brackets.get("build", build)
    return CondaSpec(
        name=match["name"].lower(),
        specifier=_specifier(version),
        build=build if build != "*" else None,
        channel=brackets.get("channel") or match["channel"],
    )


def _brackets(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(text.rstrip()):
        match = _BRACKET.match(text, position)
        if match is None:
            raise SpecError(f"has brackets that cannot be read: [{text}]")
        found[match[1]] = next(value for value in match.groups()[1:] if value is not None)
        position = match.end()
    return found


def _version_and_build(rest: str) -> tuple[str, str | None]:
    """Split what follows the name. A version alone after one ``=`` is a prefix, with a build it is exact."""
    rest = _AROUND_OPERATORS.sub(r"\1", rest.strip())
    version, _, build = rest.partition(" ")
    if build:
        return version, build.strip()
    exact = re.fullmatch(r"={1,2}([^=<>!~,|]+)=([^=<>!~,|]+)", version)
    if exact:
        return f"=={exact[1]}", exact[2]
    return version, None


def _specifier(version: str) -> str:
    if "|" in version:
        raise SpecError(f"offers alternatives ('{version}'), which pip cannot say: give one range, such as '>=1.2,<2'")
    clauses = [_clause(clause) for clause in version.split(",") if clause.strip()]
    joined = ",".join(clause for clause in clauses if clause)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        raise SpecError(f"has a version that pip does not know: '{version}'") from None
    return joined


def _clause(clause: str) -> str:
    match = _CLAUSE.match(clause.strip())
    if match is None or match[2].startswith(("^", "(")):
        raise SpecError(f"has a version that pip does not know: '{clause}'")
    operator, number = match[1] or "==", match[2].strip()
    if number == "*":
        return ""
    fuzzy = bool(_FUZZY_END.search(number))
    number = _FUZZY_END.sub("", number)
    if operator == "=":
        return f"=={number}.*"
    if operator in ("==", "!="):
        return f"{operator}{number}.*" if fuzzy else f"{operator}{number}"
    return f"{operator}{number}"
