"""Containers of Azure Blob Storage, against Azurite: what is read and written there, and what of a failure is told."""

from __future__ import annotations

import hashlib
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.addresses import Address
from store.datastores import checking, filesystems
from store.datastores.registry import Datastore
from tests.services.azurite import ACCOUNT, KEY, Azurite
from tests.services.dropping import dropping_proxy
from tests.services.running import free_port

pytest.importorskip("adlfs", reason="the extra azure is not installed")
pytestmark = pytest.mark.slow


class Vault(dict[str, str]):
    """Secrets by name."""


def blob(port: int, container: str, **credentials: str) -> tuple[Datastore, Vault]:
    """A datastore with its secrets apart, as the registry keeps them."""
    document: dict[str, Any] = {
        "account_name": ACCOUNT,
        "container_name": container,
        "endpoint": f"127.0.0.1:{port}",
        "protocol": "http",
        "credentials": dict.fromkeys(credentials),
    }
    return Datastore("sales", "azure_blob", document), Vault(
        {f"datastore/sales/{field}": value for field, value in credentials.items()}
    )


@pytest.fixture
def container(azurite: Azurite) -> str:
    """A new container."""
    from azure.storage.blob import BlobServiceClient

    name = f"c{uuid.uuid4().hex[:12]}"
    with BlobServiceClient(azurite.url, credential=KEY) as service:
        service.create_container(name)
    return name


def sas(container: str, ends_in: timedelta, rights: str = "racwdl") -> str:
    """A token for a container."""
    from azure.storage.blob import generate_container_sas

    return generate_container_sas(
        ACCOUNT, container, account_key=KEY, permission=rights, expiry=datetime.now(UTC) + ends_in
    )


@pytest.mark.parametrize("login", ["account_key", "sas_token"])
def test_what_is_written_is_listed_and_read(login: str, azurite: Azurite, container: str) -> None:
    secret = KEY if login == "account_key" else sas(container, timedelta(hours=1))
    datastore, vault = blob(azurite.port, container, **{login: secret})

    assert checking.check(datastore, vault) is None
    system, root = filesystems.open_filesystem(datastore, vault)
    system.pipe_file(f"{root}/daily/a b.csv", b"x\n1\n")
    system.pipe_file(f"{root}/daily/ü.csv", b"x\n2\n")

    assert sorted(system.find(root)) == [f"{root}/daily/a b.csv", f"{root}/daily/ü.csv"]
    assert system.cat_file(f"{root}/daily/a b.csv", start=2) == b"1\n"
    assert system.info(f"{root}/daily/ü.csv")["size"] == 4
    system.rm(f"{root}/daily", recursive=True)
    assert system.find(root) == []


def test_fifty_megabytes_go_up_and_come_down_whole(azurite: Azurite, container: str, tmp_path: Path) -> None:
    content = os.urandom(50 * 2**20)
    (tmp_path / "up").write_bytes(content)
    datastore, vault = blob(azurite.port, container, account_key=KEY)
    system, root = filesystems.open_filesystem(datastore, vault)

    system.put_file(str(tmp_path / "up"), f"{root}/big")
    system.get_file(f"{root}/big", str(tmp_path / "down"))

    assert hashlib.sha256((tmp_path / "down").read_bytes()).digest() == hashlib.sha256(content).digest()


def test_a_download_survives_a_dropped_connection(azurite: Azurite, container: str, tmp_path: Path) -> None:
    content = os.urandom(20 * 2**20)
    direct, vault = blob(azurite.port, container, account_key=KEY)
    system, root = filesystems.open_filesystem(direct, vault)
    system.pipe_file(f"{root}/big", content)
    with dropping_proxy(azurite.port) as proxy:
        through, _ = blob(proxy.port, container, account_key=KEY)
        system, root = filesystems.open_filesystem(through, vault)
        proxy.drop(times=1, after=2 * 2**20)

        system.get_file(f"{root}/big", str(tmp_path / "down"))

    assert proxy.dropped == 1
    assert (tmp_path / "down").read_bytes() == content


