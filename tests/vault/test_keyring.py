"""The system's keyring holds the key where there is one that encrypts; whoever cannot reach it is told so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.errors import MachineError
from store.vault import Vault, system_keyring
from tests.conftest import Cli
from tests.test_run import write

SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
JOB = 'command: test "$TOKEN" = p4ssp4ss\nenvironment_variables: {TOKEN: "${{secrets.TOKEN}}"}\n'


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("keyring.backends.null.Keyring", "(keyring.backends.null.Keyring) is none of the system's"),
        ("keyring.backends.fail.Keyring", "this system has no keyring that can be reached"),
        ("keyrings.alt.file.PlaintextKeyring", "(keyrings.alt.file.PlaintextKeyring) is none of the system's"),
        ("keyring.backends.chainer.ChainerBackend", "is none of the system's"),
        ("nothing.Here", "it cannot be used here: ModuleNotFoundError: No module named 'nothing'"),
    ],
)
def test_what_does_not_encrypt_is_refused_and_a_file_holds_the_key(
    vault: Vault, config: Path, monkeypatch: pytest.MonkeyPatch, backend: str, reason: str
) -> None:
    """The chain, on a machine without a bus, is one of keyrings.alt alone."""
    pytest.importorskip("keyring")
    pytest.importorskip("keyrings.alt")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    told: list[str] = []
    vault.say = told.append
    vault.set("A", "a")
    assert (vault.place, vault.get("A"), len(list(config.iterdir()))) == ("file", "a", 1)
    (line,) = told
    assert line.startswith(f"the key to this workspace's secrets is in {config}/")
    assert reason in line
    with pytest.raises(MachineError, match="Without a keyring the key lies in a file"):
        Vault(vault.folder.parent / "other").move("keyring")


def test_the_keyring_is_chosen_once_and_written_down(
    vault: Vault, config: Path, keyring: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    vault.say = told.append
    vault.set("A", "a")
    assert (vault.place, vault.get("A"), config.exists()) == ("keyring", "a", False)
    assert told == [f"the key to this workspace's secrets is in the system's keyring ({SECRET_SERVICE})"]
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    assert vault.get("A") == "a", "what is written down counts"


def test_where_the_keyring_cannot_be_reached_that_is_said(
    vault: Vault, config: Path, keyring: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.set("A", "a")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    for act in (lambda: vault.get("A"), lambda: vault.set("A", "b"), lambda: vault.move("file")):
        with pytest.raises(MachineError) as refused:
            act()
        assert "their key is in the system's keyring, and it cannot be used here: " in str(refused.value)
        assert "run `workbench secret move file` where it answers" in str(refused.value)
    assert vault.names() == ["A"], "no second vault was begun"
    assert vault.delete("A")


def test_a_key_that_is_gone_from_the_keyring(vault: Vault, keyring: dict[str, str]) -> None:
    vault.set("A", "a")
    vault.set("B", "b")
    script = (
        "import keyring, secretstorage; c = secretstorage.get_default_collection(secretstorage.dbus_init())\n"
        "for item in c.get_all_items(): item.delete()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with pytest.raises(MachineError, match="is not there"):
        vault.get("A")


def test_moved_to_a_file_and_back(
    vault: Vault, config: Path, keyring: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.set("A", "a")
    vault.set("datastore/blob/key", "b")
    times = vault.secrets()
    vault.move("file")
    with monkeypatch.context() as ssh:
        ssh.delenv("DBUS_SESSION_BUS_ADDRESS")
        assert (vault.get("A"), vault.get("datastore/blob/key"), vault.place) == ("a", "b", "file")
    (file,) = config.iterdir()
    vault.move("keyring")
    assert (vault.get("A"), vault.secrets(), file.exists()) == ("a", times, False)
    script = (
        "import secretstorage; c = secretstorage.get_default_collection(secretstorage.dbus_init())\n"
        "print(len(list(c.get_all_items())))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "1\n", "the first key is gone"


def test_a_keyring_that_waits_is_given_up(
    vault: Vault, keyring: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.set("A", "a")
    monkeypatch.setattr(system_keyring, "PATIENCE", 0.01)
    with pytest.raises(MachineError, match=r"did not answer within 0 s; it may be waiting to be unlocked"):
        vault.get("A")


def test_without_the_package_its_extra_is_named(
    vault: Vault, keyring: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.set("A", "a")
    monkeypatch.setattr(system_keyring, "find_spec", lambda name: None)
    with pytest.raises(MachineError, match=r'pip install "workbench-ml\[keyring\]"'):
        vault.get("A")


@pytest.mark.slow
def test_a_job_is_given_a_secret_whose_key_is_in_the_keyring(cli: Cli, tmp_path: Path, keyring: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli.main", "secret", "set", "TOKEN", "--stdin"],
        input="p4ssp4ss\n",
        text=True,
        capture_output=True,
        env={**os.environ, "WORKBENCH_WORKSPACE": str(tmp_path / "ws")},
    )
    assert (done.returncode, "in the system's keyring" in done.stderr) == (0, True), done.stderr
    assert cli("agent", "start").returncode == 0
    ran = cli("run", write(tmp_path, JOB))
    assert ran.returncode == 0, ran.stderr
    assert cli("agent", "stop").returncode == 0
    away = dict.fromkeys(keyring, "") | {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
    failed = cli("run", write(tmp_path, JOB), env=away)
    assert failed.returncode == 1
    assert "their key is in the system's keyring, and it cannot be used here" in " ".join(failed.stderr.split())
