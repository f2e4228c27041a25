"""Which way leads to an address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from store.addresses import AZURE_SCHEMES, Address, key, no_listing
from store.errors import MachineError, NotFoundError
from store.transfer.incoming import Open, Origin, Watch, receive_file


@dataclass(frozen=True, slots=True)
class Received:
    """What came: by relative path its SHA-256 (``""`` for a single file), and what was said of a single file."""

    sums: dict[str, str]
    origin: Origin
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to put it: ``content`` becomes the file or the folder, ``notes`` is a folder for what resuming needs."""

    content: Path
    notes: Path


def receive(address: Address, to: Destination, watch: Watch, *, folder: bool) -> Received:
    """Bring what lies behind an address: a file, or where ``folder`` is wanted and can be listed, every file below."""
    from store.transfer import web

    if address.scheme in ("http", "https"):
        if folder:
            raise no_listing(address)
        return receive_one(address, to, web.opener(address.web_url, str(address)), watch)
    if address.scheme in AZURE_SCHEMES and address.canonical.startswith("https:") and not folder:
        return receive_azure(address, to, watch)
    return receive_by_fsspec(address, to, watch)


def receive_one(address: Address, to: Destination, open_at: Open, watch: Watch) -> Received:
    """Bring a single file."""
    sha256, origin = receive_file(address, to.content, to.notes / "file", open_at, watch)
    return Received({"": sha256}, origin)


def receive_azure(address: Address, to: Destination, watch: Watch) -> Received:
    """A blob that anyone may read needs no Azure library; a private one does."""
    from store.transfer import remote, web

    try:
        return receive_one(address, to, web.opener(address.web_url, str(address)), watch)
    except (NotFoundError, web.SourceError) as first:
        try:
            return receive_by_fsspec(address, to, watch)
        except remote.MissingLibraryError as missing:
            raise MachineError(f"{first.message}; asked without an account", hint=missing.hint) from first


def receive_by_fsspec(address: Address, to: Destination, watch: Watch) -> Received:
    """Whatever fsspec reaches: one object, or every object below a folder."""
    from store.transfer import remote

    system, path = watch.wait_for(lambda: remote.open_filesystem(address))
    objects = watch.wait_for(lambda: remote.list_objects(system, path, address))
    if objects is None:
        return receive_one(address, to, remote.opener(system, path, address), watch)
    sums = dict[str, str]()
    brought = 0

    def tell(done: int, _: int | None) -> None:
        if watch.progress:
            watch.progress(brought + done, None)  # how much there is in all is not known

    for relative, each in objects.items():
        file = to.content / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        open_at = remote.opener(system, each, address)
        sums[relative], _ = receive_file(address, file, to.notes / key(relative), open_at, Watch(tell, watch.cancelled))
        brought += file.stat().st_size
    return Received(sums, Origin(), is_folder=True)
