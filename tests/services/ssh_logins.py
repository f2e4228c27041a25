"""Other ways into OpenSSH's server than a key in a file: a password, and an agent that has the key."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services.file_servers import HOST, PASSWORD, USER, SshServed
from tests.services.running import end, free_port, missing, program, running

UID = 28_734


@pytest.fixture(scope="session")
def ssh_password_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServed]:
    """OpenSSH's server with a user who logs in by password, and whom the machine outside of it does not know.

    It has a copy of ``/etc`` for its own, with that user; ``closed`` is a folder of root's.
    """
    sshd = program("sshd", "apt install openssh-server", "/usr/sbin")
    if os.getuid() != 0:
        missing("a server that knows users of its own wants root")
    base = Path(tempfile.mkdtemp(prefix="workbench-sshd-"))  # pytest's folders are closed to other users
    base.chmod(0o755)
    files, etc, port = base / "files", base / "etc", free_port()
    files.mkdir()
    (files / "closed").mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(base / "host")], check=True)
    subprocess.run(["cp", "-a", "/etc", str(etc)], check=True)
    (base / "config").write_text(
        f"Port {port}\nListenAddress {HOST}\nHostKey {base}/host\nPidFile {base}/pid\nPasswordAuthentication yes\n"
        "KbdInteractiveAuthentication no\nPubkeyAuthentication no\nUsePAM no\nStrictModes no\n"
        "Subsystem sftp internal-sftp\n"
    )
    (base / "known_hosts").write_text(f"[{HOST}]:{port} {(base / 'host.pub').read_text()}")
    (base / "login").write_text(f"{USER}:{PASSWORD}\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    steps = [
        f"mount --bind {etc} /etc",
        f"PATH=$PATH:/usr/sbin useradd --uid {UID} --no-create-home --home-dir {files} --shell /bin/sh {USER}",
        f"PATH=$PATH:/usr/sbin chpasswd < {base}/login",
        f"chown {UID} {files}",
        f"exec {shlex.quote(sshd)} -D -e -f {base}/config",
    ]
    unshare = [program("unshare", "apt install util-linux"), "--mount", "--propagation", "private"]
    try:
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
            pytest.skip("no mount namespace can be made here")
        with running([*unshare, "sh", "-c", " && ".join(steps)], port, tmp_path_factory.mktemp("sshd") / "log"):
            yield SshServed(port, files, USER, base / "host", base / "known_hosts")
    finally:
        shutil.rmtree(base)


@contextmanager
def ssh_agent(folder: Path) -> Iterator[dict[str, str]]:
    """An agent without keys; what leads to it is what the environment gets."""
    socket = folder / "agent"
    command = [program("ssh-agent", "apt install openssh-client"), "-D", "-a", str(socket)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it listens before it tells where
        yield {"SSH_AUTH_SOCK": str(socket)}
    finally:
        end(process)
