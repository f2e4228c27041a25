"""A vault keeps secrets: encrypted, whole, apart from its key, and says in words what is wrong with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import ConflictError, MachineError, NotFoundError, UsageError
from store.layout import Layout
from store.vault import Vault, open_vault, sealing

VALUE = "p4ss: wörd\n\twith\r\nlines\x01"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def key_of(config: Path) -> Path:
    (file,) = config.iterdir()
    return file


def test_what_was_set_is_there_for_the_next_process(vault: Vault) -> None:
    assert (vault.names(), vault.get("A"), vault.place) == ([], None, None)
    vault.set("B", "two")
    vault.set("A", VALUE)
    vault.set("datastore/blob/account_key", "three")
    again = Vault(vault.folder)
    assert again.names() == ["A", "B", "datastore/blob/account_key"]
    assert [again.get(name) for name in again.names()] == [VALUE, "two", "three"]
    vault.set("B", "new")
    assert again.get("B") == "new"
    assert (vault.delete("B"), vault.delete("B"), again.get("B")) == (True, False, None)
    assert again.names() == ["A", "datastore/blob/account_key"]


def test_looking_makes_nothing(vault: Vault) -> None:
    assert (vault.names(), vault.secrets(), vault.get("A"), vault.delete("A"), vault.place) == (
        [],
        [],
        None,
        False,
        None,
    )
    assert vault.own() == []
    assert not vault.folder.exists()


def test_a_secret_that_a_document_names_has_to_be_there(vault: Vault) -> None:
    vault.set("TOKEN", VALUE)
    vault.set("datastore/blob/TOKE", "x")
    assert vault.fill("a ${{secrets.TOKEN}} ${{ secrets.TOKEN }}") == f"a {VALUE} {VALUE}"
    vault.check("TOKEN")
    for act in (vault.require, vault.check, lambda name: vault.fill(f"${{{{secrets.{name}}}}}")):
        with pytest.raises(NotFoundError) as refused:
            act("TOKE")
        assert refused.value.hint == "did you mean 'TOKEN'? Set it: workbench secret set TOKE"


def test_files_are_private_and_the_key_is_elsewhere(vault: Vault, config: Path) -> None:
    vault.set("A", VALUE)
    key = key_of(config)
    assert vault.place == "file"
    assert [mode(path) for path in (vault.folder, vault.file, config, key)] == [0o700, 0o600, 0o700, 0o600]
    kept = b"".join(file.read_bytes() for file in vault.folder.iterdir())
    assert key.read_bytes().strip() not in kept
    assert b"p4ss" not in kept
    assert vault.folder not in key.parents


def test_a_value_is_not_encrypted_twice_alike(vault: Vault) -> None:
    vault.set("A", VALUE)
    vault.set("B", VALUE)
    sealed = json.loads(vault.file.read_text())["secrets"]
    assert sealed["A"]["value"] != sealed["B"]["value"]


@given(st.text(min_size=1).filter(lambda text: "\0" not in text and text.isprintable()))
def test_every_value_comes_back(value: str) -> None:
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    assert sealing.unseal(sealing.seal("A", value, key), "A", key, Path("x")) == value


@pytest.mark.parametrize("value", ["", "a\0b", "x" * (sealing.LONGEST + 1)])
def test_a_value_that_no_variable_can_have_is_refused(vault: Vault, value: str) -> None:
    with pytest.raises(UsageError) as refused:
        vault.set("A", value)
    assert "xxx" not in str(refused.value)
    assert not vault.folder.exists()


@pytest.mark.parametrize(
    "name", ["", "-x", "a b", "a/b", "datastore/x", "datastore//y", "a\n", "x" * 128, "ä", "A=p4ss"]
)
def test_a_name_that_cannot_be_is_refused(vault: Vault, name: str) -> None:
    with pytest.raises(UsageError) as refused:
        vault.set(name, "value")
    assert "Allowed: letters" in str(refused.value)
    assert "p4ss" not in str(refused.value)


def test_a_copied_workspace_says_that_its_key_is_missing(vault: Vault, config: Path, tmp_path: Path) -> None:
    vault.set("A", VALUE)
    vault.set("B", VALUE)
    file, key = key_of(config), key_of(config).read_text()
    file.unlink()
    shutil.copytree(vault.folder, tmp_path / "copy" / "vault")
    copy = open_vault(Layout(tmp_path / "copy"))
    assert copy.names() == ["A", "B"]
    for act in (lambda: copy.get("A"), lambda: copy.check("A"), lambda: copy.set("C", "x"), lambda: copy.set("A", "x")):
        with pytest.raises(MachineError) as refused:
            act()
        assert f"their key, in {file}, is not there" in str(refused.value)
        assert "A workspace that was copied leaves its key behind: copy that file too" in str(refused.value)
    assert copy.get("nothing") is None
    file.write_text(key)
    assert copy.get("A") == VALUE


def test_with_its_key_lost_a_vault_begins_anew_once_it_is_empty(vault: Vault, config: Path) -> None:
    vault.set("A", "old")
    vault.set("B", "old")
    key_of(config).unlink()
    assert vault.delete("B")
    vault.set("A", "new")
    assert (vault.get("A"), vault.names()) == ("new", ["A"])


@pytest.mark.parametrize("text", ["", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "\xff"])
def test_a_key_that_was_changed_is_told_from_one_that_is_missing(vault: Vault, config: Path, text: str) -> None:
    vault.set("A", VALUE)
    key_of(config).write_bytes(text.encode("latin-1"))
    with pytest.raises(MachineError, match="is another one: it was changed or damaged"):
        vault.get("A")


def changed(change: Callable[[dict[str, object]], object]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "\0" * len(text),
        lambda text: "[1]",
        changed(lambda document: document.pop("key")),
        changed(lambda document: document.update(secrets={"A": 1})),
        changed(lambda document: document.update(format=None)),
    ],
)
def test_a_damaged_file_is_answered_in_words_and_kept(vault: Vault, damage: Callable[[str], str]) -> None:
    vault.set("A", VALUE)
    text = damage(vault.file.read_text())
    vault.file.write_text(text)
    for act in (lambda: vault.get("A"), vault.names, lambda: vault.set("B", "x"), lambda: vault.delete("A")):
        with pytest.raises(MachineError) as refused:
            act()
        assert str(refused.value).startswith(f"the vault {vault.file} is damaged: it cannot be read")
    assert vault.file.read_text() == text


def test_a_damaged_secret_spoils_no_other(vault: Vault) -> None:
    vault.set("A", "a")
    vault.set("B", "b")
    document = json.loads(vault.file.read_text())
    sealed = document["secrets"]["A"]["value"]
    document["secrets"]["A"]["value"] = sealed[:30] + ("x" if sealed[30] != "x" else "y") + sealed[31:]
    vault.file.write_text(json.dumps(document))
    assert vault.get("B") == "b"
    with pytest.raises(MachineError, match="the secret 'A' cannot be read"):
        vault.get("A")
    vault.set("A", "c")
    assert vault.get("A") == "c"


def test_no_secret_passes_for_another(vault: Vault) -> None:
    vault.set("A", "a")
    vault.set("B", "b")
    document = json.loads(vault.file.read_text())
    document["secrets"]["A"]["value"] = document["secrets"]["B"]["value"]
    vault.file.write_text(json.dumps(document))
    with pytest.raises(MachineError, match="the secret 'A', which stands in the place of 'B', cannot be read"):
        vault.get("A")


def test_a_newer_vault_is_left_alone(vault: Vault) -> None:
    vault.set("A", "a")
    vault.file.write_text(changed(lambda document: document.update(format=2))(vault.file.read_text()))
    with pytest.raises(MachineError, match="written by a newer version"):
        vault.set("A", "b")


SET = "import sys; from store.vault import open_vault; from store.layout import Layout; from pathlib import Path\n"
WRITER = (
    SET + "vault = open_vault(Layout(Path(sys.argv[1])))\nfor n in range(10): vault.set(f'{sys.argv[2]}_{n}', f'v{n}')"
)
STORM = (
    SET + "vault = open_vault(Layout(Path(sys.argv[1])))\nn = 0\nwhile True: n += 1; vault.set('A', f'v{n}'); print(n)"
)


def test_several_processes_lose_nothing_of_each_other(vault: Vault, config: Path) -> None:
    """They even begin together, and still there is one key."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(vault.folder.parent), each]) for each in ("A", "B", "C")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert {name: vault.get(name) for name in vault.names()} == {f"{w}_{n}": f"v{n}" for w in "ABC" for n in range(10)}
    assert len(list(config.iterdir())) == 1


