"""Colour themes: files in ``themes/`` and in the user's own folder, made into Textual's themes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

import themes
from store.errors import DocumentError, Fault, NotFoundError
from store.specs.nearest import suggestion
from workbench.configuration.document import TomlDocument, read
from workbench.configuration.reading import folder
from workbench.configuration.rules import described

DARK, LIGHT, SIXTEEN = "workbench", "workbench-light", "sixteen"
AUTOMATIC = "auto"

COLOURS = (
    *("primary", "secondary", "accent", "foreground", "background", "surface", "panel", "boost"),
    *("success", "warning", "error"),
)
STATES = ("waiting", "running", "completed", "failed", "canceled")
SERIES = 8
KEYS = ("name", "title", "dark", "ansi", "extends", "colours", "states", "chart", "variables")
STYLE_WORDS = frozenset("none not bold b dim italic i underline u strike s reverse r blink".split())

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SHADE = re.compile(r"(.+?) +(\d{1,3})%")
_MISSING_FOR_ANSI = dict.fromkeys(
    ("ansi-background", "ansi-foreground", "foreground-disabled", "surface-active"), "ansi_default"
)
"""Variables that Textual's stylesheets use and its colour system for such themes leaves out."""
_COLOUR_HINT = 'Write it as "#5fb3b3", or as a name such as "ansi_blue" for a colour of the terminal\'s own.'


def user_folder() -> Path:
    """Where a user's own themes lie."""
    return folder() / "themes"


def automatic(environment: Mapping[str, str] | None = None) -> str:
    """The theme for this terminal: its own palette where it has sixteen colours, else dark, or light if it says so.

    ``COLORFGBG`` names the colour numbers of text and ground (set by rxvt, Konsole and iTerm2).
    """
    told = os.environ if environment is None else environment
    term = told.get("TERM", "")
    rich = told.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "TEXTUAL_COLOR_SYSTEM" in told
    many = rich or term.endswith(("256color", "-direct", "kitty"))
    if term not in ("", "dumb", "unknown") and not many:
        return SIXTEEN
    return LIGHT if told.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else DARK


class Themes:
    """The themes that exist, and what has changed among the user's own."""

    def __init__(self, shipped: Path | None = None, own: Path | None = None) -> None:
        self.shipped = shipped or Path(themes.__file__).parent
        self.own = own or user_folder()
        self._seen = self._stamps()

    def names(self) -> list[str]:
        """The names of all themes, the user's own among them."""
        return sorted({*_stems(self.shipped), *_stems(self.own)})

    def theme(self, name: str) -> Theme:
        """A theme by name. Raises DocumentError for a bad file, NotFoundError where there is none."""
        return made(name, self._values(name, ()))

    def faults(self) -> list[Fault]:
        """What is wrong with the user's own themes."""
        found: list[Fault] = []
        for name in sorted(_stems(self.own)):
            try:
                self.theme(name)
            except DocumentError as error:
                found += error.faults
            except NotFoundError as error:
                found.append(Fault(str(self.own / f"{name}.toml"), 1, 1, "", error.message, error.hint))
        return list(dict.fromkeys(found))  # a fault is met again by each theme that extends this one

    def changed(self) -> list[str]:
        """The user's own themes that were written or removed since the last call."""
        before, self._seen = self._seen, self._stamps()
        if before == self._seen:
            return []
        return sorted(name for name in {*before, *self._seen} if before.get(name) != self._seen.get(name))

    def dependents(self, names: Iterable[str]) -> set[str]:
        """The user's own themes among ``names``, and those that extend one of them."""
        found = set(names)
        while True:
            more = {name for name in _stems(self.own) if name not in found and self._extends(name) in found}
            if not more:
                return found
            found |= more

    def _extends(self, name: str) -> str | None:
        try:
            base = read(self.own / f"{name}.toml").values.get("extends")
        except OSError:
            return None
        return base if isinstance(base, str) else None

    def _stamps(self) -> dict[str, tuple[int, int, int]]:
        """What tells that a file is another one than before."""
        found: dict[str, tuple[int, int, int]] = {}
        try:
            with os.scandir(self.own) as entries:
                for entry in entries:
                    if entry.name.endswith(".toml") and not entry.name.startswith("."):
                        status = entry.stat()
                        found[entry.name[:-5]] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            return found  # no folder, or a file that went in this moment
        return found

    def _file(self, name: str, own: bool = True) -> Path:
        file = self.own / f"{name}.toml"
        return file if own and file.is_file() else self.shipped / f"{name}.toml"

    def _values(self, name: str, above: tuple[str, ...]) -> dict[str, Any]:
        """The values of a theme over those of the theme that it extends."""
        file = self._file(name, own=name not in above)
        try:
            if not _NAME.fullmatch(name):
                raise FileNotFoundError(name)
            document = read(file)
        except FileNotFoundError:
            raise NotFoundError(
                f"no theme {name!r}", hint=suggestion(name, self.names(), introduction="There are")
            ) from None
        document.raise_faults()
        values = checked(document, name)
        if file.parent == self.shipped:
            document.raise_faults()
            return values
        base = values.pop("extends", DARK if values.get("dark", True) else LIGHT)
        allowed = sorted(_stems(self.shipped) | _stems(self.own) - {*above, name})  # never in a circle
        if base not in allowed:
            document.blame(("extends",), f"there is no theme {base!r} to extend", suggestion(base, allowed))
        document.raise_faults()
        return over(self._values(base, (*above, name)), values)


