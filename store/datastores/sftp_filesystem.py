"""fsspec's file system over SFTP, with what a datastore needs of it: known hosts, progress, missing folders."""

from __future__ import annotations

import os
from typing import Any

import paramiko
from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.implementations.sftp import SFTPFileSystem

from store.datastores.sftp import unknown_host


class _OnlyKnown(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses every host whose key is not in the file."""

    def __init__(self, file: str, port: int) -> None:
        self.file, self.port = file, port

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        host = hostname.removeprefix("[").partition("]")[0]
        raise unknown_host(self.file, host, self.port, key)


class SftpFileSystem(SFTPFileSystem):  # type: ignore[misc]
    """Files over SFTP."""

    def __init__(self, host: str, *, port: int, known_hosts: str, **ssh: Any) -> None:
        self.known_hosts = known_hosts
        super().__init__(host, port=port, host_key_policy=_OnlyKnown(known_hosts, port), **ssh)

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        if os.path.exists(self.known_hosts):
            self.client.load_host_keys(self.known_hosts)
        self.client.set_missing_host_key_policy(self.host_key_policy)
        try:
            self.client.connect(self.host, **self.ssh_kwargs)
            self.ftp = self.client.open_sftp()
        except BaseException:
            self.client.close()
            raise
        self.ftp.get_channel().settimeout(60.0)

    def close(self) -> None:
        """End the connection; without that it stays until the garbage is collected."""
        self.client.close()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped: str = super()._strip_protocol(path) if "://" in path else path  # a path may hold # and ?
        return stripped

    def ls(self, path: str, detail: bool = True, **_: Any) -> Any:
        info = self.info(path)
        if info["type"] == "file":
            return [info] if detail else [info["name"]]
        return super().ls(path, detail=detail)

    def put_file(self, lpath: Any, rpath: str, callback: Any = DEFAULT_CALLBACK, **_: Any) -> None:
        self.makedirs(self._parent(rpath), exist_ok=True)
        self.ftp.put(os.fspath(lpath), rpath, callback=lambda done, _total: callback.absolute_update(done))

    def _rm(self, path: str) -> None:
        path = self._strip_protocol(path)
        if self.isdir(path):
            self.ftp.rmdir(path)
        else:
            self.ftp.remove(path)

    rm_file = _rm
