"""Writes one setting back into ``config.toml``; comments, order and everything else stay."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from store import disk
from store.errors import DocumentError, WorkbenchError
from workbench.configuration.document import read
from workbench.configuration.reading import config_file

_NEW_LINE = re.compile(r"(?<!\r)\n")


def save(path: tuple[str, ...], value: Any, file: Path | None = None) -> Path:
    """Set the key at ``path``, made where it is missing; with None it is removed. Returns the file.

    Raises DocumentError for a file that is no TOML (it is left as it is), MachineError where it cannot be written.
    """
    named = file or config_file()
    target = Path(os.path.realpath(named))  # a link into a folder of dotfiles stays one
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with disk.locked(target.parent):
            before, mode = _held(target)
            text = _changed(before, path, value)
            if text == before:
                return named
            disk.write_whole(target, text, durable=True)
            if mode is not None:
                target.chmod(mode)
    except OSError as error:
        raise disk.explain(error, f"writing {named}") from error
    return named


def _held(target: Path) -> tuple[str, int | None]:
    try:
        document = read(target)
    except FileNotFoundError:
        return "", None
    if document.faults:
        raise DocumentError(document.faults)
    return document.text, target.stat().st_mode & 0o777


def _changed(text: str, path: tuple[str, ...], value: Any) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    *tables, name = path
    try:
        document = tomlkit.parse(text)
        held: Any = document
        for part in tables:
            if part not in held:
                if value is None:
                    return text
                held[part] = tomlkit.table()
            held = held[part]
        if value is None:
            with suppress(KeyError):
                del held[name]
        else:
            held[name] = list(value) if isinstance(value, tuple) else value
        changed = tomlkit.dumps(document)
    except (TOMLKitError, TypeError) as error:
        raise WorkbenchError(f"{'.'.join(path)} cannot be set: {error}", hint="Set it in the file by hand.") from error
    return _NEW_LINE.sub("\r\n", changed) if "\r\n" in text else changed