@pytest.mark.slow
def test_a_killed_writer_leaves_the_old_or_the_new_and_no_lock(vault: Vault) -> None:
    for count in range(1, 8):
        writer = subprocess.Popen(
            [sys.executable, "-u", "-c", STORM, str(vault.folder.parent)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        last = 0
        for _ in range(5 * count):
            last = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        last = max([last, *map(int, writer.stdout.read().split())])
        writer.wait(10)
        writer.stdout.close()
        assert vault.get("A") in (f"v{last}", f"v{last + 1}")
    vault.set("A", "unlocked")


def test_the_key_can_be_moved_only_where_it_is_not(vault: Vault) -> None:
    vault.set("A", "a")
    with pytest.raises(ConflictError, match="already"):
        vault.move("file")
    with pytest.raises(UsageError, match="keyring, file"):
        vault.move("pocket")
    assert vault.get("A") == "a"


def test_a_vault_that_cannot_be_written_says_so(vault: Vault) -> None:
    vault.folder.parent.joinpath("vault").write_text("a file in the way")
    with pytest.raises(MachineError, match="vault"):
        vault.set("A", "a")


@pytest.mark.parametrize("code", ["import store.vault", "import workbench.cli.secret"])
def test_nothing_heavy_is_imported_before_a_secret_is_used(code: str) -> None:
    heavy = "{'cryptography', 'keyring', 'subprocess', 'sqlalchemy', 'pydantic'} - {'subprocess'}"
    script = f"import sys; {code}; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "set()\n"
