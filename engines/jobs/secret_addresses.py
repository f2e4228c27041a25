"""The addresses of a job's document that hold a secret: kept beside the store, with a mark for the secret in it.

Only what is wholly an address is looked at, where a document has data and values: no command is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from store.addresses import HIDDEN, hide, split_secrets

SECTIONS = ("inputs", "outputs", "environment_variables")


@dataclass(frozen=True, slots=True)
class SecretAddress:
    """An address as it was given, and the keys that lead to it in the document."""

    path: tuple[str, ...]
    address: str


def take_out(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[SecretAddress]]:
    """The document as it may be stored and shown, and the addresses that are not whole in it."""
    shown, found = copied(document), list[SecretAddress]()
    for path, holder, key in places(shown):
        without, secrets = split_secrets(holder[key])
        if any(each != HIDDEN for each in secrets):
            found.append(SecretAddress(path, holder[key]))
            holder[key] = without
    return shown, found


def put_back(document: Mapping[str, Any], kept: Iterable[SecretAddress]) -> dict[str, Any]:
    """The document with its addresses whole; one that was changed since stays as it is."""
    whole, addresses = copied(document), {each.path: each.address for each in kept}
    for path, holder, key in places(whole):
        address = addresses.get(path)
        if address is not None and split_secrets(address)[0] == holder[key]:
            holder[key] = address
    return whole


def incomplete(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The addresses in which a mark stands for a secret, and where they are."""
    for path, holder, key in places(document):
        if HIDDEN in split_secrets(holder[key])[1]:
            yield path, holder[key]


def hide_in_override(override: str, kept: Iterable[SecretAddress]) -> str:
    """An argument of ``--set`` without the secrets of the job's addresses, or of one that another replaced."""
    name, equals, value = override.partition("=")
    shown = f"{name}{equals}{split_secrets(value)[0]}"
    return hide(shown, [secret for each in kept for secret in split_secrets(each.address)[1]])


def copied(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which an address may be replaced."""
    return {key: deepcopy(value) if key in SECTIONS else value for key, value in document.items()}


def places(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any], str]]:
    """Each text that may be an address: the keys that lead to it, what holds it, and its own key."""
    waiting: list[tuple[tuple[str, ...], dict[str, Any]]] = [
        ((section,), document[section]) for section in SECTIONS if isinstance(document.get(section), dict)
    ]
    while waiting:
        path, holder = waiting.pop()
        for key, value in holder.items():
            if isinstance(value, dict):
                waiting.append(((*path, str(key)), value))
            elif isinstance(value, str) and "://" in value:
                yield (*path, str(key)), holder, key
