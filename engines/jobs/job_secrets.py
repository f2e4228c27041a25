"""The secrets that a job's document asks for: checked when it is accepted, read when it starts, hidden when it ends.

Their values go from the vault into the environment of the job's processes and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from engines.jobs import submitted
from store.addresses import HIDDEN
from store.jobs import Job
from store.layout import Layout
from store.lent import lent
from store.specs.secrets import references

SHORTEST = 4
"""Characters. What is shorter is no secret, and would be found in any text."""


def asked(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each secret that a document names: the variable it is for, and its name."""
    for variable, text in (document.get("environment_variables") or {}).items():
        for reference in references(str(text)):
            yield variable, reference.name


def check(layout: Layout, name: str) -> None:
    """Raises NotFoundError for a secret that is not in the vault, MachineError for one that cannot be read there."""
    from store.vault import open_vault

    open_vault(layout).check(name)


def values(layout: Layout, document: Mapping[str, Any]) -> dict[str, str]:
    """The values of the secrets that a document names, by name. Raises WorkbenchError where one cannot be had."""
    names = {name for _, name in asked(document)}
    if not names:
        return {}
    from store.vault import open_vault

    vault = open_vault(layout)
    return {name: vault.require(name) for name in sorted(names)}


def hider(job: Job, layout: Layout) -> Callable[[str], str]:
    """What takes a job's secrets out of a line of its log. Raises WorkbenchError where the vault cannot be read."""
    with lent(submitted.read_variables(layout.job(job.name))):
        found = values(layout, job.document)
    return lambda line: hide(line, found.values())


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text with a mark in place of each secret, whole or a line of it, also quoted or escaped."""
    parts = {part for value in secrets for part in (value, *value.splitlines()) if len(part) >= SHORTEST}
    spellings = {each for part in parts for each in (part, quote(part), quote(part, safe=""), json.dumps(part)[1:-1])}
    for each in sorted(spellings, key=len, reverse=True):
        text = text.replace(each, HIDDEN)
    return text
