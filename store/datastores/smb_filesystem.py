"""fsspec's file system over SMB, with what a datastore needs of it: quick listings, and a move that replaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import smbclient
from fsspec.implementations.smb import SMBFileSystem
from smbprotocol.exceptions import SMBOSError


@contextmanager
def _as_python_has_it() -> Iterator[None]:
    """The library's errors of files as Python's own, which callers know."""
    try:
        yield
    except SMBOSError as error:
        raise OSError(error.errno, error.strerror, error.filename) from error


class SmbFileSystem(SMBFileSystem):  # type: ignore[misc]
    """Files of a share."""

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped: str = super()._strip_protocol(path) if "://" in path else path  # a path may hold # and ?
        return stripped

    def _unc(self, path: str) -> str:
        return rf"\\{self.host}" + path.rstrip("/").replace("/", "\\")

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        with _as_python_has_it():
            found: dict[str, Any] = super().info(path.rstrip("/"), **kwargs)
        return {**found, "name": path.rstrip("/")}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        info = self.info(path)
        if info["type"] == "file":
            return [info] if detail else [info["name"]]
        with (
            _as_python_has_it(),
            smbclient.scandir(self._unc(path), port=self._port) as listed,
        ):  # one answer tells names, sizes and times
            found = [_listed(path, each) for each in listed]
        return found if detail else [each["name"] for each in found]

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        with _as_python_has_it():
            return super()._open(path, mode, **kwargs)

    def mv(self, path1: str, path2: str, **_: Any) -> None:
        smbclient.replace(self._unc(path1), self._unc(path2), port=self._port)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        if path.strip("/").count("/"):  # the share itself is there, or cannot be made
            smbclient.makedirs(self._unc(path), exist_ok=exist_ok, port=self._port)

    def _rm(self, path: str) -> None:
        if self.isdir(path):
            self.rmdir(path)
        else:
            smbclient.remove(self._unc(path), port=self._port)

    rm_file = _rm


def _listed(path: str, each: Any) -> dict[str, Any]:
    status = each.smb_info
    return {
        "name": f"{path.rstrip('/')}/{each.name}",
        "type": "directory" if each.is_dir() else "file",
        "size": status.end_of_file,
        "mtime": status.last_write_time.timestamp(),
    }
