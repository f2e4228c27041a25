"""The content cache: what jobs read from elsewhere, downloaded once or put there by hand.

    $WORKBENCH_CACHE, else $XDG_CACHE_HOME/workbench/content, else ~/.cache/workbench/content
      <key>/entry.json, manifest.json, content/NAME     complete; appears by rename
      <key>.partial/                                    being downloaded, or broken off
      locks/<key>                                       held by the one who writes there

The key is that of the address in its canonical spelling (see ``addresses.py``). A folder that was added stands for
every address below it. Files are checked against their recorded size and time at every use, and against their SHA-256
where those differ; jobs have them held against their source too.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from store import trees
from store.addresses import AZURE_SCHEMES, Address, key, no_listing
from store.disk import explain, locked, publish, staging, write_whole
from store.errors import MachineError, NotFoundError, UsageError, WorkbenchError
from store.lent import variables
from store.telling import Progress, Say
from store.transfer.incoming import AbandonedError, Origin, Watch

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Entry:
    """What the cache has for an address; ``path`` is the file or the folder itself."""

    url: str
    path: Path
    is_folder: bool
    added: bool
    complete: bool
    bytes: int
    files: int
    sha256: str | None
    etag: str | None
    last_modified: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Line:
    """A file of an entry, as it was when it was put there; the path of a single file is empty."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


def folder() -> Path:
    """Where the cache lies."""
    environ = variables()
    if chosen := environ.get("WORKBENCH_CACHE"):
        return Path(chosen).expanduser().absolute()
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "workbench" / "content"


def fetch(
    url: str,
    *,
    want_folder: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    say: Say | None = None,
) -> Path:
    """The local file or folder for an address; downloaded first when the cache does not have it.

    With ``say`` it is asked whether the source has changed since, and then fetched anew; where it does not answer, that
    is said, and what is here is taken. Several that want the same wait for one download. A ``file:`` URL is its own
    path. Raises NotFoundError, UsageError or MachineError, which say how to put a copy in place by hand; AbandonedError
    when ``cancelled`` became true.
    """
    if url.startswith("file:"):
        return local_path(url)
    address = Address.parse(url)
    watch = Watch(progress, cancelled)
    found = find_current(address, watch, say)
    if found is not None:
        return found
    with exclusive(address, watch):
        found = find_current(address, watch, say)
        if found is not None:
            return found
        try:
            return download(address, watch, want_folder)
        except AbandonedError:
            raise
        except WorkbenchError as error:
            with_way_out(error, address)
            raise
        except OSError as error:
            raise explain(error, f"downloading {address}") from error


def find_current(address: Address, watch: Watch, say: Say | None) -> Path | None:
    """What the cache has for an address; with ``say`` None also where the source has changed since it was fetched."""
    found, entry = find(address), read_entry(folder() / address.key)
    if say is None or found is None or entry is None or entry.added:
        return found
    from store.transfer import freshness

    before = Origin(entry.etag, entry.last_modified, entry.bytes)
    try:
        changed = freshness.changed(address, before, entry.files if entry.is_folder else None, watch)
    except AbandonedError:
        raise
    except WorkbenchError as error:
        when = datetime.fromtimestamp(entry.created_at).isoformat(" ", "minutes")
        say(f"{address.hide_in(error.message)}; what was fetched there at {when} is taken")
        return found
    return None if changed else found


def check(url: str, *, want_folder: bool) -> None:
    """Raises UsageError where it is plain without asking anyone that an address cannot be fetched."""
    if url.startswith("file:"):
        return
    address = Address.parse(url)
    by_web = address.scheme in ("http", "https")
    if not want_folder and (by_web or address.scheme in AZURE_SCHEMES):
        return  # a blob of Azure is asked for without an account first, which needs no library
    if find(address) is not None:
        return
    if by_web:
        raise with_way_out(no_listing(address), address)
    from store.transfer import remote  # which imports fsspec: most addresses do not need it

    try:
        remote.check_scheme(address)
    except WorkbenchError as error:
        raise with_way_out(error, address) from None


def has(url: str) -> bool:
    """Whether an address needs no download. Raises MachineError where what was put there by hand is damaged."""
    return find(Address.parse(url)) is not None


