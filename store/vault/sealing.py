"""Encrypt one secret, and back again: Fernet (AES and an HMAC) over name and value, so that none passes for another."""

from __future__ import annotations

import json
from pathlib import Path

from store.errors import UsageError
from store.vault.contents import damaged

LONGEST = 64 * 1024
"""Bytes of a value. Linux gives a process no variable above 128 KiB."""


def check_value(value: str) -> None:
    """Raises UsageError for a value that no job could be given; it is not quoted."""
    if not value:
        raise UsageError("the value is empty", hint="`workbench secret delete NAME` removes a secret.")
    if "\0" in value:
        raise UsageError("the value holds a NUL character, which no environment variable can")
    if len(value.encode("utf-8", "surrogatepass")) > LONGEST:
        raise UsageError(f"the value is longer than {LONGEST} bytes", hint="Keep a secret file apart, mode 0600.")


def seal(name: str, value: str, key: str) -> str:
    """The encrypted form of a secret."""
    from cryptography.fernet import Fernet

    return Fernet(key).encrypt(json.dumps([name, value]).encode()).decode()


def unseal(sealed: str, name: str, key: str, file: Path) -> str:
    """The value. Raises MachineError for what was changed, or put under another name, since it was encrypted."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        meant, value = json.loads(Fernet(key).decrypt(sealed))
    except (InvalidToken, ValueError) as error:
        raise damaged(file, f"the secret {name!r}") from error
    if meant != name:
        raise damaged(file, f"the secret {name!r}, which stands in the place of {meant!r},")
    return str(value)
