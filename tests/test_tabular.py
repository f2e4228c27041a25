"""Tables by MLTable documents: what the dialect's own reader makes of the same files, as it was observed."""

from __future__ import annotations

import itertools
import math
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from store.errors import NotFoundError, UsageError
from store.tabular import blocks as blocks_module
from store.tabular.source import open_document, open_table
from store.tabular.table import Table

HEAD = "a,b,cc,Cd\n"
TEN = HEAD + "".join(f"{i},x{i},{i * 2},{i / 4}\n" for i in range(10))
TREE = {
    "d/s1/2020/01/x.csv": "a,b\n1,x\n",
    "d/s1/2020/02/y.csv": "b,a\nz,5\n",
    "d/s2/2021/01/z.csv": "a,b\n2,w\n",
    "d/_h/q.csv": "a,b\n9,h\n",
}
FOLDER = [{"folder": "./d"}]
PARTITIONS = {"extract_columns_from_partition_format": {"partition_format": "{S}/{dt:yyyy/MM}/{f}.csv"}}


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def opened(folder: Path, files: dict[str, str | bytes], *steps: Any, paths: Any = None) -> Table:
    write(folder, files)
    paths = paths or [{"file": name} for name in files]
    return open_document({"type": "mltable", "paths": paths, "transformations": list(steps)}, folder)


def delimited(folder: Path, text: str | bytes, *steps: Any, **reader: Any) -> dict[str, list[Any]]:
    return dict(opened(folder, {"a.csv": text}, {"read_delimited": reader}, *steps).to_arrow().to_pydict())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d\n1\n1\n", [True, True]),
        ("d\n1\n2\n", [1, 2]),
        ("d\nT\nfalse\n0\n", [True, False, False]),
        ("d\nTrue\n5\n", ["True", "5"]),
        ("d\nyes\nno\n", ["yes", "no"]),
        ("d\n1\n2.5\n", [1.0, 2.5]),
        ("d\n1e3\n.5\n5.\n", [1000.0, 0.5, 5.0]),
        ("d\n007\n+8\n 9\n", [7, 8, 9]),
        ("d\n9223372036854775808\n5\n", [9223372036854775808.0, 5.0]),
        ("d\n1\nx\n", ["1", "x"]),
        ("d,e\nNA,1\nnull,2\n,3\n", ["NA", "null", None]),
        ("d\n20200102\n", [20200102]),
        ("d\n2020-01-01 10:20:30\n2020-1-2\n", [datetime(2020, 1, 1, 10, 20, 30), datetime(2020, 1, 2)]),
        ("d\n2020-01-01T10:20:30+02:00\n", [datetime(2020, 1, 1, 8, 20, 30)]),
        ("d\n01/02/2020\n13/02/2020\n", [datetime(2020, 2, 1), datetime(2020, 2, 13)]),
        ("d\n1/13/2020 1:02:03 PM\n", [datetime(2020, 1, 13, 13, 2, 3)]),
        ("d\n2020/01/02\n", ["2020/01/02"]),
        ("d\n10:20:30\n", ["10:20:30"]),
        ("d\n" + "1\n" * 200 + "2\nx\n", [True] * 200 + [None] * 2),
        ("d\n" + "5\n" * 200 + "2.5\nx\n9\n", [5] * 200 + [2, None, 9]),
        ("d\n" + "5\n" * 199 + "x\n", ["5"] * 199 + ["x"]),
    ],
)
def test_types_are_found_as_the_dialect_finds_them(tmp_path: Path, text: str, expected: list[Any]) -> None:
    assert delimited(tmp_path, text)["d"] == expected


