"""Profiles that are kept: one file for each content, so that looking again takes no time.

    <workspace>/profiles/<fingerprint of the bytes>-<of the settings>.json
    <workspace>/profiles/names/<hash of the name>       which content that name had when it was profiled last

What lies in a datastore elsewhere is known by what its listing says of each file: the ETag, or else size and time. What
tells neither, such as a table of a database, is profiled each time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from store.data.opening import Opening, Source
from store.disk import write_whole
from store.tabular.profile import Profile, profile
from store.tabular.table import Table

FORM = 2
"""Counted up when what a profile says changes, so that older ones are made anew."""


@dataclass(frozen=True, slots=True)
class Found:
    """A profile; ``kept`` says that it was there, ``changed`` that the bytes are others than at the last profile."""

    profile: Profile
    fingerprint: str | None = None
    kept: bool = False
    changed: bool = False


def profile_of(
    opening: Opening, source: Source, *, target: str | None = None, told: Callable[[int], None] | None = None
) -> Found:
    """The profile of a source: as it is kept where its bytes are the same, else made and kept."""
    table = opening.table(source)
    fingerprint = _fingerprint(source, table)
    content = fingerprint or _stamp(source, table)
    if content is None:
        return Found(profile(table, target=target, told=told))
    folder = opening.layout.root / "profiles"
    settings = hashlib.sha256(json.dumps([FORM, target, str(table.document)]).encode()).hexdigest()[:16]
    file = folder / f"{content.replace(':', '-')}-{settings}.json"
    name = folder / "names" / hashlib.sha256(f"{source.path}\n{source.name}".encode()).hexdigest()[:32]
    before = name.read_text() if name.exists() else content
    made = _read(file)
    found = Found(made or profile(table, target=target, told=told), fingerprint, made is not None)
    if os.path.isdir(opening.layout.root) and os.access(opening.layout.root, os.W_OK):
        name.parent.mkdir(parents=True, exist_ok=True)
        if made is None:
            write_whole(file, json.dumps(found.profile.document()))
        write_whole(name, content)
    return Found(found.profile, fingerprint, found.kept, before != content)


def _read(file: Path) -> Profile | None:
    """A kept profile; None where there is none that can be read."""
    try:
        return Profile.of(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _fingerprint(source: Source, table: Table) -> str | None:
    """The content of all files of the table; None where some lie elsewhere."""
    from store.data.fingerprint import take

    place = source.local()
    if place is None:
        return None
    root = place if place.is_dir() else place.parent
    if not _lies_in(str(root), table):
        return None
    return take(root if place.name == "MLTable" else place).hash


def _lies_in(root: str, table: Table) -> bool:
    """Whether all files of a table lie below a folder."""
    paths = [str(entry.file or entry.folder or entry.pattern) for entry in table.document.paths or []]
    return bool(paths) and not any(
        "://" in text
        or text.startswith("azureml:")
        or not Path(os.path.normpath(os.path.join(root, text))).is_relative_to(root)
        for text in paths
    )


def _stamp(source: Source, table: Table) -> str | None:
    """What the listing of a datastore says of all files of a table; None where it says too little."""
    from fsspec.implementations.http import HTTPFileSystem
    from fsspec.implementations.local import LocalFileSystem

    from store.datastores.listing import walk
    from store.tabular.database import Database

    if isinstance(source.system, LocalFileSystem | HTTPFileSystem | Database) or any(
        each in source.path for each in "*?["
    ):
        return None
    path = os.path.dirname(source.path) if os.path.basename(source.path) == "MLTable" else source.path
    root = path if source.system.isdir(path) else os.path.dirname(path)
    if not _lies_in(root, table):
        return None
    files = sorted((each.name, each.size, each.etag or each.modified_at) for each in walk(source.system, path))
    if not files or any(stamp is None for _, _, stamp in files):
        return None
    return "listed-" + hashlib.sha256(json.dumps([source.name, source.path, files]).encode()).hexdigest()