def _stems(folder: Path) -> set[str]:
    try:
        return {name[:-5] for name in os.listdir(folder) if name.endswith(".toml") and not name.startswith(".")}
    except OSError:
        return set()


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a theme with another's in place of those that it gives."""
    merged = dict(below)
    for key, value in above.items():
        merged[key] = {**below.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def made(name: str, values: Mapping[str, Any]) -> Theme:
    """Textual's theme of checked values."""
    colours: dict[str, Any] = values["colours"]
    ansi = bool(values.get("ansi", False))
    variables = dict(_MISSING_FOR_ANSI) if ansi else {"block-cursor-foreground": colours["background"]}
    if ansi:  # Textual makes these three transparent, and a dialog would be written over what is behind it
        variables |= {ground: colours[ground] for ground in ("surface", "panel", "boost")}
    variables |= {f"state-{state}": colour for state, colour in values["states"].items()}
    variables |= {f"chart-{number}": colour for number, colour in enumerate(values["chart"]["series"], 1)}
    variables["chart-grid"] = values["chart"]["grid"]
    variables |= values.get("variables", {})
    return Theme(name=name, dark=bool(values.get("dark", True)), ansi=ansi, variables=variables, **colours)


def checked(document: TomlDocument, name: str) -> dict[str, Any]:
    """The values of a file that are right; every other one is among the document's faults."""
    values = dict(document.values)
    for key in list(values):
        if key not in KEYS:
            document.blame((key,), f"unknown key {key!r}", suggestion(key, KEYS), at_key=True)
            del values[key]
    for key, kind, what in (
        ("name", str, "the name of the file"),
        ("title", str, "a text"),
        ("extends", str, "the name of a theme"),
        ("dark", bool, "true or false"),
        ("ansi", bool, "true or false"),
    ):
        if key in values and not isinstance(values[key], kind):
            document.blame((key,), f"expected {what}, got {described(values.pop(key))}")
    if "name" in values and values["name"] != name:
        document.blame(("name",), f"expected {name!r}, as the file is called, got {values['name']!r}")
    for key, allowed in (("colours", COLOURS), ("states", STATES)):
        if key in values:
            values[key] = _table(document, key, allowed)
    if "chart" in values:
        values["chart"] = _chart(document)
    if "variables" in values:
        values["variables"] = _variables(document)
    return values


def _entries(document: TomlDocument, key: str, allowed: Iterable[str]) -> dict[str, Any]:
    """The entries of a table whose names are allowed."""
    held = document.values[key]
    if not isinstance(held, dict):
        document.blame((key,), f"expected a table, got {described(held)}", f"Write [{key}] on a line of its own.")
        return {}
    known = list(allowed)
    for name in held:
        if name not in known:
            shown = known if len(known) < 20 else []
            hint = suggestion(name, shown) if shown else _near(name, known)
            document.blame((key, name), f"unknown key {name!r}", hint, at_key=True)
    return {name: value for name, value in held.items() if name in known}


def _near(name: str, known: Iterable[str]) -> str:
    from store.specs.nearest import nearest

    found = nearest(name, known)
    return f"did you mean {found!r}?" if found else "Textual's documentation of themes lists these names."


def _table(document: TomlDocument, key: str, allowed: Iterable[str]) -> dict[str, str]:
    entries = _entries(document, key, allowed)
    return {name: value for name, value in entries.items() if _is_colour(document, (key, name), value)}


def _chart(document: TomlDocument) -> dict[str, Any]:
    entries = _entries(document, "chart", ("series", "grid"))
    if "grid" in entries and not _is_colour(document, ("chart", "grid"), entries["grid"]):
        del entries["grid"]
    series = entries.pop("series", None)
    if series is None:
        return entries
    if not isinstance(series, list) or len(series) != SERIES:
        got = f"{len(series)}" if isinstance(series, list) else described(series)
        document.blame(("chart", "series"), f"expected a list of {SERIES} colours, got {got}")
    else:
        bad = [
            number for number, each in enumerate(series) if not _is_colour(document, ("chart", "series", number), each)
        ]
        if not bad:
            entries["series"] = series
    return entries


def _is_colour(document: TomlDocument, path: tuple[str | int, ...], value: Any) -> bool:
    """Whether a value is a colour; a fault is noted where it is none."""
    hint: str | None = _COLOUR_HINT
    if isinstance(value, str):
        try:
            Color.parse(value)
        except ColorParseError as error:
            if error.suggested_color:
                hint = f"did you mean {error.suggested_color!r}? {hint}"
        else:
            return True
    document.blame(path, f"expected a colour, got {described(value)}", hint)
    return False


def _variables(document: TomlDocument) -> dict[str, str]:
    """Textual's own variables that a theme sets; a bad one would break every stylesheet."""
    from textual.design import ColorSystem

    known = ColorSystem("#000000", dark=True).generate()
    right: dict[str, str] = {}
    for name, value in _entries(document, "variables", known).items():
        path = ("variables", name)
        if not isinstance(value, str):
            document.blame(path, f"expected a text, got {described(value)}")
        elif "-style" in name:
            if unknown := [word for word in value.split() if word not in STYLE_WORDS]:
                hint = suggestion(unknown[0], sorted(word for word in STYLE_WORDS if len(word) > 2))
                document.blame(path, f"there is no text style {unknown[0]!r}", hint)
            else:
                right[name] = value
        else:
            shade = _SHADE.fullmatch(value)
            colour = shade[1] if shade else value
            if colour == "auto" or _is_colour(document, path, colour):
                right[name] = value
    return right
