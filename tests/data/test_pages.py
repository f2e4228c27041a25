"""Data assets and versions by key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from store import database
from store.data import assets, pages
from store.data.assets import DataVersion
from store.data.pages import Asset, DataFilter
from store.layout import Layout


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    with closing(database.connect(layout.database)) as found:
        yield found


def register(connection: sqlite3.Connection, name: str, kind: str = "uri_file") -> DataVersion:
    return assets.create(connection, DataVersion(name, "", kind, "/data", {}))


def names(found: list[Asset]) -> list[str]:
    return [each.latest.name for each in found]


def test_assets_come_by_name_in_both_directions(connection: sqlite3.Connection) -> None:
    every = [f"asset-{number:02d}" for number in range(10)]
    for name in reversed(every):
        register(connection, name)
    wanted = DataFilter()
    met = names(pages.page(connection, wanted, 4))
    while found := names(pages.page(connection, wanted, 4, after=met[-1])):
        met += found
    assert met == every
    assert names(pages.last(connection, wanted, 3)) == every[-3:]
    assert names(pages.page(connection, wanted, 3, before="asset-07")) == every[4:7]
    assert names(pages.page(connection, wanted, 2, start="asset-05")) == every[5:7]


def test_an_asset_has_its_latest_version_their_number_and_labels(connection: sqlite3.Connection) -> None:
    for _ in range(3):
        register(connection, "churn")
    assets.label(connection, "churn", "good", "3")
    (found,) = pages.page(connection, DataFilter(), 9)
    assert (found.latest.version, found.versions, found.archived, found.labels) == ("3", 3, False, ("good", "latest"))


def test_archived_assets_and_those_whose_versions_all_are_stand_apart(connection: sqlite3.Connection) -> None:
    for name in ("all", "some", "whole"):
        register(connection, name)
        register(connection, name)
    assets.archive(connection, "whole", None)
    assets.archive(connection, "some", "2")
    for version in ("1", "2"):
        assets.archive(connection, "all", version)
    assert names(pages.page(connection, DataFilter(), 9)) == ["some"]
    assert pages.page(connection, DataFilter(), 9)[0].latest.version == "1"
    assert names(pages.page(connection, DataFilter(archived=True), 9)) == ["all", "whole"]
    assert names(pages.page(connection, DataFilter(archived=None), 9)) == ["all", "some", "whole"]


def test_assets_are_narrowed_by_words_and_type(connection: sqlite3.Connection) -> None:
    register(connection, "sales-2026")
    register(connection, "Sales-table", "mltable")
    register(connection, "churn", "mltable")
    assert names(pages.page(connection, DataFilter(("sales",)), 9)) == ["Sales-table", "sales-2026"]
    assert names(pages.page(connection, DataFilter(types=("mltable",)), 9)) == ["Sales-table", "churn"]


def test_versions_come_by_when_they_were_made(connection: sqlite3.Connection) -> None:
    for version in ("9", "2", "x", "4"):
        assets.create(connection, DataVersion("churn", version, "uri_file", "/data", {}))
    register(connection, "other")
    assets.label(connection, "churn", "good", "2")
    found = pages.versions(connection, "churn", 9)
    assert [each.data.version for each in found] == ["4", "x", "2", "9"]
    assert [each.labels for each in found] == [("latest",), (), ("good",), ()]
    older = pages.versions(connection, "churn", 9, older=found[1].id)
    newer = pages.versions(connection, "churn", 1, newer=found[2].id)
    begun = pages.versions(connection, "churn", 2, start=found[1].id)
    assert [[each.data.version for each in some] for some in (older, newer, begun)] == [["2", "9"], ["x"], ["x", "2"]]


def test_the_newest_versions_are_those_of_assets_that_are_not_archived(connection: sqlite3.Connection) -> None:
    for name in ("one", "two", "hidden", "one"):
        register(connection, name)
    assets.archive(connection, "hidden", None)
    assets.archive(connection, "one", "1")
    assert [f"{each.name}:{each.version}" for each in pages.newest(connection, 9)] == ["one:2", "two:1"]
    assert len(pages.newest(connection, 1)) == 1
