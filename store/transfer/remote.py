"""Whatever fsspec reaches: Azure, S3, SFTP and the rest, each by the library that is installed for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from store.addresses import AZURE_HOST, AZURE_SCHEMES, Address
from store.errors import MachineError, NotFoundError, UsageError, WorkbenchError
from store.transfer.failures import source_error
from store.transfer.incoming import BrokenError, Open, Origin
from store.transfer.web import SourceError
from store.unfinished import is_unfinished

EXTRAS = {
    **dict.fromkeys((*AZURE_SCHEMES, "az", "adl"), "azure"),
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("sftp", "ssh"), "sftp"),
    "smb": "smb",
    "webdav": "webdav",
}
STORAGE = "https://storage.azure.com/.default"
"""What a token of Azure's storage is asked for."""


class MissingLibraryError(MachineError):
    """fsspec knows the scheme, but the library for it is not installed."""


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Every file system has errors of its own; here they become ours."""
    try:
        yield
    except (WorkbenchError, BrokenError):
        raise
    except FileNotFoundError as error:
        raise NotFoundError(f"{address}: there is nothing", hint="Check the address.") from error
    except PermissionError as error:
        raise SourceError(f"{address}: access refused: {error}") from error
    except Exception as error:  # the edge to plugins: botocore, azure.core, paramiko ... raise what they like
        raise source_error(error, address) from error


def open_filesystem(address: Address) -> tuple[Any, str]:
    """The file system of an address, and the path there. Raises MissingLibraryError, naming what to install."""
    import fsspec

    if address.scheme == "adl":
        raise UsageError(
            f"{address}: Azure Data Lake Storage Gen1 was retired on 29 February 2024",
            hint="Its data went to Gen2 or is gone: name it there, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH",
        )
    check_scheme(address)
    with translated(address):
        try:
            _refuse_rest(fsspec.get_filesystem_class(urlsplit(azure_url(address.given)).scheme), address)
            system, path = fsspec.url_to_fs(azure_url(address.given), **azure_host(address))
        except ImportError as error:
            raise missing_library(address, str(error)) from error
        return system, path


def _refuse_rest(kind: Any, address: Address) -> None:
    """Raises UsageError for what comes after # or ?, which a file system of fsspec would take for a setting."""
    told = kind._get_kwargs_from_urls(azure_url(address.given))
    for name, sign in (("url_fragment", "#"), ("url_query", "?")):
        if name in told and address.scheme not in AZURE_SCHEMES:
            hint = "A file with that in its name is read by a datastore: azureml://datastores/NAME/paths/PATH"
            raise UsageError(f"{address}: an address of {address.scheme}:// cannot have a {sign}", hint=hint)


def log_in(system: Any, address: Address) -> None:
    """Ask for a token of Azure once, where that is the login: adlfs would ask, and wait, at everything it does."""
    login: Any = getattr(system, "sync_credential", None)
    if address.scheme in AZURE_SCHEMES and type(login).__name__ == "DefaultAzureCredential":
        import logging

        logging.getLogger("azure").addHandler(logging.NullHandler())  # else it writes each way that failed to stderr
        with translated(address):
            login.get_token(STORAGE)


def check_scheme(address: Address) -> None:
    """Raises UsageError for a scheme that nobody knows, MissingLibraryError where its library is plainly not there."""
    import fsspec
    from fsspec.registry import known_implementations

    scheme = urlsplit(azure_url(address.given)).scheme
    if scheme not in fsspec.available_protocols():
        from store.specs.nearest import nearest

        meant = nearest(scheme, (*AZURE_SCHEMES, *fsspec.available_protocols()))
        hint = f"Did you mean {meant}://?" if meant else None
        raise UsageError(f"{address}: nothing here knows addresses that begin with {address.scheme}://", hint=hint)
    known = known_implementations.get(scheme, {})
    library = str(known.get("class", "fsspec")).partition(".")[0]
    if find_spec(library) is None:
        raise missing_library(address, f"pip install {library}")


def missing_library(address: Address, why: str) -> MissingLibraryError:
    """The error for an address that fsspec would reach if only a library were installed."""
    extra = EXTRAS.get(address.scheme)
    install = f'pip install "workbench-ml[{extra}]"' if extra else why
    message = f"{address}: the library for {address.scheme}:// addresses is not installed"
    return MissingLibraryError(message, hint=f"Install it: {install}")


def azure_url(url: str) -> str:
    """The one of Azure's schemes that fsspec knows before adlfs is there to tell it of the others."""
    parts = urlsplit(url)
    if parts.scheme not in AZURE_SCHEMES:
        return url
    return urlunsplit(("abfs", parts.netloc.replace(".blob.", ".dfs."), parts.path, parts.query, ""))


def azure_host(address: Address) -> dict[str, str]:
    """Where an account is that is not in the public cloud, such as OneLake's: adlfs knows that one alone."""
    found = AZURE_HOST.fullmatch(address.host) if address.scheme in AZURE_SCHEMES else None
    if found is None or found["suffix"] == "core.windows.net":
        return {}
    return {"account_name": found["account"], "account_host": address.host}


def list_objects(system: Any, path: str, address: Address) -> dict[str, str] | None:
    """Relative path to full path of every object below a folder; None for a single object."""
    with translated(address):
        if system.info(path)["type"] != "directory":
            return None
        root = system._strip_protocol(path).rstrip("/")
        found = {each[len(root) :].lstrip("/"): each for each in system.find(path)}
    for relative in [relative for relative in found if any(map(is_unfinished, relative.split("/")))]:
        del found[relative]
    if not found:
        raise NotFoundError(f"{address}: the folder is empty")
    if outside := [relative for relative in found if ".." in relative.split("/")]:
        raise MachineError(f"{address}: {outside[0]!r} would lie outside of its folder")
    return found


class RemoteObject:
    """An object of a file system that is being read (an ``incoming.Body``)."""

    def __init__(self, stream: IO[bytes], start: int, origin: Origin) -> None:
        self.stream = stream
        self.start = start
        self.origin = origin

    def read(self, size: int) -> bytes:
        try:
            return self.stream.read(size)
        except Exception as error:  # the edge to plugins, as above
            raise BrokenError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        self.stream.close()


def opener(system: Any, path: str, address: Address) -> Open:
    """How to ask for an object."""

    def open_at(offset: int, origin: Origin | None) -> RemoteObject:
        with translated(address):
            now = origin_of(system.info(path))
            start = offset if origin and now.validator and origin.fits(now) else 0
            stream = system.open(path, "rb")
            if start:
                stream.seek(start)
            return RemoteObject(stream, start, now)

    return open_at


ETAG_WORDS = ("ETag", "etag", "md5", "checksum")
TIME_WORDS = ("LastModified", "last_modified", "mtime", "modified", "created")


def origin_of(info: dict[str, Any]) -> Origin:
    """What ``info`` says of an object, in whatever words its file system has."""
    etag, modified = (
        next((str(info[word]) for word in words if info.get(word)), None) for words in (ETAG_WORDS, TIME_WORDS)
    )
    return Origin(etag, modified, None if info.get("size") is None else int(info["size"]))