@pytest.mark.parametrize(
    ("text", "reader", "expected"),
    [
        ('a,b\n5,"x,y"\n6,"q ""z"""\n7, "q"\n', {}, {"a": [5, 6, 7], "b": ["x,y", 'q "z"', ' "q"']}),
        ('a,b\n5,"x\ny"\n6,z\n', {}, {"a": ["5", 'y"', "6"], "b": ['"x', None, "z"]}),
        ('a,b\n5,"x\ny"\n6,z\n', {"support_multi_line": True}, {"a": [5, 6], "b": ["x\ny", "z"]}),
        ('a,b\n5,\n6,""\n,z\n', {}, {"a": [5, 6, None], "b": [None, "", "z"]}),
        ("a,b\n5,\n,z\n", {"empty_as_string": True}, {"a": ["5", ""], "b": ["", "z"]}),
        ("a,b\n5,2,3\n4\n", {}, {"a": [5, 4], "b": [2, None], "Column3": [3, None]}),
        ("a,b\n\n5,2\n\n3,4\n", {}, {"a": [5, 3], "b": [2, 4]}),
        ("a,a,,b\n5,2,3,4\n", {}, {"a": [5], "a_1": [2], "Column3": [3], "b": [4]}),
        (" a , b\r\n5, x \r\n", {}, {"a": [5], "b": [" x "]}),
        ("\ufeffa,b\n5,x\n", {}, {"a": [5], "b": ["x"]}),
        ("a;b\n5;x\n", {"delimiter": ";"}, {"a": [5], "b": ["x"]}),
        ("a,b\n5,x\n", {"header": "no_header"}, {"Column1": ["a", "5"], "Column2": ["b", "x"]}),
        ("a,b\n5,x\n", {"infer_column_types": False}, {"a": ["5"], "b": ["x"]}),
        ("a\n1\n2\n", {"infer_column_types": {"sample_size": 1}}, {"a": [True, None]}),
        ("a,b\n5,é\n".encode("latin1"), {"encoding": "latin1"}, {"a": [5], "b": ["é"]}),
        ("a,b\n5,é\n".encode("utf16"), {"encoding": "utf16"}, {"a": [5], "b": ["é"]}),
        ("a,b\n5,“q”\n".encode("cp1252"), {"encoding": "windows1252"}, {"a": [5], "b": ["“q”"]}),
        ("a,b\n", {}, {"a": [], "b": []}),
        ("", {}, {}),
    ],
)
def test_delimited_text_is_read_as_the_dialect_reads_it(
    tmp_path: Path, text: str | bytes, reader: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert delimited(tmp_path, text, **reader) == expected


def test_overrides_of_types(tmp_path: Path) -> None:
    overrides = [
        {"columns": "a", "column_type": {"datetime": {"formats": ["%d-%m-%Y"]}}},
        {"columns": ["b"], "column_type": "string"},
    ]
    found = delimited(tmp_path, "a,b\n01-02-2020,5\n2,6\n", infer_column_types={"column_type_overrides": overrides})
    assert found == {"a": [datetime(2020, 2, 1), None], "b": ["5", "6"]}


def test_headers_of_several_files(tmp_path: Path) -> None:
    rows = {
        "all_files_same_headers": {("9", "h"), ("1", "x"), ("z", "5"), ("2", "w")},
        "all_files_different_headers": {(9, "h"), (1, "x"), (5, "z"), (2, "w")},
    }
    for header, expected in rows.items():
        table = opened(tmp_path, TREE, {"read_delimited": {"header": header}}, paths=FOLDER)
        assert {(row["a"], row["b"]) for row in table.to_arrow().to_pylist()} == expected
        assert bool(table.warnings) == (header == "all_files_same_headers"), table.warnings
    table = opened(tmp_path, TREE, {"read_delimited": {"header": "from_first_file"}}, paths=FOLDER)
    assert table.count() == 7
    table = opened(tmp_path, TREE, {"read_delimited": {"header": "no_header"}}, paths=FOLDER)
    assert table.count() == 8 and table.schema.names == ["Column1", "Column2"]


def test_an_empty_file_before_others_hides_nothing(tmp_path: Path) -> None:
    table = opened(tmp_path, {"a.csv": "", "b.csv": "a\n1\n", "c.csv": "a\n5\n"}, "read_delimited")
    assert table.to_arrow().to_pydict() == {"a": [1, 5]}


def test_a_value_that_is_cut_at_the_end_of_its_line_is_warned_of(tmp_path: Path) -> None:
    table = opened(tmp_path, {"a.csv": 'a,b\n5,"x\ny"\n'}, "read_delimited")
    assert table.count() == 2 and "support_multi_line" in table.warnings[0]


def test_paths(tmp_path: Path) -> None:
    write(tmp_path, TREE)
    for path, count in [
        ({"pattern": "./d/**/*.csv"}, 4),
        ({"pattern": "d/*/2020/*/*.csv"}, 2),
        ({"file": "d/_h/q.csv"}, 1),
        ({"folder": str(tmp_path / "d" / "s1")}, 2),
    ]:
        assert open_document({"paths": [path], "transformations": ["read_delimited"]}, tmp_path).count() == count
    files = open_document({"paths": FOLDER, "transformations": [{"take": 2}]}, tmp_path)
    assert files.to_arrow().to_pydict() == {"Path": [str(tmp_path / name) for name in sorted(TREE)[:2]]}
    for path in ({"file": "d/none.csv"}, {"folder": "none"}, {"pattern": "none/*.csv"}):
        with pytest.raises(NotFoundError, match="relative to the folder"):
            open_document({"paths": [path], "transformations": ["read_delimited"]}, tmp_path)


def test_columns_from_partitions(tmp_path: Path) -> None:
    expected = [("s1", "x", datetime(2020, 1, 1)), ("s1", "y", datetime(2020, 2, 1)), ("s2", "z", datetime(2021, 1, 1))]
    for steps in (
        [PARTITIONS, "read_delimited", {"filter": "S.startswith('s')"}],
        [{"read_delimited": {"include_path_column": True}}, PARTITIONS, {"filter": "dt > datetime(2000, 1, 1)"}],
        [PARTITIONS, {"filter": "S == 's1' or S == 's2'"}],
    ):
        table = opened(tmp_path, TREE, *steps, paths=FOLDER)
        assert [(row["S"], row["f"], row["dt"]) for row in table.to_arrow().to_pylist()] == expected
        assert table.warnings == [] or "all_files_same_headers" in table.warnings[0]
    table = opened(tmp_path, TREE, "read_delimited", PARTITIONS, paths=FOLDER)
    assert set(table.to_arrow()["S"].to_pylist()) == {None}
    assert "missing in every row" in table.warnings[0]


@pytest.mark.parametrize(
    ("step", "columns"),
    [
        ({"keep_columns": "b"}, ["b"]),
        ({"keep_columns": ["cc", "a"]}, ["a", "cc"]),
        ({"keep_columns": ["zz", "a"]}, ["a"]),
        ({"keep_columns": {"pattern": "c"}}, ["cc"]),
        ({"keep_columns": {"pattern": "^c", "ignore_case": True}}, ["cc"]),
        ({"keep_columns": {"pattern": "c", "invert": True}}, ["a", "b", "Cd"]),
        ({"drop_columns": ["zz", "a"]}, ["b", "cc", "Cd"]),
        ({"drop_columns": {"pattern": "c."}}, ["a", "b", "Cd"]),
    ],
    ids=str,
)
def test_columns_are_kept_and_dropped(tmp_path: Path, step: Any, columns: list[str]) -> None:
    assert opened(tmp_path, {"a.csv": TEN}, "read_delimited", step).schema.names == columns


def test_no_column_left_is_a_fault(tmp_path: Path) -> None:
    for step in ({"keep_columns": "zz"}, {"drop_columns": {"pattern": ""}}):
        with pytest.raises(UsageError, match="leaves no column"):
            opened(tmp_path, {"a.csv": TEN}, "read_delimited", step)


@pytest.mark.parametrize(
    ("steps", "rows"),
    [
        ([{"skip": 8}], [8, 9]),
        ([{"skip": 3}, {"skip": 2}, {"take": 2}], [5, 6]),
        ([{"take": 5}, {"filter": "a > 2"}], [3, 4]),
        ([{"filter": "a > 2"}, {"take": 2}], [3, 4]),
        ([{"take": 5}, {"skip": 3}], [3, 4]),
        ([{"skip": 20}], []),
        ([{"take": 0}], []),
        ([{"keep_columns": "b"}, {"filter": "b == 'x4'"}], ["x4"]),
        ([{"take_random_sample": {"probability": 0.0, "seed": 1}}], []),
        ([{"take_random_sample": {"probability": 1.0, "seed": 1}}], list(range(10))),
        ([{"select_partitions": [0]}, {"take": 1}], [0]),
    ],
    ids=str,
)
def test_rows_are_chosen_in_the_order_of_the_transformations(tmp_path: Path, steps: list[Any], rows: list[Any]) -> None:
    table = opened(tmp_path, {"a.csv": TEN}, "read_delimited", *steps)
    assert table.to_arrow().column(0).to_pylist() == rows
    assert table.count() == len(rows)


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    text = "a\n" + "".join(f"{number}\n" for number in range(2000))
    step = {"take_random_sample": {"probability": 0.3, "seed": 7}}
    one = opened(tmp_path, {"a.csv": text}, "read_delimited", step).to_arrow()
    assert opened(tmp_path, {"a.csv": text}, "read_delimited", step).to_arrow() == one
    assert abs(one.num_rows - 600) < 5 * math.sqrt(2000 * 0.3 * 0.7)
    sampler = {"sampler": "random_percent", "sampler_arguments": {"seed": 7, "probability": 0.3}}
    assert opened(tmp_path, {"a.csv": text}, "read_delimited", {"sample": sampler}).to_arrow() == one


def test_partitions_are_files(tmp_path: Path) -> None:
    table = opened(tmp_path, TREE, "read_delimited", {"select_partitions": [0, 3]}, paths=FOLDER)
    assert table.to_arrow()["b"].to_pylist() == ["h", "w"]
    with pytest.raises(UsageError, match="there is no partition 7: there are 4"):
        opened(tmp_path, TREE, "read_delimited", {"select_partitions": [7]}, paths=FOLDER)


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        (["1", "2.5", "x", " 3 ", "-4", "+5", "1e2"], "int", [1, 2, None, 3, -4, 5, 100]),
        (["1", "2.5", "x", '"1,000"', "inf"], "float", [1.0, 2.5, None, None, math.inf]),
        (["true", "TRUE", "0", "yes", "2"], "boolean", [True, True, False, None, None]),
        (["y", "n", "q"], {"boolean": {"true_values": ["y"], "false_values": ["n"]}}, [True, False, None]),
        (
            ["y", "n", "q"],
            {"boolean": {"true_values": ["y"], "false_values": ["n"], "mismatch_as": "true"}},
            [True, False, True],
        ),
        (
            ["2020-01-02", "03/01/2020", "x"],
            {"datetime": {"formats": ["%Y-%m-%d", "%d/%m/%Y"]}},
            [datetime(2020, 1, 2), datetime(2020, 1, 3), None],
        ),
    ],
)
def test_types_are_converted_and_what_does_not_parse_is_missing(
    tmp_path: Path, values: list[str], type_: Any, expected: list[Any]
) -> None:
    convert = {"convert_column_types": [{"columns": ["a", "nosuch"], "column_type": type_}]}
    assert delimited(tmp_path, "a\n" + "\n".join(values), convert, infer_column_types=False)["a"] == expected


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        ("1.5\n2.9\n-2.5\n", "int", [1, 2, -2]),
        ("5\n2\n", "float", [5.0, 2.0]),
        ("5.0\n2.5\n", "string", ["5", "2.5"]),
        ("5\n0\n", "boolean", [True, False]),
        ("true\nfalse\n", "string", ["True", "False"]),
        ("true\nfalse\n", "int", [None, None]),
        ("2020-01-02\n", "string", ["2020-01-02T00:00:00+00:00"]),
    ],
)
def test_typed_columns_are_converted(tmp_path: Path, text: str, type_: str, expected: list[Any]) -> None:
    convert = {"convert_column_types": [{"columns": {"pattern": "^a$"}, "column_type": type_}]}
    assert delimited(tmp_path, "a\n" + text, convert)["a"] == expected


