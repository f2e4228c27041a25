"""Parquet below folders that name columns: read with them, or said."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pyarrow
import pytest
from pyarrow import parquet

from store.tabular.source import open_table

MLTABLE = "type: mltable\npaths:\n  - folder: ./part\ntransformations:\n{}  - read_parquet\n"
FORMAT = "  - extract_columns_from_partition_format: {partition_format: 'store={store}/day={day}/{file}.parquet'}\n"


@pytest.fixture
def part(tmp_path: Path) -> Path:
    rows = pyarrow.table({"store": ["a", "a", "b c"], "day": [1, 2, 2], "n": [10, 20, 30]})
    parquet.write_to_dataset(rows, tmp_path / "part", partition_cols=["store", "day"])
    return tmp_path / "part"


def rows(place: Path | str, **wanted: object) -> list[tuple[object, ...]]:
    table = open_table(place).to_arrow() if not wanted else open_table(place).filtered(str(wanted["filter"])).to_arrow()
    return sorted(zip(*(table[name].to_pylist() for name in ("store", "day", "n")), strict=True))


def test_the_columns_of_the_folders_are_read_and_filtered(part: Path) -> None:
    whole = [("a", 1, 10), ("a", 2, 20), ("b c", 2, 30)]
    assert rows(part) == whole
    assert rows(f"{part}/*/*/*.parquet") == whole
    assert rows(part, filter="store == 'b c' and n > 1") == [("b c", 2, 30)]
    assert rows(part, filter="day > 1") == whole[1:]
    assert open_table(part).count() == 3
    assert set(open_table(part / "store=a").schema.names) == {"day", "n"}


def test_they_are_read_in_other_file_systems_too(part: Path) -> None:
    system = fsspec.filesystem("memory")
    system.put(f"{part}/", "/hive/", recursive=True)
    for place in ("memory://hive", "memory://hive/*/*/*.parquet"):
        assert rows(place) == [("a", 1, 10), ("a", 2, 20), ("b c", 2, 30)]


def test_what_a_folder_lacks_is_missing(part: Path) -> None:
    parquet.write_table(pyarrow.table({"n": [40]}), part / "more.parquet")
    found = open_table(part).to_arrow().sort_by("n").to_pylist()
    assert found[-1] == {"store": None, "day": None, "n": 40}


def test_a_file_has_its_own_column_rather_than_that_of_its_folder(part: Path) -> None:
    parquet.write_table(pyarrow.table({"store": ["own"], "n": [40]}), part / "store=b%20c/day=2/own.parquet")
    found = open_table(part).filtered("n == 40").to_arrow().to_pylist()
    assert [each["store"] for each in found] == ["own"]


def test_an_mltable_reads_as_azure_does_and_says_so(part: Path) -> None:
    (part.parent / "MLTable").write_text(MLTABLE.format(""))
    table = open_table(part.parent)
    assert table.schema.names == ["n"]
    assert ["store, day" in each for each in table.warnings] == [True]
    (part.parent / "MLTable").write_text(MLTABLE.format(FORMAT))
    table = open_table(part.parent)
    assert ({"store", "day", "n"} <= set(table.schema.names), table.warnings) == (True, [])
