"""Tables in files that are compressed: read as those that they hold, and refused by name where they are not whole."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from fsspec.implementations.dirfs import DirFileSystem

from store.errors import UsageError
from store.tabular.source import open_document, open_table

ROWS = [{"a": number, "b": f"x{number}"} for number in range(10, 5000)]
CSV = ("a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in ROWS)).encode()
LINES = "".join(f'{{"a": {row["a"]}, "b": "{row["b"]}"}}\n' for row in ROWS).encode()


def zstd(content: bytes) -> bytes:
    """A frame of Zstandard."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


WAYS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstd,
    ".GZ": gzip.compress,
}


@pytest.mark.parametrize("end", WAYS)
@pytest.mark.parametrize(("name", "content"), [("a.csv", CSV), ("a.jsonl", LINES), ("a.ndjson", LINES)])
def test_compressed_files_are_read_as_what_they_hold(tmp_path: Path, end: str, name: str, content: bytes) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / f"{name}{end}").write_bytes(WAYS[end](content))
    for place in (f"d/{name}{end}", "d", f"d/*{end}"):
        assert open_table(tmp_path / place).to_arrow().to_pylist() == ROWS
        assert open_table(place, filesystem=DirFileSystem(str(tmp_path))).to_arrow().to_pylist() == ROWS


@pytest.mark.parametrize("end", WAYS)
def test_several_parts_in_one_file_are_all_read(tmp_path: Path, end: str) -> None:
    half = CSV.index(b"\n", len(CSV) // 2) + 1
    (tmp_path / f"a.csv{end}").write_bytes(WAYS[end](CSV[:half]) + WAYS[end](CSV[half:]))
    assert open_table(tmp_path / f"a.csv{end}").to_arrow().to_pylist() == ROWS


def test_compressed_and_plain_files_lie_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(CSV))
    document = {"paths": [{"pattern": "*"}], "transformations": ["read_delimited"]}
    assert open_document(document, tmp_path).to_arrow().to_pylist() == ROWS + ROWS


@pytest.mark.parametrize("end", WAYS)
def test_what_is_not_whole_or_not_compressed_is_refused_by_name(tmp_path: Path, end: str) -> None:
    file = tmp_path / f"a.csv{end}"
    for content in (WAYS[end](CSV)[:-200], CSV):
        file.write_bytes(content)
        with pytest.raises(UsageError, match=f"a.csv{end}: cannot be read as "):
            open_table(file).to_arrow()
