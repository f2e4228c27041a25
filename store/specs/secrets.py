"""Secrets in documents: ``${{secrets.NAME}}``, in the few places where one may stand.

A document never holds a value, only the name; the value comes from the workspace's vault when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from store.errors import UsageError
from store.specs.expressions import LITERAL_HINT

if TYPE_CHECKING:
    from store.errors import Fault
    from store.specs.document import Document
    from store.specs.nodes import Path

NAME = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,126}"
ALLOWED = "letters, digits, '_', '-' and '.', at most 127, a letter, digit or '_' first"

RESERVED = "datastore/"
"""How the names of datastores' own secrets begin: ``datastore/NAME/FIELD``. No document can name them."""

WHERE = (
    "It may stand in the `environment_variables` of a job and in the `credentials` of a datastore. A command reads the "
    "variable: `environment_variables: {TOKEN: ${{secrets.NAME}}}`, and $TOKEN in the command."
)

_EXPRESSION = r"\$\{\{\s*secrets\b\.?([^}]*?)\s*\}\}"
_SLIP = r"\$\{\{\s*(?:secret|Secrets?|SECRETS?)\.([^\s}]*)\s*\}\}"
_BROKEN = r"\$\{\{\s*secrets\b|\$\{secrets\.[^\s}]*\}"


class SecretReference(NamedTuple):
    """An expression that names a secret; ``text`` is the expression as written, ``start`` where it begins."""

    name: str
    text: str
    start: int


def references(text: str) -> Iterator[SecretReference]:
    """The secrets that a text names."""
    for found in re.finditer(_EXPRESSION, text) if "secrets" in text else ():
        yield SecretReference(found[1], found[0], found.start())


def fill(text: str, value_of: Callable[[str], str]) -> str:
    """A text with the values of the secrets that it names. What a value holds is not looked at again."""
    return re.sub(_EXPRESSION, lambda found: value_of(found[1]), text)


def stands_for_secret(text: str) -> bool:
    """Whether a text is nothing but expressions that name secrets, and so none itself."""
    return "secrets" in text and not re.sub(_EXPRESSION, "", text)


def check_name(name: str) -> None:
    """Raises UsageError for what cannot be the name of a secret, of a user's or of a datastore."""
    if not re.fullmatch(rf"{NAME}|{RESERVED}{NAME}/{NAME}", name):
        shown = name.partition("=")[0]  # who writes NAME=VALUE has not meant to show the value
        raise UsageError(f"{shown!r} cannot be the name of a secret", hint=f"Allowed: {ALLOWED}.")


def check_own_name(name: str) -> None:
    """The same for a name that a user gives, which is none of a datastore's."""
    if name.startswith(RESERVED):
        raise UsageError(f"{name!r} belongs to a datastore", hint="A datastore's secrets come and go with it.")
    check_name(name)


def secret_faults(document: Document, places: Collection[str]) -> Iterator[Fault]:
    """What is wrong with the expressions of a document that name secrets; below ``places`` they may stand."""
    for path, text in _texts(document.data):
        if "secret" in text.lower() and path != ("description",):
            for start, part, message, hint in _wrong(text, path[0] in places):
                if path == ("command",):
                    hint = f"{hint} {LITERAL_HINT}"
                yield document.fault_inside(path, part, text[:start].count(part), message, hint)


def _wrong(text: str, allowed: bool) -> Iterator[tuple[int, str, str, str]]:
    """Where in a text something is wrong, the part that is, what it is, and what to write."""
    whole = set[int]()
    for each in references(text):
        whole.add(each.start)
        if not allowed:
            yield each.start, each.text, f"no secret may stand here: {each.text}", WHERE
        elif not re.fullmatch(NAME, each.name):
            hint = f"Write ${{{{secrets.NAME}}}}. Allowed in a name: {ALLOWED}."
            yield each.start, each.text, f"{each.text} is no name of a secret", hint
    if not allowed:
        return
    for slip in re.finditer(_SLIP, text):
        yield slip.start(), slip[0], f"unknown expression {slip[0]}", f"did you mean ${{{{secrets.{slip[1]}}}}}?"
    for broken in re.finditer(_BROKEN, text):
        if broken.start() not in whole:
            message = f"the expression that begins with {broken[0]} is not whole"
            yield broken.start(), broken[0], message, "Write ${{secrets.NAME}}."


def _texts(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a document, and the keys that lead to it."""
    if isinstance(value, str) and path:
        yield path, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _texts(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _texts(entry, (*path, index))
