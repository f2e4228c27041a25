"""webdav4's file system, with what a datastore needs of it: paths from ``/`` on, and a move in one step."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from webdav4.client import Client
from webdav4.fsspec import WebdavFileSystem
from webdav4.urls import URL, join_url_path


class _Client(Client):  # type: ignore[misc]
    """A client for paths with any characters."""

    def join_url(self, path: str, add_trailing_slash: bool = False) -> URL:
        joined = quote(join_url_path(self.base_url.path, path))
        found: URL = self.base_url.copy_with(path=joined + ("/" if add_trailing_slash else ""))
        return found


class WebDavFileSystem(WebdavFileSystem):  # type: ignore[misc]
    """Files over WebDAV."""

    cachable = False

    def __init__(self, base_url: str, **options: Any) -> None:
        super().__init__(base_url, client=_Client(base_url, **options))

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return str(super()._strip_protocol(path)).strip("/")

    def mv(self, path1: str, path2: str, **_: Any) -> None:
        self.client.move(self._strip_protocol(path1), self._strip_protocol(path2), overwrite=True)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        info = self.info(path)
        if info["type"] != "directory":
            return [info] if detail else [info["name"]]
        return super().ls(path, detail=detail, **kwargs)
