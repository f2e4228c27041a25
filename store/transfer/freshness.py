"""Whether what was fetched is still what lies at its source, as far as the source tells."""

from __future__ import annotations

from store.addresses import AZURE_SCHEMES, Address
from store.errors import WorkbenchError
from store.transfer.incoming import Body, BrokenError, Origin, Watch
from store.transfer.web import SourceError


def changed(address: Address, before: Origin, files: int | None, watch: Watch) -> bool:
    """Hold what was said of the bytes then against what is said now; ``files`` are those of a folder, else None.

    Of a file by ETag, else time, and size; of a folder by number and size of its files. Raises WorkbenchError where the
    source does not answer, AbandonedError when cancelled.
    """
    try:
        if files is not None:
            return watch.wait_for(lambda: _content(address)) != (files, before.size)
        return not before.fits(watch.wait_for(lambda: origin(address)))
    except BrokenError as error:
        raise SourceError(f"{address}: {error}") from error


def origin(address: Address) -> Origin:
    """What the source of a file says of it now. Raises WorkbenchError where it does not answer."""
    from store.transfer import remote, web

    if address.scheme in ("http", "https") or (
        address.scheme in AZURE_SCHEMES and address.canonical.startswith("https:")
    ):
        try:
            return _said(web.opener(address.web_url, str(address))(0, None))
        except WorkbenchError:
            if address.scheme not in AZURE_SCHEMES:
                raise  # a private container wants a login
    system, path = remote.open_filesystem(address)
    with remote.translated(address):
        system.invalidate_cache()
        return remote.origin_of(system.info(path))


def _said(body: Body) -> Origin:
    body.close()  # the answer's head says all that is wanted
    return body.origin


def _content(address: Address) -> tuple[int, int]:
    from store.transfer import remote

    system, path = remote.open_filesystem(address)
    with remote.translated(address):
        system.invalidate_cache()
        sizes = [each["size"] or 0 for each in system.find(path, detail=True).values()]
    return len(sizes), sum(sizes)
