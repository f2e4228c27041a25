"""``workbench datastore``: documents and flags come in, secrets go into the vault and come out nowhere."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store.database import connect
from store.datastores import credentials, keeping, registry
from store.errors import ConflictError
from store.layout import Layout
from store.specs.datastores import MODELS, allowed_credentials
from store.specs.document import Document
from store.specs.loading import parse
from store.vault import open_vault
from tests.conftest import Cli
from workbench.cli.datastore import TYPES
from workbench.cli.datastore_fields import FIELDS, fill, joined

PLANTED = "pl4nted-s3cret-of-a-share"


def share(**changes: Any) -> dict[str, Any]:
    login = {"username": "ann", "password": PLANTED}
    return {"type": "smb", "name": "files", "host": "files.invalid", "share": "data", "credentials": login, **changes}


def kept(layout: Layout, document: dict[str, Any]) -> registry.Datastore:
    """Keep a document as the command does."""
    checked = parse(Document.of(document), "datastore").document()
    with closing(connect(layout.database)) as connection:
        return keeping.keep(layout, connection, checked, lambda _: None)


def test_every_field_of_every_type_has_a_flag_and_every_flag_a_field() -> None:
    outside = {"name", "type", "id", "schema_address", "tags", "credentials"}
    fields = {field for model in MODELS.values() for field in model.model_fields} - outside
    logins = {model for kind in MODELS for model in allowed_credentials(kind)}
    fields |= {field for model in logins for field in model.model_fields if field not in model.secrets}
    assert fields == FIELDS.keys()
    assert set(MODELS) == set(TYPES)


def test_flags_stand_where_their_type_has_them() -> None:
    document = Document.of({})
    fill(document, {"type": "sftp", "name": "lab", "host": "h", "username": "ann"}, {})
    assert document.data == {"type": "sftp", "name": "lab", "host": "h", "username": "ann"}
    fill(document, {"type": "sftp", "name": "lab", "username": "ann"}, {"password": "p"})
    assert document.data["credentials"] == {"username": "ann", "password": "p"}


def test_other_credentials_replace_those_that_do_not_go_with_them() -> None:
    key = {"username": "ann", "private_key": "k", "passphrase": "p"}
    assert joined(key, {"password": "w"}, "sftp") == {"username": "ann", "password": "w"}
    assert joined(key, {"private_key": "n"}, "sftp") == {**key, "private_key": "n"}
    assert joined({"account_key": "k"}, {"sas_token": "s"}, "azure_blob") == {"sas_token": "s"}


@pytest.mark.slow
def test_a_folder_is_created_listed_shown_changed_and_deleted(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    missing = cli("datastore", "create", "--type", "local", "--name", "inbox", "--path", folder)
    assert (missing.returncode, str(folder) in missing.stderr) == (3, True)
    assert {each["name"] for each in json.loads(cli("datastore", "list").stdout)} == registry.BUILT_IN.keys()
    folder.mkdir()
    made = cli("datastore", "create", "--type", "local", "--name", "inbox", "--path", folder)
    assert json.loads(made.stdout)["path"] == str(folder), made.stderr
    (folder / "a").mkdir()
    file = tmp_path / "f.csv"
    file.write_text("1,2\n")
    up = cli("datastore", "upload", file, "inbox/a/")
    assert up.stdout == "azureml://datastores/inbox/paths/a/f.csv\n", up.stderr
    assert cli("datastore", "ls", "inbox/a", "-o", "tsv", "--query", "[].[name, size]").stdout == "f.csv\t4\n"
    assert cli("datastore", "upload", file, "inbox/a/").returncode == 4
    down = cli("datastore", "download", up.stdout.strip(), tmp_path / "g.csv")
    assert ((tmp_path / "g.csv").read_text(), down.stdout) == ("1,2\n", f"{tmp_path}/g.csv\n")
    assert cli("datastore", "ls", "inbox/../..").returncode == 2
    changed = cli("datastore", "update", "inbox", "--description", "What comes in", "--set", "tags.team=vision")
    assert json.loads(changed.stdout)["tags"] == {"team": "vision"}, changed.stderr
    assert cli("datastore", "delete", "inbox", "--yes").returncode == 0
    assert cli("datastore", "show", "inbox").returncode == 3
    assert (folder / "a" / "f.csv").exists()
    assert cli("datastore", "delete", registry.DEFAULT, "--yes").returncode == 2


@pytest.mark.slow
def test_a_secret_is_found_nowhere_outside_of_the_vault(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    document = tmp_path / "share.yml"
    document.write_text(json.dumps(share()))
    told = [cli("datastore", "create", "-f", document, "--no-check")]
    told += [cli("datastore", *words) for words in (["show", "files"], ["list"], ["check", "files"])]
    told += [cli("datastore", "update", "files", "--path", "/x", "--no-check")]
    assert [each.returncode for each in told] == [0, 0, 0, 1, 0], [each.stderr for each in told]
    assert json.loads(told[1].stdout)["credentials"] == {"username": "ann", "password": None}
    assert json.loads(told[1].stdout)["login"] == "user and password"
    assert PLANTED not in "".join(each.stdout + each.stderr for each in told)
    files = [each for each in layout.root.rglob("*") if each.is_file()]
    assert [each for each in files if PLANTED.encode() in each.read_bytes()] == []
    assert open_vault(layout).get("datastore/files/password.2") == PLANTED
    assert cli("datastore", "delete", "files", "--yes").returncode == 0
    assert open_vault(layout).names() == []


@pytest.mark.slow
def test_secrets_are_no_arguments(cli: Cli, layout: Layout) -> None:
    common = ["datastore", "create", "--type", "smb", "--name", "files", "--host", "h", "--share", "s", "--no-check"]
    for words in (
        ["--username", "ann", "--secret", f"password={PLANTED}"],
        ["--username", "ann", "--set", f"credentials.password={PLANTED}"],
        ["--set", f"credentials={{username: ann, password: {PLANTED}}}"],
    ):
        refused = cli(*common, *words)
        assert (refused.returncode, PLANTED in refused.stderr) == (2, False), refused.stderr
    given = subprocess.run(
        [sys.executable, "-m", "workbench.cli.main", *common, "--username", "ann", "--secret", "password", "--stdin"],
        input=f"{PLANTED}\n",
        env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert given.returncode == 0, given.stderr
    assert open_vault(layout).get("datastore/files/password") == PLANTED


def test_a_secret_of_the_users_stays_named(layout: Layout) -> None:
    found = kept(layout, share(credentials={"username": "ann", "password": "${{secrets.SHARE}}"}))
    assert found.document["credentials"]["password"] == "${{secrets.SHARE}}"
    assert open_vault(layout).names() == []
    open_vault(layout).set("SHARE", PLANTED)
    assert credentials.put_back(found, open_vault(layout))["password"] == PLANTED


@pytest.mark.parametrize("value", ["12345", "true", "[pl4nted]", "2026-01-01"])
def test_a_fault_does_not_quote_what_may_be_a_secret(value: str, tmp_path: Path) -> None:
    from store.errors import DocumentError
    from store.specs.loading import load

    file = tmp_path / "d.yml"
    file.write_text(f"type: smb\nname: files\nhost: h\nshare: s\ncredentials: {{username: ann, password: {value}}}\n")
    with pytest.raises(DocumentError) as caught:
        load("datastore", file)
    assert f"{file}:5:" in str(caught.value)
    assert value.strip("[]") not in str(caught.value).replace(str(file), "")


class Killed(BaseException):
    """As if the process had ended here."""


def dies(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("written", [False, True], ids=["before the row", "after the row"])
def test_a_kill_between_vault_and_database_leaves_the_old_or_the_new_whole(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    kept(layout, share())
    sweeps = iter([keeping.sweep, dies])  # the second one comes behind the row; a killed process does not reach it
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "sweep", lambda *arguments: next(sweeps)(*arguments))
        if not written:
            patch.setattr(registry, "create", dies)
        with pytest.raises(Killed):
            kept(layout, share(credentials={"username": "bob", "password": "another"}))
    assert len(open_vault(layout).names()) == 2, "the secrets of both are there"
    with closing(connect(layout.database)) as connection:
        found = registry.get(connection, layout, "files")
    given = credentials.put_back(found, open_vault(layout))
    new, old = {"username": "bob", "password": "another"}, {"username": "ann", "password": PLANTED}
    assert given == (new if written else old)
    kept(layout, share())
    assert len(open_vault(layout).names()) == 1, "what was left over is swept"


def test_another_type_does_not_take_a_name_and_leaves_no_secret(layout: Layout) -> None:
    kept(layout, share())
    before = open_vault(layout).names()
    with pytest.raises(ConflictError):
        login = {"username": "ann", "password": "x"}
        kept(layout, {"type": "webdav", "name": "files", "endpoint_url": "https://h", "credentials": login})
    assert open_vault(layout).names() == before


def test_what_is_in_the_database_names_no_secret(layout: Layout) -> None:
    kept(layout, share())
    kept(layout, share(path="/other"))
    with closing(sqlite3.connect(layout.database)) as connection:
        (text,) = connection.execute("SELECT document FROM datastore").fetchone()
    assert json.loads(text)["credentials"] == {"username": "ann", "password": None}