def test_json_lines(tmp_path: Path) -> None:
    lines = '{"a": 1, "b": "x", "d": "2020-01-01"}\n\n{"a": 2.5, "c": {"k": [1]}}\n'
    table = opened(tmp_path, {"a.jsonl": lines}, "read_json_lines").to_arrow()
    assert table.to_pylist() == [
        {"a": 1.0, "b": "x", "d": "2020-01-01", "c": None},
        {"a": 2.5, "b": None, "d": None, "c": {"k": [1]}},
    ]
    bad = {"a.jsonl": '{"a": 1}\nbad\n[1]\n{"a": 2}\n'}
    with pytest.raises(UsageError, match="no JSON object: bad"):
        opened(tmp_path, bad, "read_json_lines").count()
    assert opened(tmp_path, bad, {"read_json_lines": {"invalid_lines": "drop"}}).to_arrow()["a"].to_pylist() == [1, 2]


def test_parquet_of_two_schemas_and_not_a_number(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"i": [1, 2], "f": [math.nan, 1.0]}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"i": [3.5], "j": ["x"]}), tmp_path / "b.parquet")
    table = open_table(tmp_path / "*.parquet")
    assert table.to_arrow(["i", "j"]).to_pydict() == {"i": [1.0, 2.0, 3.5], "j": [None, None, "x"]}
    assert table.to_arrow(["i"], "not f > 0").to_pydict() == {"i": [1.0]}
    assert table.to_arrow(["j"], "i > 2", 1).to_pydict() == {"j": ["x"]}
    reader = {"read_parquet": {"include_path_column": True}}
    named = open_document({"paths": [{"folder": "."}], "transformations": [reader]}, tmp_path)
    assert named.to_arrow(["Path"], "i > 3")["Path"].to_pylist() == [str(tmp_path / "b.parquet")]
    (tmp_path / "c.parquet").write_text("no")
    with pytest.raises(UsageError, match=r"c\.parquet: not a Parquet file"):
        open_table(tmp_path / "c.parquet")