def local_path(url: str) -> Path:
    """The path that a ``file:`` URL stands for."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"{url!r} names another machine", hint="A file URL begins with file:/// here.")
    return Path(unquote(parts.path)).absolute()


def with_way_out(error: WorkbenchError, address: Address) -> WorkbenchError:
    """Every failed download can be made up for by hand."""
    error.message = address.hide_in(error.message)
    by_hand = f"Or put a copy in its place: `workbench cache add {address} PATH`"
    error.hint = f"{error.hint}\n  {by_hand}" if error.hint else by_hand
    return error


def find(address: Address) -> Path | None:
    """What the cache has for an address, checked; None when it has to be downloaded."""
    place = folder() / address.key
    entry = read_entry(place)
    if entry is not None:
        damaged = next((line for line in read_manifest(place) if not intact(entry.path, line)), None)
        if damaged is None:
            return entry.path
        if entry.added:
            raise damage(entry, damaged)
        return None
    for parent, below in address.parents():
        place = folder() / key(parent)
        entry = read_entry(place)
        if entry is not None and entry.is_folder:
            return find_below(entry, place, below)
    return None


def find_below(entry: Entry, place: Path, below: str) -> Path:
    """A file or a folder inside a folder of the cache. Raises NotFoundError, since such a folder is all there is."""
    path = entry.path / below
    if ".." in below.split("/") or not path.exists():
        raise NotFoundError(
            f"{entry.url} is in the cache as a folder, which has no {below!r}",
            hint=f"It lies at {entry.path}; `workbench cache add` again replaces it.",
        )
    inside = [line for line in read_manifest(place) if line.path == below or line.path.startswith(f"{below}/")]
    for line in inside:
        if not intact(entry.path, line):
            raise damage(entry, line)
    return path


def intact(content: Path, line: Line) -> bool:
    """Whether a file is still what was put there."""
    file = content / line.path if line.path else content
    try:
        status = file.stat()
    except FileNotFoundError:
        return False
    if (status.st_size, status.st_mtime_ns) == (line.size, line.mtime_ns):
        return True
    return status.st_size == line.size and trees.digest(file).sha256 == line.sha256


def damage(entry: Entry, line: Line) -> MachineError:
    """The error for something that was put in the cache by hand and is no longer the same."""
    return MachineError(
        f"{entry.path / line.path} in the cache is not what was put there for {entry.url}",
        hint=f"Put it there again: `workbench cache add {entry.url} PATH`",
    )


def download(address: Address, watch: Watch, want_folder: bool) -> Path:
    """Receive into the partial folder, which becomes the entry at the end. The lock is held."""
    from store.transfer.source import Destination, receive

    place = folder() / address.key
    partial = place.with_name(f"{place.name}.partial")
    content = partial / "content" / address.name
    notes = partial / "notes"
    for each in (content.parent, notes):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(partial / "url", str(address))
    try:
        received = receive(address, Destination(content, notes), watch, folder=want_folder)
    except WorkbenchError:
        if not content.exists():
            shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(notes)
    lines = [describe(content, path, sha256) for path, sha256 in received.sums.items()]
    complete(partial, place, make_entry(address, lines, received.origin, is_folder=received.is_folder, added=False))
    return place / "content" / address.name


def describe(content: Path, path: str, sha256: str) -> Line:
    """The manifest's line for a file that is in its place; from now on it is read-only."""
    file = content / path if path else content
    file.chmod(0o400)
    status = file.stat()
    return Line(path, status.st_size, status.st_mtime_ns, sha256)


def make_entry(
    address: Address, lines: list[Line], origin: Origin, *, is_folder: bool, added: bool
) -> tuple[dict[str, Any], list[Line]]:
    """An entry's record and manifest."""
    sums = [(line.path, False, trees.Sum(line.size, line.sha256)) for line in lines]
    record = {
        "url": str(address),
        "name": address.name,
        "is_folder": is_folder,
        "added": added,
        "bytes": sum(line.size for line in lines),
        "files": len(lines),
        "sha256": trees.combine(sums) if is_folder else lines[0].sha256,
        "etag": origin.etag,
        "last_modified": origin.last_modified,
        "created_at": time.time(),
    }
    return record, lines


def complete(made: Path, place: Path, entry: tuple[dict[str, Any], list[Line]]) -> None:
    """Make a filled folder the entry, in the place of an older one. The lock is held."""
    record, lines = entry
    (made / "manifest.json").write_text(json.dumps([asdict(line) for line in lines]))
    (made / "entry.json").write_text(json.dumps(record))
    with staging(place.parent) as trash:
        if place.exists():
            place.rename(trash / "old")
        publish(made, place)


