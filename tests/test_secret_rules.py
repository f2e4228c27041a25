"""What is hidden of an address in one place is hidden in all."""

from __future__ import annotations

import pytest

from engines.environments.addresses import Secrets, redact
from engines.jobs.differences import without_secrets
from store.addresses import split_secrets
from store.secret_rules import replace_secrets

ADDRESSES = [
    "https://me:hush@host/x",
    "https://hush@host/x",
    "sftp://me:hush@host/x",
    "https://a.blob.core.windows.net/x?sv=1&sig=hush%2F%3D",
    "https://host/x?access_token=hush&page=2",
    "https://host/x?X-Amz-Security-Token=hush",
    "https://host/x?api_key=hush",
    "https://host/x?client_secret=hush",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_secret_is_hidden_wherever_an_address_is_shown(address: str) -> None:
    for shown in (split_secrets(address)[0], redact(address), without_secrets(address), Secrets({}).hide(address)):
        assert shown is not None and "hush" not in shown and "host" in shown.replace("a.blob", "host")
    assert "hush" not in redact(f"could not read '{address}' (404); see https://docs.test/x?page_token=3")


@pytest.mark.parametrize(
    "text",
    [
        "https://host/x?tokenizer=bert&page_token=3",
        "wasbs://container@account.blob.core.windows.net/x",
        "github://organisation:repository@main/x",
        "git+ssh://git@host/x.git",
        "write to someone@host.test about a=b",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert replace_secrets(text, lambda _: "***") == text


def test_a_connection_string() -> None:
    text = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hush==;EndpointSuffix=core.windows.net"
    assert replace_secrets(text, lambda _: "***") == text.replace("hush==", "***")
