"""Versions, labels and the archive of data assets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from store import database
from store.data import assets
from store.data.assets import DataVersion
from store.errors import ConflictError, NotFoundError, UsageError
from store.layout import Layout


@pytest.fixture
def connection(layout: Layout) -> Iterator[sqlite3.Connection]:
    opened = database.connect(layout.database)
    yield opened
    opened.close()


def version(name: str = "churn", version: str = "", path: str = "/data/churn.csv", **more: object) -> DataVersion:
    return DataVersion(name, version, "uri_file", path, {}, **more)  # type: ignore[arg-type]


def test_versions_count_up_from_one(connection: sqlite3.Connection) -> None:
    assert [assets.create(connection, version(path=f"/{i}")).version for i in range(3)] == ["1", "2", "3"]


def test_a_given_number_is_counted_on_from(connection: sqlite3.Connection) -> None:
    assets.create(connection, version(version="7"))
    assert assets.create(connection, version()).version == "8"


def test_a_deleted_number_is_not_given_again(connection: sqlite3.Connection) -> None:
    assets.create(connection, version())
    assets.create(connection, version())
    assets.delete(connection, "churn", "2")
    assert assets.create(connection, version()).version == "3"


def test_latest_is_the_last_made_not_the_highest(connection: sqlite3.Connection) -> None:
    assets.create(connection, version(version="10"))
    assets.create(connection, version(version="2"))
    assert assets.get(connection, "churn").version == "2"
    assert assets.get(connection, "churn", label="latest").version == "2"


def test_a_version_keeps_what_it_points_to(connection: sqlite3.Connection) -> None:
    assets.create(connection, version(version="1", path="/a"))
    with pytest.raises(ConflictError, match="/a"):
        assets.create(connection, version(version="1", path="/b"))
    assert assets.get(connection, "churn", "1").path == "/a"


def test_the_description_of_a_version_may_change(connection: sqlite3.Connection) -> None:
    assets.create(connection, DataVersion("churn", "1", "uri_file", "/a", {"tags": {"x": "1"}}))
    assets.create(connection, DataVersion("churn", "1", "uri_file", "/a", {"description": "new"}))
    assert assets.get(connection, "churn", "1").document == {"tags": {"x": "1"}, "description": "new"}


def test_a_label_moves(connection: sqlite3.Connection) -> None:
    assets.create(connection, version())
    assets.create(connection, version())
    assets.label(connection, "churn", "gold", "1")
    assert assets.get(connection, "churn", label="gold").version == "1"
    assets.label(connection, "churn", "gold", "2")
    assert assets.labels(connection, assets.get(connection, "churn", "2")) == ("gold", "latest")
    assets.label(connection, "churn", "gold", None)
    with pytest.raises(NotFoundError, match="gold"):
        assets.get(connection, "churn", label="gold")


def test_the_label_latest_is_not_ones_own(connection: sqlite3.Connection) -> None:
    assets.create(connection, version())
    with pytest.raises(UsageError):
        assets.label(connection, "churn", "latest", "1")


def test_an_archived_version_is_hidden_and_usable(connection: sqlite3.Connection) -> None:
    assets.create(connection, version())
    assets.create(connection, version())
    assets.archive(connection, "churn", "2")
    assert [each.version for each in assets.find(connection, "churn")] == ["1"]
    assert [each.version for each in assets.find(connection)] == ["1"]
    assert [each.version for each in assets.find(connection, "churn", archived=True)] == ["2"]
    assert [each.version for each in assets.find(connection, "churn", archived=None)] == ["2", "1"]
    assert assets.get(connection, "churn").version == "2"


def test_an_archived_asset_is_hidden_whole(connection: sqlite3.Connection) -> None:
    assets.create(connection, version())
    assets.archive(connection, "churn", None)
    assert list(assets.find(connection)) == []
    assert assets.get(connection, "churn").version == "1"
    assets.archive(connection, "churn", None, archived=False)
    assert len(list(assets.find(connection))) == 1


def test_equal_content_has_a_twin(connection: sqlite3.Connection) -> None:
    assets.create(connection, version(fingerprint="f1"))
    second = assets.create(connection, version("other", fingerprint="f1"))
    assert [str(each) for each in assets.twins(connection, second)] == ["azureml:churn:1"]


def test_what_there_is_not_is_answered_with_what_there_is(connection: sqlite3.Connection) -> None:
    assets.create(connection, version())
    with pytest.raises(NotFoundError) as unknown:
        assets.get(connection, "chrun")
    assert "'churn'" in str(unknown.value)
    with pytest.raises(NotFoundError) as number:
        assets.get(connection, "churn", "9")
    assert "It has 1, @latest" in str(number.value)
