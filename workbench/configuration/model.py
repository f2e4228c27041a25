"""The settings: their values, their defaults, and what each may be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbench.configuration.rules import (
    AutoOrBoolean,
    Boolean,
    Number,
    OneOf,
    Rule,
    Text,
    Texts,
    TextTable,
)

DRIVERS = ("cells", "textual")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in force: the file's values under those of the environment, defaults where neither says anything."""

    theme: str = "auto"
    default_section: str = "home"
    driver: str = "cells"
    ascii: bool | None = None
    """None where the terminal decides."""
    mouse: bool = True
    editor: str = ""
    main_metric: tuple[str, ...] = ()
    """Patterns that go before ``store.main_metric.PREFERRED``."""
    refresh_local: float = 4.0
    refresh_ssh: float = 1.0
    keys: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def refresh_hz(self) -> float:
        """How often a second what is live is painted: here, or over SSH (sshd sets the variables, sshd(8))."""
        remote = os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY")
        return self.refresh_ssh if remote else self.refresh_local

    @property
    def editor_command(self) -> str:
        """What opens a file: this setting, else $VISUAL, $EDITOR, and what nearly every machine has."""
        return self.editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


class Setting(NamedTuple):
    """One key of the file."""

    key: str
    """As it is written in the file, the table before a dot."""
    field: str
    """Its attribute of ``Configuration``."""
    rule: Rule
    variable: str = ""
    """The environment variable that goes before the file; none for tables."""

    @property
    def default(self) -> Any:
        """Its value where nothing is said."""
        return getattr(DEFAULTS, self.field)


DEFAULTS = Configuration()

SETTINGS = (
    Setting("theme", "theme", Text("the name of a theme"), "WORKBENCH_THEME"),
    Setting("default_section", "default_section", Text("the name of a section"), "WORKBENCH_SECTION"),
    Setting("driver", "driver", OneOf(DRIVERS), "WORKBENCH_DRIVER"),
    Setting("ascii", "ascii", AutoOrBoolean(), "WORKBENCH_ASCII"),
    Setting("mouse", "mouse", Boolean(), "WORKBENCH_MOUSE"),
    Setting("editor", "editor", Text("a command", empty=True), "WORKBENCH_EDITOR"),
    Setting("main_metric", "main_metric", Texts("a list of patterns of metric names"), "WORKBENCH_MAIN_METRIC"),
    Setting("refresh.local", "refresh_local", Number(0.1, 30), "WORKBENCH_REFRESH"),
    Setting("refresh.ssh", "refresh_ssh", Number(0.1, 30), "WORKBENCH_REFRESH"),
    Setting("keys", "keys", TextTable('keys such as "f" or "ctrl+f,slash"', joined=",")),
    Setting("filters", "filters", TextTable('a filter such as "state:failed since:2d"')),
)
"""Every key, in the order in which ``workbench config show`` and the documentation tell them."""
