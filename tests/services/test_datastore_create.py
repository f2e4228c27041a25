"""``workbench datastore create`` against real servers: what fails is named, and nothing of it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.layout import Layout
from store.vault import open_vault
from tests.conftest import Cli
from tests.services.azurite import ACCOUNT, KEY, Azurite
from tests.services.file_servers import HOST
from tests.services.mariadb import PASSWORD as MARIADB_PASSWORD
from tests.services.mariadb import MariaDB
from tests.services.postgresql import PASSWORD as POSTGRESQL_PASSWORD
from tests.services.postgresql import PostgreSQL
from tests.services.running import free_port
from tests.services.test_file_servers import s3, smb, webdav
from tests.services.test_ssh_logins import by_password

pytestmark = pytest.mark.slow

WRONG = "wr0ng-s3cret"


def azure_blob(served: Azurite) -> dict[str, Any]:
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient(served.url, credential=KEY) as service:
        if not service.get_container_client("created").exists():
            service.create_container("created")
    place = {"account_name": ACCOUNT, "container_name": "created", "endpoint": f"{HOST}:{served.port}"}
    return {"type": "azure_blob", **place, "protocol": "http", "credentials": {"account_key": KEY}}


def postgresql(served: PostgreSQL) -> dict[str, Any]:
    login = {"username": "postgres", "password": POSTGRESQL_PASSWORD}
    return {"type": "sql", "database_url": served.url, "credentials": login}


def mariadb(served: MariaDB) -> dict[str, Any]:
    login = {"username": "ann", "password": MARIADB_PASSWORD}
    return {"type": "sql", "database_url": served.url, "credentials": login}


SECRET = {"azurite": "account_key", "s3_server": "secret_access_key"}
"""The field that has the secret, where that is not ``password``."""
KINDS: dict[str, Any] = {
    "azurite": azure_blob,
    "s3_server": s3,
    "webdav_server": webdav,
    "smb_server": smb,
    "ssh_password_server": by_password,
    "postgresql": postgresql,
    "mariadb": mariadb,
}
PLACE = {
    "azurite": ("container_name", "nowhere"),
    "s3_server": ("bucket", "nowhere"),
    "smb_server": ("share", "nowhere"),
    "ssh_password_server": ("path", "/nowhere"),
}
"""The field that says where on its server a datastore lies; elsewhere it is the end of the URL."""


def broken(kind: str, document: dict[str, Any], port: int) -> dict[str, tuple[dict[str, Any], str]]:
    """By what fails: a document with that mistake, and what is told of it."""
    credentials = {**document["credentials"], SECRET.get(kind, "password"): WRONG}
    url = next((field for field in ("endpoint_url", "database_url") if field in document), None)
    if url is not None:
        old = document[url]
        used = old.split("://")[1].split("/")[0]
        nobody, nowhere = old.replace(used, f"{HOST}:{port}"), old.replace(used, "no-such-host.invalid:81")
        found = {"connection": ({**document, url: nobody}, f"{HOST}:{port}")}
        found["name resolution"] = ({**document, url: nowhere}, "no-such-host.invalid")
    elif kind == "azurite":
        found = {"connection": ({**document, "endpoint": f"{HOST}:{port}"}, f"{HOST}:{port}")}
        found["name resolution"] = ({**document, "endpoint": "no-such-host.invalid"}, "no-such-host.invalid")
    else:
        found = {"connection": ({**document, "port": port}, f"{HOST}:{port}")}
        found["name resolution"] = ({**document, "host": "no-such-host.invalid"}, "no-such-host.invalid")
    found["login"] = ({**document, "credentials": credentials}, "login failed")
    if kind in PLACE:
        field, value = PLACE[kind]
        found["place"] = ({**document, field: value}, "nowhere")
    else:
        assert url is not None
        root = document[url] if kind == "webdav_server" else document[url].rpartition("/")[0]
        found["place"] = ({**document, url: f"{root}/nowhere"}, "nowhere")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_is_named_and_nothing_is_kept(
    kind: str, request: pytest.FixtureRequest, cli: Cli, layout: Layout, tmp_path: Path
) -> None:
    document = KINDS[kind](request.getfixturevalue(kind))
    file = tmp_path / "shop.json"
    for step, (wrong, says) in broken(kind, document, free_port()).items():
        file.write_text(json.dumps({"name": "shop", **wrong}))
        done = cli("datastore", "create", "-f", file)
        assert (done.returncode, done.stdout) == (1, ""), step
        assert says in done.stderr, step
        assert step == "place" or f"{step} failed" in done.stderr
        assert "Traceback" not in done.stderr and WRONG not in done.stderr
        assert open_vault(layout).names() == []
    names = [each["name"] for each in json.loads(cli("datastore", "list").stdout)]
    assert "shop" not in names

    file.write_text(json.dumps({"name": "shop", **document}))
    done = cli("datastore", "create", "-f", file)
    assert done.returncode == 0, done.stderr
