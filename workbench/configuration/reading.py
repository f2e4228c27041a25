"""Reads the configuration: the environment goes before the file, the file before the defaults."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.errors import Fault
from workbench.configuration.model import DEFAULTS, SETTINGS, Configuration, Setting
from workbench.configuration.rules import RefusedError, TextTable

if TYPE_CHECKING:
    from workbench.configuration.document import TomlDocument

DEFAULT = "default"
FILE = "FILE"


def folder() -> Path:
    """The user's folder of settings (XDG base directory specification, which ignores a relative path)."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(given if os.path.isabs(given) else Path.home() / ".config") / "workbench"


def config_file() -> Path:
    """The file of settings, which need not exist: ``$WORKBENCH_CONFIG``, else ``config.toml`` in the user's folder."""
    given = os.environ.get("WORKBENCH_CONFIG")
    return Path(given).expanduser().absolute() if given else folder() / "config.toml"


@dataclass(slots=True)
class Loaded:
    """The configuration in force, where each value comes from, and what was wrong."""

    file: Path
    configuration: Configuration = DEFAULTS
    origins: dict[str, str] = field(default_factory=dict)
    """By key, where it is not the default: ``$VARIABLE``, or ``FILE``."""
    faults: list[Fault] = field(default_factory=list)
    document: TomlDocument | None = None

    @property
    def sources(self) -> dict[str, str]:
        """By key: ``default``, ``FILE:LINE`` or ``$VARIABLE``."""
        return {each.key: self._source(each.key) for each in SETTINGS}

    def _source(self, key: str) -> str:
        origin = self.origins.get(key, DEFAULT)
        if origin == FILE and self.document is not None:
            return f"{self.file}:{self.document.line(tuple(key.split('.')))}"
        return origin

    def value(self, setting: Setting) -> Any:
        """The value in force."""
        return getattr(self.configuration, setting.field)

    def refuse(
        self, setting: Setting, message: str, hint: str | None = None, entry: str = "", *, at_key: bool = False
    ) -> None:
        """Note a fault of a value in force, or of one entry of a table, and go on without it."""
        source = self.origins.get(setting.key, DEFAULT)
        if source.startswith("$"):
            self.faults.append(Fault(source, 1, 1, "", message, hint))
        elif self.document is not None:
            path = (*setting.key.split("."), *self._inside(setting, entry))
            self.document.blame(path, message, hint, at_key=at_key)
        kept = self.value(setting)
        if entry and isinstance(kept, Mapping):
            kept = {name: each for name, each in kept.items() if name != entry}
        else:
            kept = setting.default
            self.origins.pop(setting.key, None)
        self.configuration = replace(self.configuration, **{setting.field: kept})

    def _inside(self, setting: Setting, entry: str) -> tuple[str | int, ...]:
        """Where in a table the entry of this name stands, which may be written with dots."""
        if not entry or not isinstance(setting.rule, TextTable) or self.document is None:
            return ()
        held = self.document.values.get(setting.key)
        return next((inside for name, _, inside in setting.rule.entries(held) if name == entry), ())


def load(environment: Mapping[str, str] | None = None) -> Loaded:
    """The configuration of this user; a bad value leaves its default in force and is among ``faults``."""
    loaded = Loaded(config_file())
    values: dict[str, Any] = {}
    if loaded.file.exists():
        from workbench.configuration.document import read

        loaded.document = read(loaded.file)
        loaded.faults = loaded.document.faults
        _take_file(loaded, loaded.document, values)
    _take_environment(loaded, os.environ if environment is None else environment, values)
    loaded.configuration = replace(DEFAULTS, **values)
    return loaded


def in_order(fault: Fault) -> tuple[bool, str, int, int]:
    """Faults in the order of their places, those of variables behind those of files."""
    return fault.file.startswith("$"), fault.file, fault.line, fault.column


def setting(key: str) -> Setting:
    """The setting of a key."""
    return next(each for each in SETTINGS if each.key == key)


def _take_file(loaded: Loaded, document: TomlDocument, values: dict[str, Any]) -> None:
    _refuse_unknown(document)
    for each in SETTINGS:
        path = tuple(each.key.split("."))
        held: Any = document.values
        for part in path:
            held = held.get(part) if isinstance(held, dict) else None
        if held is None:
            continue
        try:
            values[each.field] = _taken(each, held, document, path)
        except RefusedError as refused:
            document.blame((*path, *refused.inside), refused.message, refused.hint)
        else:
            loaded.origins[each.key] = FILE


def _taken(setting: Setting, held: Any, document: TomlDocument, path: tuple[str, ...]) -> Any:
    """The value as it is used; of a table, the entries that are right."""
    if not isinstance(setting.rule, TextTable):
        return setting.rule.take(held)
    right: dict[str, str] = {}
    for name, value, inside in setting.rule.entries(held):
        try:
            right[name] = setting.rule.entry(value, inside)
        except RefusedError as refused:
            document.blame((*path, *refused.inside), refused.message, refused.hint)
    return right


def _refuse_unknown(document: TomlDocument) -> None:
    tables = {setting.key.partition(".")[0] for setting in SETTINGS if "." in setting.key}
    known = list(dict.fromkeys(setting.key.partition(".")[0] for setting in SETTINGS))
    for name, held in document.values.items():
        if name not in known:
            _refuse_key(document, (name,), known)
        elif name in tables:
            inner = [setting.key.partition(".")[2] for setting in SETTINGS if setting.key.startswith(f"{name}.")]
            if not isinstance(held, dict):
                hint = f"Write [{name}] on a line of its own, and {', '.join(inner)} below."
                document.blame((name,), "expected a table", hint)
                continue
            for below in held:
                if below not in inner:
                    _refuse_key(document, (name, below), inner)


def _refuse_key(document: TomlDocument, path: tuple[str, ...], known: Iterable[str]) -> None:
    from store.specs.nearest import suggestion

    document.blame(path, f"unknown key {path[-1]!r}", suggestion(path[-1], known), at_key=True)


def _take_environment(loaded: Loaded, environment: Mapping[str, str], values: dict[str, Any]) -> None:
    blamed: set[str] = set()
    for each in SETTINGS:
        text = environment.get(each.variable, "") if each.variable else ""
        if not text.strip() or each.variable in blamed:
            continue
        try:
            values[each.field] = each.rule.parse(text)
        except RefusedError as refused:
            blamed.add(each.variable)
            loaded.faults.append(Fault(f"${each.variable}", 1, 1, "", refused.message, refused.hint))
        else:
            loaded.origins[each.key] = f"${each.variable}"
