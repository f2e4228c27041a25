"""The vault of a workspace: its secrets by name, each encrypted, and the key to them elsewhere.

``vault/secrets.json`` holds names, times and what Fernet made of the values. The key is made at the first secret and
lies in the system's keyring where there is one that encrypts, else in a file of the user's (``key_places.py``). Where
it lies is written in the same file, so that the choice is made once: whoever comes over SSH later, where no keyring
answers, is told so, and does not begin a second vault.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from store.disk import explain, locked
from store.errors import ConflictError, NotFoundError
from store.layout import Layout
from store.specs.secrets import RESERVED, check_name, fill
from store.telling import Say
from store.vault import key_places, sealing
from store.vault.contents import Contents, Sealed, read, write
from store.vault.key_places import KeyMissing, KeyRecord


@dataclass(frozen=True, slots=True)
class Secret:
    """What may be told of a secret: its name, and when it was set (seconds since 1970)."""

    name: str
    set_at: float


class Vault:
    """The secrets of one workspace. Any number of processes may use it at once."""

    def __init__(self, folder: Path, say: Say = lambda _: None) -> None:
        self.folder, self.say = folder, say

    @property
    def file(self) -> Path:
        """Names, times and encrypted values."""
        return self.folder / "secrets.json"

    @property
    def place(self) -> str | None:
        """Where its key lies: ``keyring`` or ``file``; None as long as there never was a secret."""
        record = read(self.file).key
        return record.place if record else None

    def names(self) -> list[str]:
        """The names of all secrets, those of datastores too; no key is needed."""
        return sorted(read(self.file).secrets)

    def secrets(self) -> list[Secret]:
        """All secrets without their values, by name; no key is needed."""
        return [Secret(name, each.set_at) for name, each in sorted(read(self.file).secrets.items())]

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none of that name. Raises MachineError where it cannot be read."""
        before = read(self.file)
        try:
            return self._opened(before, name)
        except KeyMissing:
            after = read(self.file)  # the key may have been moved in between
            if after.key == before.key:
                raise
            return self._opened(after, name)

    def _opened(self, contents: Contents, name: str) -> str | None:
        sealed = contents.secrets.get(name)
        if sealed is None or contents.key is None:
            return None
        return sealing.unseal(sealed.value, name, key_places.fetch(contents.key), self.file)

    def require(self, name: str) -> str:
        """A secret's value. Raises NotFoundError, with the nearest name, where there is none."""
        value = self.get(name)
        if value is None:
            raise self._unknown(name)
        return value

    def fill(self, text: str) -> str:
        """A text of a document with the values of the secrets that it names. Raises as ``require`` does."""
        return fill(text, self.require)

    def check(self, name: str) -> None:
        """Raise what ``require`` would, as far as that is known without asking the keyring or decrypting."""
        contents = read(self.file)
        if name not in contents.secrets:
            raise self._unknown(name)
        if contents.key is not None and contents.key.place == "file":
            key_places.fetch(contents.key)

    def check_key(self) -> None:
        """Raises MachineError where the key cannot be had; nothing is decrypted."""
        record = read(self.file).key
        if record is not None:
            key_places.fetch(record)

    @property
    def key_file(self) -> Path | None:
        """The file with its key; None where that is in the keyring, or where there is none."""
        record = read(self.file).key
        return key_places.key_file(record.id) if record is not None and record.place == "file" else None

    def own(self) -> list[Secret]:
        """The user's secrets, by name: all but those of datastores."""
        return [each for each in self.secrets() if not each.name.startswith(RESERVED)]

    def _unknown(self, name: str) -> NotFoundError:
        from store.specs.nearest import nearest

        meant = nearest(name, [each.name for each in self.own()])
        return NotFoundError(
            f"there is no secret {name!r} in this workspace",
            hint=(f"did you mean {meant!r}? " if meant else "") + f"Set it: workbench secret set {name}",
        )

    def set(self, name: str, value: str) -> None:
        """Keep a secret, in place of one of the same name. Raises UsageError for a name or a value that cannot be."""
        check_name(name)
        sealing.check_value(value)
        with self._changing() as contents:
            record, key = self._key_for(contents, name)
            sealed = Sealed(time.time(), sealing.seal(name, value, key))
            write(self.file, Contents(record, {**contents.secrets, name: sealed}))

    def _key_for(self, contents: Contents, name: str) -> tuple[KeyRecord, str]:
        """The key; a new one where nothing that was encrypted with the old one would be left."""
        if contents.key is not None:
            try:
                return contents.key, key_places.fetch(contents.key)
            except KeyMissing:
                if contents.secrets.keys() - {name}:
                    raise
        return key_places.choose(self.say)

    def delete(self, name: str) -> bool:
        """Remove a secret; False where there was none. No key is needed."""
        if name not in read(self.file).secrets:  # nothing is made in a workspace that has no vault
            return False
        with self._changing() as contents:
            left = {each: sealed for each, sealed in contents.secrets.items() if each != name}
            if len(left) < len(contents.secrets):
                write(self.file, Contents(contents.key, left))
        return len(left) < len(contents.secrets)

    def move(self, place: str) -> KeyRecord:
        """Have the key lie in ``keyring`` or ``file`` from now on: all secrets are encrypted anew with a new key.

        Raises ConflictError where it lies there already, MachineError where the old or the new place cannot be reached.
        """
        with self._changing() as contents:
            old = contents.key
            if old is not None and old.place == place:
                raise ConflictError(f"the key of this vault is in {key_places.words(old)} already")
            values = {name: self._opened(contents, name) or "" for name in contents.secrets}
            record, key = key_places.make(place)
            anew = {
                name: Sealed(each.set_at, sealing.seal(name, values[name], key))
                for name, each in contents.secrets.items()
            }
            write(self.file, Contents(record, anew))
            if old is not None and not key_places.remove(old):
                self.say(f"the old key is still in {key_places.words(old)}; nothing is encrypted with it any more")
        return record

    @contextmanager
    def _changing(self) -> Iterator[Contents]:
        """What is there, while no other process changes it."""
        try:
            self.folder.mkdir(exist_ok=True, mode=0o700)
            with locked(self.folder / "lock"):
                yield read(self.file)
        except OSError as error:
            raise explain(error, "the vault cannot be changed") from error


def open_vault(layout: Layout, say: Say = lambda _: None) -> Vault:
    """The vault of a workspace, also of one that is yet to be made; ``say`` takes a note on where a new key lies."""
    return Vault(layout.vault, say)
