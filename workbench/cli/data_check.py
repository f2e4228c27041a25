"""Whether the data behind a version is what it was: by bytes on this machine, elsewhere by what its storage tells."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from store.data.assets import DataVersion
from workbench.cli.options import Session
from workbench.cli.output import size


@dataclass(frozen=True, slots=True)
class Checked:
    """What was held against what was known: ``by`` is None, and so is ``changed``, where nothing was known."""

    text: str
    by: str | None
    changed: bool | None
    files: int | None = None
    bytes: int | None = None
    fingerprint: str | None = None

    def add_to(self, document: dict[str, Any]) -> dict[str, Any]:
        """A version as it is shown, with what came out."""
        from store.times import timestamp

        found: dict[str, Any] = {"by": self.by, "changed": self.changed, "files": self.files, "bytes": self.bytes}
        if not self.changed:
            return {**document, "check": found}
        seen = {"fingerprint": self.fingerprint} if self.fingerprint else {}
        changed = {"seen_by": "check", "at": timestamp(time.time()), **seen}
        return {**document, "check": found, "changed": changed}


def check(session: Session, found: DataVersion) -> Checked:
    """Look at the data as it is now. Raises NotFoundError where nothing is left of it."""
    from store.data.fingerprint import take
    from store.uris import Resolver
    from workbench.cli.progress import progress_of

    place = Resolver(session.layout, session.connection).find(str(found))
    if place.path is None:
        return _elsewhere(session, found, place)
    now = take(place.path, progress=progress_of("reading"))
    if found.fingerprint is None:
        text = f"{found} has {now.files} files, {size(now.bytes)}; what it had at first is not known"
        return Checked(text, None, None, now.files, now.bytes, now.hash)
    changed = now.hash != found.fingerprint
    text = f"{found} has the bytes that it had when it was registered"
    if changed:
        was = f"{found.files} files, {size(found.bytes)}"
        text = f"{found} has changed since it was registered: {was} then, {now.files} files, {size(now.bytes)} now"
    return Checked(text, "bytes", changed, now.files, now.bytes, now.hash)


def _elsewhere(session: Session, found: DataVersion, place: Any) -> Checked:
    from store.data import looks

    if _is_table(session, place):
        return Checked(f"{found} is a table of a database: it was not checked, nothing tells of changes", None, None)
    before, now = looks.kept(session.layout, found), looks.look(session.connection, session.layout, place, found.type)
    here = f"{now.files} files, {size(now.bytes)}"
    if before is None or not (before.by and now.by):
        why = "what its storage told at registration was not kept" if before is None else "it has too many files"
        text = f"{found} is there ({here}), and was not checked: {why}; its bytes are compared when a job uses it"
        return Checked(text, None, None, now.files, now.bytes)
    changed = (before.by, before.hash) != (now.by, now.hash)
    text = f"{found} has the same {now.by} of each file as when it was registered; its bytes were not read"
    if changed:
        was = f"{before.files} files, {size(before.bytes)}"
        text = f"{found} has changed since it was registered, by {now.by} of its files: {was} then, {here} now"
    return Checked(text, now.by, changed, now.files, now.bytes)


def _is_table(session: Session, place: Any) -> bool:
    from store.datastores import registry

    if place.datastore is None:
        return False
    return registry.get(session.connection, session.layout, place.datastore).type == "sql"
