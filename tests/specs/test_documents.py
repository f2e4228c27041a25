"""Reading a file: what it says, where, and what is refused before anything is understood."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import DocumentError, NotFoundError
from store.specs.document import Document
from store.specs.nodes import MAX_DEPTH, MAX_NODES, path_text
from store.specs.reading import MAX_BYTES, load_document


def written(folder: Path, text: str | bytes) -> Document:
    file = folder / "d.yml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_document(file)


def only_fault(folder: Path, text: str | bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        written(folder, text)
    (fault,) = caught.value.faults
    return f"{fault.line}:{fault.column}: {fault.message}" + (f" | {fault.hint}" if fault.hint else "")


def test_every_key_and_value_has_its_place(tmp_path: Path) -> None:
    document = written(tmp_path, "command: |\n  a\ninputs:\n  x: {type: uri_file}\n  y:\n    - 1\n    - b: 2\n")
    assert document.data == {"command": "a\n", "inputs": {"x": {"type": "uri_file"}, "y": [1, {"b": 2}]}}
    places = {path_text(path): (entry.key[1:3], entry.value[1:3]) for path, entry in document.entries.items()}
    assert places == {
        "": ((1, 1), (1, 1)),
        "command": ((1, 1), (1, 10)),
        "inputs": ((3, 1), (4, 3)),
        "inputs.x": ((4, 3), (4, 6)),
        "inputs.x.type": ((4, 7), (4, 13)),
        "inputs.y": ((5, 3), (6, 5)),
        "inputs.y[0]": ((6, 7), (6, 7)),
        "inputs.y[1]": ((7, 7), (7, 7)),
        "inputs.y[1].b": ((7, 7), (7, 10)),
    }
    assert document.position(("inputs", "y", 1)) == (7, 7)
    assert document.position(("inputs", "none", "deep")) == (4, 3), "what holds the place that is not there"


def test_values_have_the_types_of_yaml_1_1(tmp_path: Path) -> None:
    text = "{a: yes, b: off, c: 1e-5, d: 1.0e-5, e: 017, f: 0x1F, g: 1_000, h: ~, i: '5', j: 1:30, k: !!str 5, l: =}"
    assert written(tmp_path, text).data == yaml.safe_load(text.replace("l: =", "l: '='"))
    assert written(tmp_path, text).data["c"] == "1e-5"


def test_json_is_yaml_too(tmp_path: Path) -> None:
    data = {"command": 'echo "\'$x"', "inputs": {"a": 1.5, "b": [None, True]}}
    assert written(tmp_path, json.dumps(data, indent=2)).data == data


@pytest.mark.parametrize("text", ["\ufeffa: é\r\nb: 1\r\n".encode(), "# é 数\r\na: é\nb: 1".encode()])
def test_marks_and_line_ends_of_other_systems(tmp_path: Path, text: bytes) -> None:
    document = written(tmp_path, text)
    assert document.data == {"a": "é", "b": 1}
    assert document.position(("a",))[1] == 4


def test_aliases_are_copies(tmp_path: Path) -> None:
    document = written(tmp_path, "a: &x {k: [1]}\nb: *x\n")
    document.data["a"]["k"].append(2)
    assert document.data["b"] == {"k": [1]}
    assert document.position(("b", "k")) == document.position(("a", "k")) == (1, 11)


def test_merge_keys_add_and_never_replace(tmp_path: Path) -> None:
    text = "x: &x {p: 1, q: 1}\ny: &y {q: 2, r: 2, <<: *x}\nz: {r: 3, <<: [*y, *x], s: 3}\n"
    assert written(tmp_path, text).data == {
        "x": {"p": 1, "q": 1},
        "y": {"q": 2, "r": 2, "p": 1},
        "z": {"r": 3, "s": 3, "q": 2, "p": 1},
    }


def test_a_missing_file_names_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: a")
    with pytest.raises(NotFoundError, match=r"there is no file .*job\.yaml") as caught:
        load_document(tmp_path / "job.yaml")
    assert caught.value.exit_code == 3
    assert caught.value.hint == f"Did you mean {tmp_path / 'job.yml'}?"
    with pytest.raises(NotFoundError) as caught:
        load_document(tmp_path / "nowhere" / "job.yml")
    assert caught.value.hint == f"There is no folder {tmp_path / 'nowhere'} either."


def test_a_folder_names_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: a")
    with pytest.raises(DocumentError, match="it is a folder") as caught:
        load_document(tmp_path)
    assert caught.value.faults[0].hint == "Name a file in it: job.yml"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "d.yml"
    file.touch(mode=0)
    with pytest.raises(DocumentError, match="Permission denied"):
        load_document(file)


def test_a_file_from_a_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"command: a\n")
    os.close(writing)
    try:
        assert load_document(f"/dev/fd/{reading}").data == {"command": "a"}
    finally:
        os.close(reading)


def test_what_is_no_text(tmp_path: Path) -> None:
    assert only_fault(tmp_path, b"a: 1\nb: caf\xe9\n") == (
        "2:7: not UTF-8: byte 0xE9 cannot be read | Save the file as UTF-8."
    )
    assert "not UTF-8" in only_fault(tmp_path, b"\x89PNG\r\n\x1a\n\x00\x00")
    assert only_fault(tmp_path, b"a: \x00") == (
        "1:4: the character U+0000 is not allowed in YAML | "
        'In a text in double quotes it can be written as an escape, such as "\\x07".'
    )
    assert only_fault(tmp_path, "é: é\x1b").startswith("1:5: the character U+001B")
    assert only_fault(tmp_path, b"").startswith("1:1: the document is empty")
    assert only_fault(tmp_path, b" " * (MAX_BYTES + 1)) == "1:1: larger than 4 MiB: this is no document"


def test_a_device_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(DocumentError, match="larger than"):
        load_document("/dev/zero")


def test_a_few_lines_that_stand_for_billions_of_values(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    merged = "a0: &a0 {x0: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], x{n}: 1}}\n" for n in range(1, 12)
    )
    for text in (bomb, merged):
        assert f"more than {MAX_NODES:,} values" in only_fault(tmp_path, text)


@pytest.mark.parametrize("text", ["a: " + "[" * 1_000_000, "a: " + "{b: " * 200_000, "- " * 100_000 + "x"])
def test_nesting_without_end(tmp_path: Path, text: str) -> None:
    assert f"nested deeper than {MAX_DEPTH} levels" in only_fault(tmp_path, text)


def test_a_number_of_ten_thousand_digits(tmp_path: Path) -> None:
    document = written(tmp_path, "a: " + "9" * 10_000)
    assert [fault.message for fault in document.faults] == [f"'{'9' * 37}...' looks like a number and is none"]


@pytest.mark.parametrize("text", ["a: &x\n  b: *x\n", "a: &x [1, *x]\n", "a: &x {<<: *x}\n", "&x a: {b: &y [*y]}"])
def test_a_value_that_contains_itself(tmp_path: Path, text: str) -> None:
    assert "contains itself" in only_fault(tmp_path, text)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), trees, min_size=1), st.booleans())
def test_what_pyyaml_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, object], flow: bool
) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow)
    document = written(tmp_path_factory.getbasetemp(), text)
    assert document.data == yaml.load(text, Loader=yaml.CSafeLoader), "PyYAML itself folds some rare line ends"
    assert document.faults == []
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)  # what ends a line in YAML 1.1
    for entry in document.entries.values():
        assert 1 <= entry.value.line <= len(lines) + 1 and entry.value.column >= 1


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.binary())
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    try:
        document = written(tmp_path_factory.getbasetemp(), content)
    except DocumentError as error:
        assert error.faults
    else:
        assert isinstance(document.data, dict)


def test_a_document_that_was_never_written_down() -> None:
    document = Document.of({"command": "a"}, file="job x")
    assert str(document.fault(("command",), "is bad", "Mend it.")) == "job x:1:1: command: is bad\n  Mend it."
