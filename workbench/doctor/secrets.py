"""The vault of the workspace: whether its secrets can be read, and who else could."""

from __future__ import annotations

from collections.abc import Iterator

from store.errors import MachineError
from store.vault import open_vault
from workbench.doctor.finding import Check, Finding, Place


def secrets(place: Place) -> Iterator[Finding]:
    """The key to the secrets is where the vault says, and nobody else may read it. Nothing where there are none."""
    if not place.exists:
        return
    vault = open_vault(place.layout)
    try:
        count = len(vault.names())
        if not count:
            return
        vault.check_key()
    except MachineError as error:
        yield Finding("secrets", "error", "the secrets cannot be read", error.message, error.hint or "")
        return
    file = vault.key_file
    if file is not None and file.stat().st_mode & 0o077:
        detail = f"{file}: whoever has it and a copy of the workspace can read the secrets"
        yield Finding("secrets", "warning", "others may read the key to the secrets", detail, f"`chmod 600 {file}`")
        return
    where = str(file) if file is not None else "the system's keyring"
    yield Finding("secrets", "ok", f"the secrets can be read ({count}); their key is in {where}")


CHECKS: tuple[Check, ...] = (secrets,)
