"""The folder that a version of a watched path is: a link for each of its files, and for a table its MLTable file.

A job that gets the folder has exactly these files, by their paths below the watched folder. Files of this machine are
linked where they lie; those of elsewhere are fetched once, into the workspace, and shared by all versions.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from store.data.refusals import Refusals
from store.data.sightings import Found
from store.data.watched_source import LocalSource, Source
from store.datastores.registry import DEFAULT
from store.disk import explain, flush, publish, staging
from store.errors import NoRoomError, NotFoundError, WorkbenchError
from store.layout import Layout

FETCHED = "files"
"""The folder beside those of the versions that has what was fetched from elsewhere."""

MOST_REFUSED = 100
"""After so many files that cannot be had, others wait for the next look: each may have taken its time."""

NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS})
"""What says that a file can have no hard link here."""

READERS = {
    ".csv": {"read_delimited": {"delimiter": ",", "header": "all_files_same_headers"}},
    ".tsv": {"read_delimited": {"delimiter": "\t", "header": "all_files_same_headers"}},
    ".parquet": {"read_parquet": {}},
    ".jsonl": {"read_json_lines": {}},
    ".ndjson": {"read_json_lines": {}},
}


@dataclass(frozen=True, slots=True)
class Gathered:
    """A version's folder: where, and what is in it."""

    folder: Path
    path: str
    files: int
    bytes: int
    missing: int
    """Files that were seen once and cannot be had any more."""


def home(layout: Layout, watch: str) -> Path:
    """Where the folders of a watch's versions lie."""
    return layout.blobstore / "watches" / watch


def gather(layout: Layout, watch: str, source: Source, files: Iterable[Found], kind: str) -> Gathered:
    """Make the folder of a version; it appears whole. Raises MachineError where there is no room."""
    parent, name = home(layout, watch), f"{time.time_ns():x}-{secrets.token_hex(2)}"
    linked, size, missing, folders, kept = list[str](), 0, 0, {""}, parent / FETCHED
    try:
        with staging(parent) as made:
            for found in files:
                folder = os.path.dirname(found.path)
                if folder not in folders:
                    os.makedirs(made / folder, mode=0o700, exist_ok=True)
                    folders.add(folder)
                place = _place(source, found, kept)
                if place is None or not _link(place, f"{made}/{found.path}"):
                    missing += 1
                    continue
                linked.append(found.path)
                size += found.size
            if kind == "mltable":
                (made / "MLTable").write_text(_table(linked), encoding="utf-8")
            flush(*(made / folder for folder in folders))
            publish(made, parent / name)
        flush(parent)
    except OSError as error:
        raise explain(error, f"gathering the files of the watch {watch!r}") from error
    path = f"azureml://datastores/{DEFAULT}/paths/watches/{watch}/{name}/"
    return Gathered(parent / name, path, len(linked), size, missing)


def obtain(
    layout: Layout, watch: str, source: Source, taken: Iterable[Found], refusals: Refusals
) -> tuple[list[Found], dict[str, str]]:
    """Have new files at hand: those that could be had, and why of others not, which are refused for a while.

    Raises WorkbenchError where it is not for a file that it fails: no room, or a datastore that does not answer.
    """
    had, why, kept = list[Found](), dict[str, str](), home(layout, watch) / FETCHED
    for found in taken:
        try:
            source.obtain(found, kept)
        except NoRoomError:
            raise
        except WorkbenchError as error:
            source.check()
            times = refusals.add(found, time.monotonic())
            if times > 1 or not isinstance(error, NotFoundError):  # what is gone is in no later listing
                why[found.path] = error.message
            if len(why) == MOST_REFUSED:
                break
        else:
            had.append(found)
    return had, why


def _place(source: Source, found: Found, kept: Path) -> str | None:
    """Where a file lies on this machine; None for one of elsewhere that is gone, or cannot be fetched any more."""
    if isinstance(source, LocalSource):
        return f"{source.base}/{found.path}"
    try:
        return source.obtain(found, kept)
    except NoRoomError:
        raise
    except WorkbenchError:
        source.check()
        return None


def _link(place: str, link: str) -> bool:
    """Have a file under another name too; False where it is gone.

    A hard link has the bytes also after the file was replaced or removed, and costs no inode; a symbolic one is for
    another disk, and for files of others, which the kernel lets nobody link.
    """
    try:
        if not stat.S_ISLNK(os.lstat(place).st_mode):
            os.link(place, link)
            return True
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
    if not os.path.exists(place):
        return False
    os.symlink(os.path.realpath(place), link)
    return True


def _table(files: Iterable[str]) -> str:
    """The MLTable file over the files of a folder; JSON is YAML too."""
    names = list(files)
    ending = os.path.splitext(names[0])[1].lower() if names else ""
    reader = READERS.get(ending)
    lines = ["type: mltable", "paths:", *(f"  - file: {json.dumps('./' + name)}" for name in names)]
    if reader is not None:
        lines += ["transformations:", f"  - {json.dumps(reader)}"]
    return "\n".join(lines) + "\n"


def sweep(layout: Layout, watch: str, kept: Iterable[str]) -> None:
    """Remove the folders that no version has: what a firing left that was killed before it was written down."""
    parent, known = home(layout, watch), {path.rstrip("/").rsplit("/", 1)[-1] for path in kept}
    if not parent.is_dir():
        return
    for entry in list(os.scandir(parent)):
        if entry.name != FETCHED and entry.name not in known and not entry.name.startswith("."):
            shutil.rmtree(entry.path, ignore_errors=True)
