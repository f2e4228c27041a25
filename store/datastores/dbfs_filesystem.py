"""fsspec's file system of Databricks, with bounded time, and true to what it deletes."""

from __future__ import annotations

from typing import Any

from fsspec.implementations.dbfs import DatabricksException, DatabricksFileSystem
from requests import HTTPError
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

SECONDS = (10, 60)
"""To connect, and to wait for an answer."""


class DbfsFileSystem(DatabricksFileSystem):  # type: ignore[misc]
    """Files of a workspace. One that is being written can be seen from its first block on: move it to its place."""

    def __init__(self, url: str, token: str, **options: Any) -> None:
        super().__init__(url.partition("://")[2], token, **options)
        self._url = url
        again = Retry(total=3, backoff_factor=0.5, status_forcelist=[429, 502, 503, 504], allowed_methods=["GET"])
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=again))

    def _send_to_api(self, method: str, endpoint: str, json: dict[str, Any]) -> dict[str, Any]:
        answer = self.session.request(method, f"{self._url}/api/2.0/dbfs/{endpoint}", json=json, timeout=SECONDS)
        try:
            answer.raise_for_status()
        except HTTPError as error:
            try:
                told = answer.json()
            except ValueError:
                raise error from None
            raise DatabricksException(told.get("error_code", ""), told.get("message", str(error))) from error
        found: dict[str, Any] = answer.json()
        return found

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """What is known of a file or a folder; one request, where the class below lists the folder above."""
        try:
            found = self._send_to_api("get", "get-status", {"path": path})
        except DatabricksException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                raise FileNotFoundError(path) from error
            raise
        kind = "directory" if found["is_dir"] else "file"
        return {
            "name": found["path"],
            "type": kind,
            "size": found["file_size"],
            "mtime": found.get("modification_time"),
        }

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """Always as it is now."""
        self.dircache.clear()
        found: list[Any] = super().ls(path, detail=detail, **options)
        return found

    def rm(self, path: str | list[str], recursive: bool = False, **options: Any) -> None:
        """Delete, as often as the service says that a part is left."""
        for each in [path] if isinstance(path, str) else path:
            while True:
                try:
                    self._send_to_api("post", "delete", {"path": each, "recursive": recursive})
                    break
                except DatabricksException as error:
                    if error.error_code != "PARTIAL_DELETE":
                        raise OSError(error.message) from error

    def rm_file(self, path: str) -> None:
        """Delete a file."""
        self.rm(path)