def test_a_download_that_breaks_for_good_is_an_error(azurite: Azurite, container: str, tmp_path: Path) -> None:
    direct, vault = blob(azurite.port, container, account_key=KEY)
    system, root = filesystems.open_filesystem(direct, vault)
    system.pipe_file(f"{root}/big", os.urandom(20 * 2**20))
    with dropping_proxy(azurite.port) as proxy:
        through, _ = blob(proxy.port, container, account_key=KEY)
        system, root = filesystems.open_filesystem(through, vault)
        proxy.drop(times=10_000, after=2 * 2**20)

        with pytest.raises(Exception) as raised:
            system.get_file(f"{root}/big", str(tmp_path / "down"))

        assert checking.understood(raised.value, through).step in ("connection", "answer")


def test_an_upload_that_breaks_off_leaves_nothing_to_see(azurite: Azurite, container: str) -> None:
    datastore, vault = blob(azurite.port, container, account_key=KEY)
    system, root = filesystems.open_filesystem(datastore, vault)
    stream = system.open(f"{root}/half", "wb", block_size=2**20)
    for _ in range(3):
        stream.write(os.urandom(2**20))

    system.invalidate_cache()
    assert [each for each in system.find(root) if system.info(each)["size"]] == []


@pytest.mark.parametrize(
    ("login", "secret", "step", "says"),
    [
        ("account_key", "d3Jvbmc=", "login", "refuses the credentials"),
        ("account_key", "not base 64!", "login", "no key"),
        ("sas_token", "expired", "login", "expired on"),
        ("sas_token", "forged", "login", "refuses the credentials"),
        ("sas_token", "unreadable", "right", "may not"),
    ],
)
def test_refusals(login: str, secret: str, step: str, says: str, azurite: Azurite, container: str) -> None:
    tokens = {
        "expired": sas(container, timedelta(hours=-1)),
        "forged": sas(container, timedelta(hours=1)).replace("sig=", "sig=AAAA"),
        "unreadable": sas(container, timedelta(hours=1), "w"),
    }
    given = tokens.get(secret, secret)
    datastore, vault = blob(azurite.port, container, **{login: given})

    with pytest.raises(checking.CheckError) as raised:
        checking.check(datastore, vault)

    assert (raised.value.step, says in str(raised.value)) == (step, True), str(raised.value)
    assert given not in str(raised.value)


def test_a_container_that_is_not_there(azurite: Azurite) -> None:
    datastore, vault = blob(azurite.port, "nowhere", account_key=KEY)

    with pytest.raises(checking.CheckError, match="the container 'nowhere' does not exist") as raised:
        checking.check(datastore, vault)

    assert raised.value.step == "place"


def test_nobody_listens() -> None:
    datastore, vault = blob(free_port(), "c", account_key=KEY)

    with pytest.raises(checking.CheckError) as raised:
        checking.check(datastore, vault)

    assert raised.value.step == "connection"


def test_the_account_has_no_name_on_the_network() -> None:
    document = {"account_name": "nosuch", "container_name": "c", "endpoint": "invalid", "protocol": "https"}
    datastore = Datastore("sales", "azure_blob", {**document, "credentials": {"account_key": None}})

    with pytest.raises(checking.CheckError, match=r"nosuch\.blob\.invalid") as raised:
        checking.check(datastore, Vault({"datastore/sales/account_key": KEY}))

    assert raised.value.step == "name resolution"


def test_variables_of_the_environment_decide_nothing(
    azurite: Azurite,
    container: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=d3Jvbmc=")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=other")
    datastore, vault = blob(azurite.port, container, account_key=KEY)

    assert checking.check(datastore, vault) is None


def test_addresses_are_those_that_the_cache_knows() -> None:
    datastore = Datastore("sales", "azure_blob", {"account_name": "acme", "container_name": "data"})

    found = filesystems.address(datastore, "daily/a b.csv")

    assert found == "https://acme.blob.core.windows.net/data/daily/a%20b.csv"
    assert found == Address.parse("wasbs://data@acme.blob.core.windows.net/daily/a b.csv").canonical
    assert found == Address.parse("abfss://data@acme.dfs.core.windows.net/daily/a b.csv").canonical
