"""The MLTable file: every field of the dialect's list is read, anything else is a fault with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from store.errors import DocumentError
from store.specs.document import Document
from store.specs.loading import load, parse

PATHS = [{"file": "./a.csv"}]
WHOLE: list[Any] = [
    "read_delimited",
    "read_parquet",
    "read_json_lines",
    "read_delta_lake",
    "extract_columns_from_partition_format",
    {
        "read_delimited": {
            "delimiter": ";",
            "header": "no_header",
            "support_multi_line": True,
            "empty_as_string": True,
            "encoding": "utf8 bom",
            "include_path_column": True,
            "infer_column_types": {
                "sample_size": 5,
                "column_type_overrides": [
                    {"columns": ["a", "b"], "column_type": "stream_info"},
                    {"columns": "c", "column_type": {"datetime": {"formats": "%Y", "date_constant": "2020-01-01"}}},
                ],
            },
            "path_column": "Path",
            "partition_size": 1000,
        }
    },
    {"read_delimited": {"infer_column_types": False}},
    {"read_parquet": {"include_path_column": True, "path_column": "Path"}},
    {
        "read_json_lines": {
            "invalid_lines": "drop",
            "encoding": "utf8bom",
            "include_path_column": True,
            "path_column": "Path",
            "partition_size": 1,
        }
    },
    {"read_delta_lake": {"version_as_of": 0, "include_path_column": False}},
    {"read_delta_lake": {"timestamp_as_of": "2022-10-01T00:00:00Z"}},
    {"extract_columns_from_partition_format": {"partition_format": "{a}/{b}.csv"}},
    {"select_partitions": [0, 2]},
    {"sample": {"sampler": "randomPercent", "sampler_arguments": {"seed": 1, "probability": 0.5}}},
    {"sample": {"sampler": "random_percent", "sampler_arguments": {"probability_lower_bound": 0.1}}},
    {"filter": "a > 1"},
    {"take": 5},
    {"skip": 5},
    {"take_random_sample": {"probability": 0.5, "seed": 1}},
    {"drop_columns": "a"},
    {"drop_columns": {"pattern": "a", "ignore_case": True, "invert": True}},
    {"keep_columns": ["a", "b"]},
    {
        "convert_column_types": [
            {"columns": {"pattern": "a"}, "column_type": {"stream_info": {"escaped": True, "subscription": "s"}}},
            {
                "columns": "b",
                "column_type": {"boolean": {"true_values": ["y"], "false_values": ["n"], "mismatch_as": "true"}},
            },
        ]
    },
]


def read(data: dict[str, Any]) -> dict[str, Any]:
    return parse(Document.of({"type": "mltable", **data}, file="MLTable"), "mltable").document()


@pytest.mark.parametrize("transformation", WHOLE, ids=str)
def test_every_transformation_of_the_dialect_is_read(transformation: Any) -> None:
    document = read({"paths": PATHS, "transformations": [transformation]})
    assert read(document) == document
    name = transformation if isinstance(transformation, str) else next(iter(transformation))
    assert list(document["transformations"][0]) == [name]


def test_paths_metadata_traits_and_a_query_are_read() -> None:
    paths = [{"file": "a"}, {"folder": "b"}, {"pattern": "c/*.csv"}]
    table = {"paths": paths, "metadata": {"x": [1]}, "traits": {"timestamp_column": "t", "index_columns": ["i"]}}
    assert read(table).items() >= table.items()
    arguments = {"datastore_name": "d", "resource_group": "r", "subscription": "s", "workspace_name": "w"}
    query = {"query_source": {"handler": "h", "handler_arguments": arguments, "query": "SELECT 1"}}
    assert read(query).items() >= query.items()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "the table has neither `paths` nor `query_source`"),
        ({"paths": []}, "the list is empty"),
        ({"paths": [{"file": "a", "folder": "b"}]}, "'file' and 'folder' in one item"),
        ({"paths": [{"url": "a"}]}, "unknown key 'url'"),
        ({"paths": PATHS, "columns": []}, "unknown key 'columns'"),
        ({"paths": PATHS, "transformations": ["read_csv"]}, "there is no transformation 'read_csv'"),
        ({"paths": PATHS, "transformations": [{"read_csv": {}}]}, "unknown key 'read_csv'"),
        ({"paths": PATHS, "transformations": ["take"]}, "'take' needs a value"),
        ({"paths": PATHS, "transformations": [{"take": -1}]}, "expected a number of at least 0"),
        ({"paths": PATHS, "transformations": [{"take": 1, "skip": 1}]}, "'take' and 'skip' in one item"),
        ({"paths": PATHS, "transformations": ["read_parquet", "read_json_lines"]}, "a table has one reader"),
        ({"paths": PATHS, "transformations": [{"read_delimited": {"header": "none"}}]}, "'none' is not one of"),
        ({"paths": PATHS, "transformations": [{"take_random_sample": {"probability": 1.5}}]}, "less than or equal"),
        (
            {"paths": PATHS, "transformations": [{"convert_column_types": [{"columns": "a", "column_type": "long"}]}]},
            "'long' is no type of a column",
        ),
        (
            {
                "paths": PATHS,
                "transformations": [
                    {"convert_column_types": [{"columns": "a", "column_type": {"boolean": {"true_values": ["y"]}}}]}
                ],
            },
            "true_values and false_values go together",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_else_is_a_fault(data: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(data)
    assert told in str(caught.value)


def test_a_fault_has_its_place_and_names_what_is_supported(tmp_path: Path) -> None:
    file = tmp_path / "MLTable"
    file.write_text("type: mltable\npaths:\n  - file: a.csv\ntransformations:\n  - read_delimitd: {delimiter: ','}\n")
    with pytest.raises(DocumentError) as caught:
        load("mltable", file)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (5, 5)
    assert "did you mean 'read_delimited'?" in str(fault.hint) and "keep_columns" in str(fault.hint)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("amount >", "the condition ends too early: column 9 of the condition 'amount >'"),
        ("1 < amount < 3", "a comparison of a comparison: column 12 of the condition '1 < amount < 3'"),
        ("", "the condition is empty"),
    ],
)
def test_a_condition_that_cannot_be_read_is_a_fault_with_its_place(tmp_path: Path, condition: str, told: str) -> None:
    file = tmp_path / "MLTable"
    file.write_text(f"paths:\n  - file: a.csv\ntransformations:\n  - read_delimited\n  - filter: '{condition}'\n")
    with pytest.raises(DocumentError) as caught:
        load("mltable", file)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (5, 13)
    assert told in fault.message and fault.hint


def test_an_empty_file_is_told_of_its_own_kind(tmp_path: Path) -> None:
    (tmp_path / "MLTable").write_text("")
    with pytest.raises(DocumentError) as caught:
        load("mltable", tmp_path / "MLTable")
    hint = str(caught.value.faults[0].hint)
    assert "workbench schema" in hint and "job" not in hint
