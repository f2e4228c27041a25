"""One spelling for each address."""

from __future__ import annotations

import json

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
