"""A share of Azure Files as a file system of fsspec, which knows none."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.fileshare import ShareClient
from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from store.unfinished import hidden

PIECE = 4 * 2**20
"""As much as the service takes in one request."""
SHARE_IS_GONE = "ShareNotFound"


class ShareFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Folders and files of one share; paths begin with a slash. Listings are never kept."""

    protocol = "azurefile"
    root_marker = "/"

    def __init__(self, share: ShareClient, **options: Any) -> None:
        super().__init__(use_listings_cache=False, **options)
        self.share = share

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        plain: str = super()._strip_protocol(path)
        return "/" + plain.strip("/")

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """What a folder holds, or a file alone."""
        path = self._strip_protocol(path)
        below = path.rstrip("/")
        try:
            with _translated(path):
                listed = self.share.list_directories_and_files(path.strip("/"), include=["timestamps"])
                found = [
                    {
                        "name": f"{below}/{each['name']}",
                        "size": None if each["is_directory"] else each["size"],
                        "type": "directory" if each["is_directory"] else "file",
                        "mtime": each["last_modified"],
                    }
                    for each in listed
                ]
        except (FileNotFoundError, NotADirectoryError):
            found = [self.info(path)]
            if found[0]["type"] == "directory":
                raise
        return found if detail else [each["name"] for each in found]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """What is known of a file or a folder."""
        path = self._strip_protocol(path)
        if path != "/":
            try:
                with _translated(path):
                    found = self.share.get_file_client(path.strip("/")).get_file_properties()
                return {
                    "name": path,
                    "type": "file",
                    "size": found.size,
                    "mtime": found.last_modified,
                    "etag": found.etag,
                }
            except FileNotFoundError:
                pass
        with _translated(path):
            self.share.get_directory_client(path.strip("/")).get_directory_properties()
        return {"name": path, "type": "directory", "size": None}

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Make a folder."""
        path = self._strip_protocol(path)
        if create_parents and self._parent(path) != "/":
            self.makedirs(self._parent(path), exist_ok=True)
        with _translated(path):
            self.share.create_directory(path.strip("/"))

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a folder and those above it."""
        parts = self._strip_protocol(path).strip("/").split("/")
        for count in range(1, len(parts) + 1):
            try:
                self.mkdir("/".join(parts[:count]), create_parents=False)
            except FileExistsError:
                if count == len(parts) and not exist_ok:
                    raise

    def rmdir(self, path: str) -> None:
        """Delete an empty folder."""
        with _translated(path):
            self.share.delete_directory(self._strip_protocol(path).strip("/"))

    def _rm(self, path: str) -> None:
        """Delete a file or an empty folder: called for each by ``rm``, the deepest first."""
        if self.isdir(path):
            self.rmdir(path)
            return
        with _translated(path):
            self.share.get_file_client(self._strip_protocol(path).strip("/")).delete_file()

    def mv(self, path1: str, path2: str, **options: Any) -> None:
        """Rename a file; one of the new name is replaced."""
        with _translated(path1):
            source = self.share.get_file_client(self._strip_protocol(path1).strip("/"))
            source.rename_file(self._strip_protocol(path2).strip("/"), overwrite=True)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> ShareFile:
        return ShareFile(self, path, mode, block_size or PIECE, **options)


class ShareFile(AbstractBufferedFile):  # type: ignore[misc]
    """A file of a share: written beside its place, and renamed when it is whole."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        with _translated(self.path):
            client = self.fs.share.get_file_client(self.path.strip("/"))
            found: bytes = client.download_file(offset=start, length=end - start).readall()
        return found

    def _initiate_upload(self) -> None:
        folder, _, name = self.path.strip("/").rpartition("/")
        self._beside = f"{folder}/{hidden(name, uuid.uuid4().hex)}".lstrip("/")
        with _translated(self.path):
            self._client = self.fs.share.get_file_client(self._beside)
            self._client.create_file(0)

    def _upload_chunk(self, final: bool = False) -> bool:
        data = self.buffer.getvalue()
        with _translated(self.path):
            if data:
                self._client.resize_file(self.offset + len(data))
            for at in range(0, len(data), PIECE):
                piece = data[at : at + PIECE]
                self._client.upload_range(piece, offset=self.offset + at, length=len(piece))
            if final:
                self._client.rename_file(self.path.strip("/"), overwrite=True)
        return True

    def discard(self) -> None:
        """Leave nothing of what was written."""
        if getattr(self, "_client", None) is not None:
            self._client.delete_file()


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Errors of the library as those of files; that the share itself is gone stays what it is."""
    try:
        yield
    except ResourceNotFoundError as error:
        if SHARE_IS_GONE in str(error):
            raise
        raise FileNotFoundError(2, "No such file or folder", path) from error
    except ResourceExistsError as error:
        raise FileExistsError(17, "It exists already", path) from error
