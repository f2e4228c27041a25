"""Every binding by its id, whether the keys that a user gave one are keys, and whether they are free."""

from __future__ import annotations

import pkgutil
import unicodedata
from collections.abc import Iterator, Mapping
from importlib import import_module

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key

import workbench.tui
from store.specs.nearest import nearest, suggestion
from workbench.configuration.reading import Loaded, setting

MODIFIERS = ("ctrl", "shift", "alt", "super", "meta", "hyper")
SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace"}
"""Keys that a terminal cannot tell from another."""


def bindings() -> dict[str, Binding]:
    """Every binding that has an id. Imports all of the terminal UI: not for the way to the first picture."""
    found: dict[str, Binding] = {}
    for holder in _holders():
        for binding in vars(holder).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                found.setdefault(binding.id, binding)
    return dict(sorted(found.items()))


def _holders() -> Iterator[type[DOMNode]]:
    """Everything of ours that can have bindings."""
    for module in pkgutil.walk_packages(workbench.tui.__path__, "workbench.tui."):
        for holder in vars(import_module(module.name)).values():
            if isinstance(holder, type) and holder.__module__ == module.name and issubclass(holder, DOMNode):
                yield holder


def check_keys(loaded: Loaded) -> None:
    """Note what is wrong with the table of keys; the bindings concerned keep their own keys."""
    if not loaded.configuration.keys:
        return
    known = bindings()
    keys = setting("keys")
    for name, given in loaded.configuration.keys.items():
        if name not in known:
            close = nearest(name, known)
            hint = f"did you mean {close!r}? " if close else ""
            loaded.refuse(
                keys, f"there is no binding {name!r}", f"{hint}`workbench config keys` lists them.", name, at_key=True
            )
            continue
        for key in given.split(","):
            if fault := refusal_of_key(key.strip()):
                loaded.refuse(keys, *fault, name)
                break
    _check_clashes(loaded)


def _check_clashes(loaded: Loaded) -> None:
    """Note keys that two actions of one place would have: Textual would drop one of them without a word."""
    places = [_keys_of(holder) for holder in _holders()]
    for name in list(loaded.configuration.keys):
        given = loaded.configuration.keys
        mine = _keys(name, set(), given)
        lost = [
            (sorted(taken)[0], other)
            for place in places
            for other, (own, action) in place.items()
            if name in place and place[name][1] != action and (taken := _keys(other, own, given) & mine)
        ]
        for key, other in lost[:1]:
            what = f"{key!r} is the key of {other} in the same place"
            loaded.refuse(setting("keys"), what, f"Give {other} another key, too.", name)


def _keys_of(holder: type[DOMNode]) -> dict[str, tuple[set[str], str]]:
    """The keys of each binding that has an id, its base classes' among them, and what it does."""
    found: dict[str, tuple[set[str], str]] = {}
    for key, binding in holder._merged_bindings or ():
        if binding.id:
            found.setdefault(binding.id, (set(), binding.action))[0].add(key)
    return found


def _keys(name: str, own: set[str], given: Mapping[str, str]) -> set[str]:
    return {_plain(key) for key in given[name].split(",")} if name in given else own


def _plain(key: str) -> str:
    """The name of a key that was given as a character."""
    key = key.strip()
    return _character_to_key(key) if len(key) == 1 else key


def refusal_of_key(key: str) -> tuple[str, str | None] | None:
    """What is wrong with the name of a key, and what to write instead; None for a key."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if key in SAME:
        return f"no terminal tells {key} from {SAME[key]}", f"Write {SAME[key]!r} if that is meant, else another key."
    for modifier in modifiers:
        if modifier not in MODIFIERS:
            return f"there is no key {key!r}", suggestion(modifier, MODIFIERS, introduction="Modifiers are")
    if not last:
        return f"there is no key {key!r}", "The plus sign is 'plus', the comma 'comma'."
    if len(last) == 1 or last in (names := _names()) or _is_character(last):
        return None
    close = nearest(last, names)
    return f"there is no key {key!r}", f"did you mean {close!r}?" if close else 'Keys are such as "f", "ctrl+f", "f2".'


def _names() -> set[str]:
    return {key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<")} | {
        *KEY_NAME_REPLACEMENTS.values()
    }


def _is_character(name: str) -> bool:
    """Whether a name such as ``question_mark`` is that of a character in Unicode."""
    try:
        return unicodedata.lookup(name.replace("_", " ")).isprintable()
    except KeyError:
        return False
