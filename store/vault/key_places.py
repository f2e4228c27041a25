"""Where the key of a vault lies, apart from the workspace: in the system's keyring, or in a file of the user's.

The file is ``$XDG_CONFIG_HOME/workbench/keys/ID.key`` (0600): a workspace that is copied, backed up or shared does not
take it along.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from store.disk import explain, flush, write_whole
from store.errors import MachineError, UsageError
from store.lent import variables
from store.telling import Say

PLACES = ("keyring", "file")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What a vault says of its key: which one, where, and by what it is known; never the key itself."""

    id: str
    place: str
    fingerprint: str
    backend: str = ""
    """The class of the keyring, such as ``keyring.backends.SecretService.Keyring``."""


class KeyMissing(MachineError):
    """The place can be looked at, and the key is not there."""


def choose(say: Say) -> tuple[KeyRecord, str]:
    """Make a key in the keyring where one works, else in a file; ``say`` hears which."""
    from store.vault.system_keyring import KeyringUnusable

    try:
        made = make("keyring")
        say(f"the key to this workspace's secrets is in {words(made[0])}")
    except KeyringUnusable as error:
        made = make("file")
        say(f"the key to this workspace's secrets is in {words(made[0])}: {error.message}")
    return made


def make(place: str) -> tuple[KeyRecord, str]:
    """A new key, kept in ``place``. Raises KeyringUnusable, a MachineError."""
    from cryptography.fernet import Fernet

    from store.vault import system_keyring

    if place not in PLACES:
        raise UsageError(f"no key can be kept in {place!r}", hint=f"There are: {', '.join(PLACES)}")
    key = Fernet.generate_key().decode()
    record = KeyRecord(secrets.token_hex(16), place, _fingerprint(key))
    if place == "keyring":
        return replace(record, backend=system_keyring.keep(record.id, key)), key
    file = key_file(record.id)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(file, key + "\n", durable=True)
        flush(file.parent.parent)
    except OSError as error:
        raise explain(error, "the key to the secrets cannot be kept") from error
    return record, key


def fetch(record: KeyRecord) -> str:
    """The key. Raises KeyMissing where it is not there, another MachineError where nobody can tell."""
    from store.vault import system_keyring

    if record.place == "keyring":
        key = system_keyring.fetch(record.id, record.backend)
    else:
        key = _in_file(key_file(record.id))
    if key is None:
        raise _missing(record, "is not there")
    if _fingerprint(key) != record.fingerprint:
        raise _missing(record, "is another one: it was changed or damaged")
    return key


def remove(record: KeyRecord) -> bool:
    """Forget a key that nothing needs any more; False where it cannot be reached."""
    from store.vault import system_keyring

    try:
        if record.place == "keyring":
            system_keyring.remove(record.id, record.backend)
        else:
            key_file(record.id).unlink(missing_ok=True)
    except (MachineError, OSError):
        return False
    return True


def key_file(key_id: str) -> Path:
    """Where a key lies that is in no keyring, for whoever this is done for."""
    given, home = variables().get("XDG_CONFIG_HOME", ""), variables().get("HOME") or os.path.expanduser("~")
    config = Path(given) if os.path.isabs(given) else Path(home) / ".config"
    return config / "workbench" / "keys" / f"{key_id}.key"


def words(record: KeyRecord) -> str:
    """Where a key lies, for people."""
    return f"the system's keyring ({record.backend})" if record.place == "keyring" else str(key_file(record.id))


def _in_file(file: Path) -> str | None:
    try:
        return file.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise explain(error, "the key to the secrets cannot be read") from error


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _missing(record: KeyRecord, how: str) -> KeyMissing:
    if record.place == "keyring":
        where = f"{words(record)} under workbench / {record.id}"
        bring = "run `workbench secret move file` where it came from, and copy the file that it names too"
    else:
        where, bring = words(record), "copy that file too (mode 0600)"
    return KeyMissing(
        f"the secrets of this workspace cannot be read: their key, in {where}, {how}",
        hint=f"A workspace that was copied leaves its key behind: {bring}. If the key is lost, delete each secret "
        "(`workbench secret list`, `workbench secret delete NAME`) and set it again.",
    )