def add(url: str, path: Path, *, progress: Progress | None = None) -> Entry:
    """Put a copy of a file or a folder in the cache as what lies at an address; replaces what was there.

    Raises UsageError for a path that does not exist, MachineError for a full disk.
    """
    address = Address.parse(url)
    if address.scheme in ("file", "azureml", "runs"):
        raise UsageError(f"{url}: addresses that begin with {address.scheme}: are never downloaded")
    if not path.exists():
        raise UsageError(f"there is no {path}")
    place = folder() / address.key
    watch = Watch(progress)
    try:
        with exclusive(address, watch), staging(folder()) as made:
            content = made / "content" / address.name
            lines = copy_in(path, content, watch)
            complete(made, place, make_entry(address, lines, Origin(), is_folder=path.is_dir(), added=True))
            shutil.rmtree(place.with_name(f"{place.name}.partial"), ignore_errors=True)
    except OSError as error:
        raise explain(error, f"adding {path} to the cache") from error
    return show(url)


def copy_in(path: Path, content: Path, watch: Watch) -> list[Line]:
    """Copy a file or a folder to its place in the cache."""
    content.parent.mkdir(parents=True)
    if not path.is_dir():
        survey, target = trees.of_file(path), content.parent
        survey.items = [replace(item, path=content.name) for item in survey.items]
    else:
        survey, target = trees.survey(path), content
        content.mkdir()
    if not survey.items:
        raise UsageError(f"{path} holds no files")
    lines, done = [], 0
    for item, place in trees.copy_items(survey.items, target, writable=False):
        lines.append(describe(content, item.path if path.is_dir() else "", trees.digest(place).sha256))
        done += item.size
        watch.tell(done, survey.size)
    return lines


def read_entry(place: Path) -> Entry | None:
    """The entry in a folder of the cache, if it is one."""
    try:
        record = json.loads((place / "entry.json").read_text())
    except FileNotFoundError:
        return None
    path = place / "content" / record.pop("name")
    return Entry(path=path, complete=True, **record)


def read_manifest(place: Path) -> list[Line]:
    """The files of an entry; one that cannot be there when it has just been removed."""
    try:
        return [Line(**line) for line in json.loads((place / "manifest.json").read_text())]
    except FileNotFoundError:
        return [Line("", -1, 0, "")]


def read_partial(place: Path) -> Entry | None:
    """What a download that is under way, or was broken off, has brought so far."""
    with contextlib.suppress(FileNotFoundError):
        url = (place / "url").read_text()
        files = [file for file in (place / "content").rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        path = place / "content" / Address.parse(url).name
        made = place.stat().st_mtime
        return Entry(url, path, path.is_dir(), False, False, size, len(files), None, None, None, made)
    return None


def entries() -> list[Entry]:
    """Everything in the cache, by address; downloads that are not complete among it."""
    places = [place for place in folder().glob("*") if place.is_dir() and len(place.stem) == 32]
    found = (read_partial(place) if place.suffix == ".partial" else read_entry(place) for place in places)
    return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.url)


def show(url: str) -> Entry:
    """The entry for exactly this address. Raises NotFoundError."""
    address = Address.parse(url)
    place = folder() / address.key
    entry = read_entry(place) or read_partial(place.with_name(f"{place.name}.partial"))
    if entry is None:
        above = (read_entry(folder() / key(parent)) for parent, _ in address.parents())
        covering = next((each for each in above if each is not None and each.is_folder), None)
        hint = (
            f"It is served by the folder {covering.url}" if covering else "`workbench cache list` shows what there is."
        )
        raise NotFoundError(f"the cache has no entry for {address}", hint=hint)
    return entry


def remove(url: str) -> Entry:
    """Take an entry, or what is there of a download, out of the cache; returns what it was. Raises NotFoundError."""
    entry = show(url)
    address = Address.parse(url)
    place = folder() / address.key
    try:
        with exclusive(address, Watch()), staging(folder()) as trash:
            for number, each in enumerate((place, place.with_name(f"{place.name}.partial"))):
                if each.exists():
                    each.rename(trash / str(number))
    except OSError as error:
        raise explain(error, f"removing {address} from the cache") from error
    return entry


@contextlib.contextmanager
def exclusive(address: Address, watch: Watch) -> Iterator[None]:
    """Be the only one who writes at an address; the others tell their own progress from what the one has brought."""
    lock = folder() / "locks" / address.key
    try:
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.touch(0o600)
    except OSError as error:
        raise explain(error, "opening the cache") from error

    def waiting() -> None:
        waiting_for = read_partial(folder() / f"{address.key}.partial")
        watch.tell(waiting_for.bytes if waiting_for else 0, None)
        time.sleep(POLL_SECONDS)

    with locked(lock, waiting):
        yield
