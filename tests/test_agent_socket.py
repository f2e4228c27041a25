"""Where the agent listens: in a folder that is the user's alone, the same for every session."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from store.layout import is_own, runtime_folder

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="gives a folder to another user, and mounts")
OURS = Path(f"/tmp/workbench-{os.getuid()}")


def test_the_runtime_folder_of_the_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/self")
    assert runtime_folder() == Path(f"/proc/{os.getpid()}")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert runtime_folder() == OURS


def test_one_that_is_missing_or_too_long_for_a_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    assert runtime_folder() == OURS
    (tmp_path / ("x" * 100)).mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    assert runtime_folder() == OURS


def test_whose_a_folder_is(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("own")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o770)
    (tmp_path / "file").touch()
    found = {name: is_own(tmp_path / name) for name in ("own", "link", "shared", "file", "missing")}
    assert found == {"own": True, "link": False, "shared": False, "file": False, "missing": False}


@ROOT_ONLY
def test_another_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r").mkdir(mode=0o700)
    os.chown(tmp_path / "r", 65534, 65534)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    assert runtime_folder() == OURS


@ROOT_ONLY
@pytest.mark.parametrize("trap", ["os.mkdir(folder); os.chown(folder, 65534, 65534)", "os.symlink('/root', folder)"])
def test_who_was_in_tmp_first_gets_nothing(trap: str) -> None:
    """In a /tmp of its own another user makes the folder beforehand, or a link, and listens there."""
    script = f"""
        import ctypes, os, socket, subprocess, sys
        from pathlib import Path
        from store.errors import MachineError
        from store.layout import Layout
        from workbench.agent.channel import Channel, poke

        layout = Layout(Path("/ws"))
        if ctypes.CDLL(None).unshare(0x20000):  # CLONE_NEWNS
            sys.exit("skip")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
        folder = str(layout.agent_socket.parent)
        {trap}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(str(layout.agent_socket))
            assert not poke(layout)
            try:
                Channel(layout)
            except MachineError as error:
                print(error)
        os.unlink(layout.agent_socket)
    """
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, env=environment
    )
    if done.stderr == "skip\n":
        pytest.skip("needs a mount namespace")
    assert "others may write there" in done.stdout, done.stderr
    assert "Set XDG_RUNTIME_DIR" in done.stdout
