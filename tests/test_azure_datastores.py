"""What the Azure types of datastores say of places and logins, without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.addresses import Address
from store.datastores import azure, checking, filesystems
from store.datastores.registry import Datastore
from store.errors import UsageError

ID = "0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, "https://acme.blob.core.windows.net"),
        ({"endpoint": "core.chinacloudapi.cn"}, "https://acme.blob.core.chinacloudapi.cn"),
        ({"endpoint": "127.0.0.1:10000", "protocol": "http"}, "http://127.0.0.1:10000/acme"),
        ({"endpoint": "http://127.0.0.1:10000/acme", "protocol": "http"}, "http://127.0.0.1:10000/acme"),
        ({"endpoint": "azurite:10000", "protocol": "http"}, "http://azurite:10000/acme"),
        ({"endpoint": "[::1]:10000", "protocol": "http"}, "http://[::1]:10000/acme"),
    ],
)
def test_where_an_account_is(document: dict[str, Any], expected: str) -> None:
    datastore = Datastore("d", "azure_blob", {"account_name": "acme", "container_name": "c", **document})

    assert azure.account_url(datastore, "blob") == expected


def test_the_same_data_has_one_address() -> None:
    gen2 = Datastore("d", "azure_data_lake_gen2", {"account_name": "acme", "filesystem": "data"})

    assert (
        filesystems.address(gen2, "a/b.csv")
        == Address.parse("abfss://data@acme.dfs.core.windows.net/a/b.csv").canonical
    )


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        (None, "/sales/x.csv"),
        ({"name": "shop"}, "/sales/shop.Lakehouse/x.csv"),
        ({"name": "shop.Lakehouse/Files"}, "/sales/shop.Lakehouse/Files/x.csv"),
        ({"name": f"{ID}/Files"}, f"/sales/{ID}/Files/x.csv"),
    ],
)
def test_where_a_lakehouse_is(artifact: dict[str, str] | None, expected: str) -> None:
    document = {"one_lake_workspace_name": "sales", "endpoint": "onelake.dfs.fabric.microsoft.com"}
    datastore = Datastore("d", "one_lake", {**document, "artifact": artifact})

    assert filesystems.address(datastore, "x.csv") == f"https://onelake.blob.fabric.microsoft.com{expected}"


def test_gen1_is_kept_and_cannot_be_used() -> None:
    datastore = Datastore("old", "azure_data_lake_gen1", {"store_name": "acme"})

    with pytest.raises(UsageError, match=r"retired by its owner on 29 February 2024[\s\S]*azure_data_lake_gen2"):
        filesystems.open_filesystem(datastore, {})
    assert "retired" in (checking.check(datastore, {}) or "")
    assert filesystems.address(datastore, "a.csv") == "adl://acme.azuredatalakestore.net/a.csv"


def test_only_a_past_end_of_a_token_counts() -> None:
    datastore = Datastore("d", "azure_blob", {"account_name": "acme", "container_name": "c"})
    past, future = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (-1, 1))

    for token in (f"?se={future}&sig=x", "sv=2024&sig=x", "se=soon&sig=x"):
        azure.refuse_expired(datastore, token)
    with pytest.raises(checking.CheckError, match=past) as raised:
        azure.refuse_expired(datastore, f"sp=r&se={past}&sig=secret")
    assert "secret" not in str(raised.value)