def test_delta_versions(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    for number in (1, 2):
        deltalake.write_deltalake(str(tmp_path / "t"), pa.table({"a": [number]}), mode="append")
    assert sorted(open_table(tmp_path / "t").to_arrow()["a"].to_pylist()) == [1, 2]
    reader = {"read_delta_lake": {"version_as_of": 0}}
    table = open_document({"paths": [{"folder": "t"}], "transformations": [reader, {"filter": "a > 0"}]}, tmp_path)
    assert table.to_arrow()["a"].to_pylist() == [1]
    with pytest.raises(UsageError, match="is no Delta table"):
        open_table(tmp_path, format="delta")


def test_a_delta_table_elsewhere_is_refused_by_name() -> None:
    pytest.importorskip("deltalake")
    system = MemoryFileSystem()
    system.pipe("/far/table/_delta_log/0.json", b"{}")
    with pytest.raises(UsageError, match="/far/table: Delta tables are read from folders of this machine"):
        open_table("/far/table", filesystem=system)
    system.rm("/far", recursive=True)


def test_a_folder_with_an_mltable_file_on_a_file_system(tmp_path: Path) -> None:
    import fsspec

    write(tmp_path, {"MLTable": "paths: [{file: a.csv}]\ntransformations: [read_delimited, take: 3]\n", "a.csv": TEN})
    assert open_table(tmp_path).count() == open_table(tmp_path / "MLTable").count() == 3
    memory = fsspec.filesystem("memory")
    for name in ("MLTable", "a.csv"):
        memory.pipe_file(f"/tabular/{name}", (tmp_path / name).read_bytes())
    assert open_table("/tabular", filesystem=memory).count() == 3
    other = open_document(
        {"paths": [{"file": "azureml://datastores/d/paths/a.csv"}], "transformations": ["read_delimited"]},
        tmp_path,
        lambda address: (memory, "/tabular/" + address.rpartition("/")[2]),
    )
    assert other.count() == 10


@pytest.mark.parametrize("place", ["bucket/d/s1/2020/01/x.csv", "bucket/d/s1/2020/01", "bucket/d/s1/2020/01/*.csv"])
def test_paths_that_do_not_begin_with_a_slash_as_those_of_buckets(tmp_path: Path, place: str) -> None:
    write(tmp_path / "bucket", TREE)
    buckets = DirFileSystem(str(tmp_path))
    assert open_table(place, filesystem=buckets).to_arrow().to_pylist() == [{"a": 1, "b": "x"}]


def test_a_parquet_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    table = opened(tmp_path, {"a.csv": TEN}, "read_delimited")
    table.to_parquet(tmp_path / "out.parquet")
    assert parquet.read_table(tmp_path / "out.parquet") == table.to_arrow()
    broken = opened(tmp_path, {"b.jsonl": '{"a": 1}\n' * 200_000 + "bad\n"}, "read_json_lines")
    with pytest.raises(UsageError, match="no JSON object"):
        broken.to_parquet(tmp_path / "out2.parquet")
    assert not list(tmp_path.glob("*out2*"))


class CountedFile:
    """A file that tells how much of it was read."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.count = stream, 0

    def read(self, size: int) -> bytes:
        found: bytes = self.stream.read(size)
        self.count += len(found)
        return found

    def __enter__(self) -> CountedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()


def test_take_stops_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[CountedFile] = []
    text = "a,b\n" + "".join(f"{number},text\n" for number in range(500_000))
    table = opened(tmp_path, {"a.csv": text}, "read_delimited", {"take": 5})
    original = blocks_module.SourceFile.open

    def opening(file: Any) -> Any:
        read.append(CountedFile(original(file)))
        return read[-1]

    monkeypatch.setattr(blocks_module.SourceFile, "open", opening)
    assert table.to_arrow()["a"].to_pylist() == [0, 1, 2, 3, 4]
    assert sum(each.count for each in read) < len(text) / 4


cells = st.one_of(
    st.integers(-(10**6), 10**6).map(str), st.sampled_from(["", "x", "1", "0", "true", "2.5", "a b", "é", "2020-01-02"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=30), st.integers(1, 200))
def test_blocks_of_any_size_make_the_same_table(rows: list[tuple[str, ...]], size: int) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    text = "a,b,c\n" + "".join(",".join(row) + "\n" for row in rows)
    name = f"/blocks{random.random()}.csv"
    memory.pipe_file(name, text.encode())
    try:
        table = open_table(name, filesystem=memory)
        whole = table.to_arrow()
        assert whole.num_rows == sum(any(row) or True for row in rows)
        file = next(iter(table.document.paths or [])).file
        assert file == name
        found = blocks_module.blocks(blocks_module.SourceFile(memory, name, name), "utf8", size=size)
        pieces = list(found)
        assert b"".join(pieces) == text.encode()
        assert all(piece.endswith(b"\n") for piece in pieces)
    finally:
        memory.rm(name)


def test_unknown_columns_and_formats_are_told(tmp_path: Path) -> None:
    table = opened(tmp_path, {"a.csv": TEN, "b.txt": "x"}, "read_delimited", paths=[{"file": "a.csv"}])
    with pytest.raises(UsageError, match="no column 'aa'"):
        table.batches(["aa"])
    with pytest.raises(UsageError, match="do not tell what is in them"):
        open_table(tmp_path / "b.txt")
    with pytest.raises(UsageError, match="not one ASCII sign"):
        opened(tmp_path, {"a.csv": TEN}, {"read_delimited": {"delimiter": "||"}})
    with pytest.raises(UsageError, match="not in the encoding"):
        delimited(tmp_path, "a,b\n5,é\n".encode("latin1"))
    assert list(itertools.islice(table.batches(limit=0), 1)) == []


def test_hints_name_only_what_there_is(tmp_path: Path) -> None:
    write(tmp_path, {"d/b.txt": "x"})
    with pytest.raises(UsageError) as caught:
        open_table(tmp_path / "d")
    assert "format" not in str(caught.value) and ".parquet" in str(caught.value.hint)
    with pytest.raises(NotFoundError, match="nothing matches") as missed:
        open_table(tmp_path / "d" / "*.csv")
    assert missed.value.hint is None
    (tmp_path / "f").mkdir()
    with pytest.raises(NotFoundError, match="no file in the folder"):
        open_table(tmp_path / "f")
    for place, hint in (("a.csv", "Paths are relative to the folder of the MLTable file."), ("/no/a.csv", None)):
        with pytest.raises(NotFoundError) as missed:
            open_document({"paths": [{"file": place}], "transformations": ["read_delimited"]}, tmp_path)
        assert missed.value.hint == hint


@pytest.mark.parametrize("content", [b"a,b\n1,x\0y\n", b"\x7fELF\0\0\1heading alone", b"a\n" * 40000 + b"\0\n"])
def test_bytes_that_no_text_has_are_warned_of(tmp_path: Path, content: bytes) -> None:
    table = opened(tmp_path, {"a.csv": content}, "read_delimited")
    table.to_arrow()
    assert [f"{tmp_path / 'a.csv'} has NUL bytes" in warning for warning in table.warnings] == [True]
    wide = opened(tmp_path, {"b.csv": "a,b\n1,x\n".encode("utf-16")}, {"read_delimited": {"encoding": "utf16"}})
    assert (wide.to_arrow().to_pylist(), wide.warnings) == ([{"a": True, "b": "x"}], [])
