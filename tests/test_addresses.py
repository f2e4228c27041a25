"""One spelling for each address."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.addresses import Address

SEGMENT = st.text(st.sampled_from("ab Z%é?#&+.~"), min_size=1, max_size=6)


@given(st.lists(SEGMENT, min_size=1, max_size=4))
def test_spelling_twice_changes_nothing(segments: list[str]) -> None:
    address = Address.parse("https://Host:443/" + "/".join(segments))
    assert Address.parse(address.canonical) == Address(address.canonical, address.canonical)
    assert json.dumps(address.name)
    assert "/" not in address.name and address.name not in (".", "..")


def test_addresses_that_differ_stay_apart() -> None:
    spellings = ["https://h/a", "https://h/A", "https://h/a?x=1", "https://h/a?x=2", "http://h/a", "https://h:1/a",
                 "https://h/a?tokenizer=x", "https://h/a?tokenizer=y", "https://h/a?pageToken=1", "https://h/a?pageToken=2",
                 "github://o:r@1/a", "github://o:s@1/a", "s3://h/a", "https://h/a%2Fb", "https://h/a/b"]  # fmt: skip
    assert len({Address.parse(each).key for each in spellings}) == len(spellings)


@pytest.mark.parametrize("name", ["access_token", "token", "X-Amz-Signature", "client_secret", "PASSWORD", "apiKey"])
def test_what_says_who_asks_is_left_out(name: str) -> None:
    addresses = [Address.parse(f"https://h/a?x=1&{name}={value}") for value in ("mine", "yours")]
    assert {address.canonical for address in addresses} == {"https://h/a?x=1"}


class Spot(NamedTuple):
    """A file or a folder in a container, bucket or share: what an address of it has to tell, and nothing else."""

    host: str
    container: str
    path: tuple[str, ...]


def azure(scheme: str, service: str) -> Callable[[Spot], str]:
    """A spelling of a place in a container with Azure's own schemes."""

    def spelled(spot: Spot) -> str:
        account, _, cloud = spot.host.rpartition("/")
        return f"{scheme}://{quote(spot.container)}@{account}.{service}.{cloud}/" + "/".join(map(quote, spot.path))

    return spelled


def web(service: str) -> Callable[[Spot], str]:
    """The same over http."""

    def spelled(spot: Spot) -> str:
        account, _, cloud = spot.host.rpartition("/")
        return f"https://{account}.{service}.{cloud}/" + "/".join(map(quote, (spot.container, *spot.path)))

    return spelled


AZURE = [
    *(azure(scheme, service) for scheme in ("wasb", "wasbs", "abfs", "abfss") for service in ("blob", "dfs")),
    *(web(service) for service in ("blob", "dfs")),
]
CLOUDS = [
    "acme/core.windows.net",
    "acme2/core.windows.net",
    "acme/core.chinacloudapi.cn",
    "acme.z01/storage.azure.net",
    "onelake/fabric.microsoft.com",
    "westeurope-onelake/fabric.microsoft.com",
]
NAME = st.text(st.sampled_from("abZ 9é-"), min_size=1, max_size=5).filter(lambda name: name.strip() == name)
SPOTS = st.builds(Spot, st.sampled_from(CLOUDS), NAME, st.lists(NAME, max_size=3).map(tuple))


@given(SPOTS, st.sampled_from(AZURE), SPOTS, st.sampled_from(AZURE))
def test_azure_addresses_are_the_same_where_the_place_is(
    one: Spot, spelled: Callable[[Spot], str], other: Spot, spelled_otherwise: Callable[[Spot], str]
) -> None:
    first, second = Address.parse(spelled(one)), Address.parse(spelled_otherwise(other))
    assert (first.canonical == second.canonical) == (one == other)
    assert first.key == Address.parse(spelled_otherwise(one)).key
    assert Address.parse(first.canonical).canonical == first.canonical


HOST = st.sampled_from(["h.example.org", "bucket", "10.0.0.1:2222", "me@h:22", "c@own.example.org"])
SCHEMES = st.sampled_from(["https", "s3", "sftp", "adl", "abfss", "wasbs", "gs", "smb"])


PATH = st.lists(NAME, max_size=3).map(tuple)
PARTS = st.tuples(SCHEMES, HOST, PATH)


@given(PARTS, PARTS, st.sets(st.integers(0, 2)))
def test_no_part_of_an_address_is_lost(
    one: tuple[str, str, tuple[str, ...]], more: tuple[str, str, tuple[str, ...]], changed: set[int]
) -> None:
    def parsed(scheme: str, host: str, path: tuple[str, ...]) -> Address:
        host = host.rpartition("@")[2] if scheme == "https" else host  # a user there is a secret
        return Address.parse("/".join([f"{scheme}://{host}", *map(quote, path)]))

    scheme, host, path = (more[at] if at in changed else one[at] for at in range(3))
    other = scheme, host, path
    first, second = parsed(*one), parsed(scheme, host, path)
    assert (first.canonical == second.canonical) == (one == other)
    assert Address.parse(first.canonical).canonical == first.canonical


def test_a_lakehouse_keeps_its_workspace() -> None:
    spelled = "abfss://Sales@onelake.dfs.fabric.microsoft.com/Shop.Lakehouse/Files/day.csv"
    expected = "https://onelake.blob.fabric.microsoft.com/Sales/Shop.Lakehouse/Files/day.csv"
    assert Address.parse(spelled).canonical == expected


@pytest.mark.parametrize(
    ("url", "account_url", "path"),
    [
        (
            "abfss://Sales@onelake.dfs.fabric.microsoft.com/Shop.Lakehouse/Files/day.csv",
            "https://onelake.blob.fabric.microsoft.com",
            "Sales/Shop.Lakehouse/Files/day.csv",
        ),
        ("wasbs://c@acme.blob.core.chinacloudapi.cn/x", "https://acme.blob.core.chinacloudapi.cn", "c/x"),
        ("abfss://c@acme.dfs.core.windows.net/x", "https://acme.blob.core.windows.net", "c/x"),
    ],
)
def test_the_library_for_azure_is_led_to_the_right_host(url: str, account_url: str, path: str) -> None:
    pytest.importorskip("adlfs", reason="the extra azure is not installed")
    from store.transfer.remote import open_filesystem

    system, found = open_filesystem(Address.parse(url))
    assert (system.account_url, found) == (account_url, path)
