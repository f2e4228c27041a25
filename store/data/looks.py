"""What a storage elsewhere says of the files behind a version: looked at when it is registered, and held against later.

    <workspace>/looks/<hash of the version>.json

No byte is read for it: it is what a listing tells, ETags, or else times, and sizes.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from store.addresses import Address
from store.data.assets import DataVersion
from store.datastores import registry
from store.datastores.checking import SECONDS, check, explained
from store.datastores.listing import Entry, walk
from store.disk import write_whole
from store.errors import NotFoundError, UsageError
from store.layout import Layout
from store.transfer.incoming import BrokenError
from store.transfer.patience import patiently
from store.transfer.web import SourceError
from store.uris import Place

MOST = 100_000
"""Files of a folder that are held against what they were; more are not listed for that."""


@dataclass(frozen=True, slots=True)
class Look:
    """Files and bytes, and a hash of what was told of each file; ``by`` says what that was, "" for too many files."""

    files: int
    bytes: int
    by: str
    hash: str


def look(connection: sqlite3.Connection, layout: Layout, place: Place, kind: str) -> Look:
    """Look at what lies elsewhere. Raises NotFoundError for nothing, UsageError for what the type does not say.

    Where it cannot be reached, another WorkbenchError, within a time that a person waits.
    """
    if place.datastore is not None:
        return _in_datastore(registry.get(connection, layout, place.datastore), layout, place, kind)
    address = Address.parse(str(place.url))
    until = time.monotonic() + SECONDS

    def patience() -> None:
        if time.monotonic() > until:
            raise SourceError(f"{address} does not answer in time")

    found: Look = patiently(lambda: _at_url(address, kind), patience)
    return found


def _in_datastore(datastore: registry.Datastore, layout: Layout, place: Place, kind: str) -> Look:
    from store.datastores.transfers import opened
    from store.vault import open_vault

    vault = open_vault(layout)
    check(datastore, vault)
    there = opened(datastore, vault)
    try:
        with explained(datastore, there.given):
            name = f"{place.within!r} of the datastore {datastore.name!r}"
            return _listed(there.system, there.full(place.within), kind, name)
    finally:
        there.close()


def _at_url(address: Address, kind: str) -> Look:
    from store.transfer import freshness, remote

    if address.scheme in ("http", "https"):
        try:
            origin = freshness.origin(address)
        except BrokenError as error:
            raise SourceError(f"{address}: {error}") from error
        return _summed([("", origin.size, origin.etag, origin.last_modified)])
    system, path = remote.open_filesystem(address)
    with remote.translated(address):
        return _listed(system, path, kind, str(address))


def _listed(system: Any, path: str, kind: str, name: str) -> Look:
    system.invalidate_cache()
    is_folder = system.isdir(path)
    if is_folder and kind == "uri_file":
        raise UsageError(f"{name} is a folder, and the type says uri_file", hint="Say `type: uri_folder`.")
    if not is_folder:
        try:
            info = system.info(path)
        except FileNotFoundError as error:
            raise NotFoundError(f"there is no {name}") from error
        if kind != "uri_file":
            raise UsageError(f"{name} is a file, and the type says {kind}", hint="Say `type: uri_file`.")
        return _of_entries([Entry.of("", info)])
    if kind == "mltable" and not system.isfile(f"{path.rstrip('/')}/MLTable"):
        raise UsageError(f"{name} has no file MLTable in it, and the type says mltable")
    return _of_entries(list(islice(walk(system, path), MOST + 1)))


def _of_entries(found: list[Entry]) -> Look:
    if len(found) > MOST:
        return Look(len(found), 0, "", "")
    return _summed((each.name, each.size, each.etag, each.modified_at) for each in found)


def _summed(found: Iterable[tuple[str, int | None, str | None, object]]) -> Look:
    files = sorted(found, key=lambda each: each[0])
    by = "ETag and size" if all(etag for _, _, etag, _ in files) else "time and size"
    if by == "time and size" and any(when is None for *_, when in files):
        by = "size"
    stamps = [(name, size, {"E": etag, "t": when, "s": None}[by[0]]) for name, size, etag, when in files]
    digest = hashlib.sha256(json.dumps(stamps).encode()).hexdigest()
    return Look(len(files), sum(size or 0 for _, size, _, _ in files), by, digest)


def keep(layout: Layout, version: DataVersion, found: Look) -> None:
    """Keep what was seen when a version was made; what is kept of it already stays."""
    place = _place(layout, version)
    if not place.exists():
        place.parent.mkdir(exist_ok=True, mode=0o700)
        write_whole(place, json.dumps(asdict(found)))


def kept(layout: Layout, version: DataVersion) -> Look | None:
    """What was seen when a version was made; None where nobody looked."""
    try:
        return Look(**json.loads(_place(layout, version).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def forget(layout: Layout, version: DataVersion) -> None:
    """Remove what was kept for a version that is gone."""
    with suppress(FileNotFoundError):
        _place(layout, version).unlink()


def _place(layout: Layout, version: DataVersion) -> Path:
    key = hashlib.sha256(f"{version}\n{version.path}\n{version.created_at}".encode()).hexdigest()[:32]
    return layout.root / "looks" / f"{key}.json"
