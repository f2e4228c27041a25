"""``--set``: what an argument means, and where it goes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from store.errors import DocumentError
from store.specs.document import Document
from store.specs.nodes import path_text
from store.specs.overrides import Assignment, apply, parse_argument


def after(data: dict[str, Any], *arguments: str) -> dict[str, Any]:
    document = Document.of(data)
    for argument in arguments:
        apply(document, argument)
    assert document.faults == []
    return document.data


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a=1", Assignment(("a",), (1,), "1", 3)),
        ("inputs.epochs=20", Assignment(("inputs", "epochs"), (1, 8), "20", 15)),
        ("a[0].b=c", Assignment(("a", 0, "b"), (1, 2, 6), "c", 8)),
        ("a[1][22]=c", Assignment(("a", 1, 22), (1, 2, 5), "c", 10)),
        ("a=b=c==", Assignment(("a",), (1,), "b=c==", 3)),
        (" a . b = c ", Assignment(("a", "b"), (1, 5), "c", 10)),
        ('tags["a.b=c"]=d', Assignment(("tags", "a.b=c"), (1, 5), "d", 15)),
        ("tags['x y']=d", Assignment(("tags", "x y"), (1, 5), "d", 13)),
        ("a=", Assignment(("a",), (1,), "", 3)),
    ],
)
def test_an_argument_taken_apart(argument: str, expected: Assignment) -> None:
    assert parse_argument(argument) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20),
        ("0.5", 0.5),
        ("1e-5", "1e-5"),
        ("true", True),
        ("off", False),
        ("null", None),
        ("", None),
        ("'20'", "20"),
        ('"a\\nb"', "a\nb"),
        ("[1, a, {b: c}]", [1, "a", {"b": "c"}]),
        ("{a: 1}", {"a": 1}),
        ("!!str 5", "5"),
        # What YAML would take for something else, or not at all, is the text that it looks like.
        ("*.csv", "*.csv"),
        ("&x", "&x"),
        ("@home", "@home"),
        ("%d", "%d"),
        ("echo a # b", "echo a # b"),
        ("a: b", "a: b"),
        ("- a", "- a"),
        ("echo a\necho b", "echo a\necho b"),
        ("a=b", "a=b"),
        ("=", "="),
    ],
)
def test_the_type_of_a_value(text: str, value: object) -> None:
    assert after({}, f"x={text}") == {"x": value}


def test_where_a_value_goes() -> None:
    assert after({"a": {"b": 1, "c": 2}}, "a.b=3", "d.e.f=4") == {"a": {"b": 3, "c": 2}, "d": {"e": {"f": 4}}}
    assert after({"a": [1, {"b": 2}]}, "a[1].b=3", "a[0]=0") == {"a": [0, {"b": 3}]}
    assert after({"a": [1]}, "a[1]=2", "a[2].b=3") == {"a": [1, 2, {"b": 3}]}
    assert after({}, "a[0].b=1") == {"a": [{"b": 1}]}
    assert after({"a": None}, "a.b=1") == {"a": {"b": 1}}
    assert after({"a": {"b": 1}}, "a=2", "a=3") == {"a": 3}


def test_one_alias_is_changed_and_not_the_other(tmp_path: Any) -> None:
    from store.specs.reading import load_document

    (tmp_path / "d.yml").write_text("a: &x {k: 1}\nb: *x\n")
    assert load_document(tmp_path / "d.yml", ["b.k=2"]).data == {"a": {"k": 1}, "b": {"k": 2}}


def test_the_faults_of_several_arguments_come_together() -> None:
    document = Document.of({"a": 1})
    for argument in ("=", "a.b=1", "c=[", "d=5"):
        apply(document, argument)
    assert [(fault.file, fault.column) for fault in document.faults] == [("--set", 1), ("--set", 3), ("--set", 4)]
    assert document.data == {"a": 1, "d": 5}


keys = st.text(st.characters(exclude_characters=".[]=", exclude_categories=["C", "Z"]), min_size=1, max_size=6)
paths = st.lists(keys | st.integers(0, 99), max_size=4).map(lambda rest: tuple(rest))
printable = st.text(st.characters(exclude_categories=["C"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | printable,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(printable, inner, max_size=3),
    max_leaves=8,
)


@given(keys, paths, st.text())
def test_a_path_is_written_as_it_is_read(first: str, rest: tuple[str | int, ...], text: str) -> None:
    assignment = parse_argument(f"{path_text((first, *rest))}={text}")
    assert assignment.path == (first, *rest)
    assert assignment.text == text.strip()


@given(values)
def test_json_is_read_as_it_was_written(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert after({}, f"a.b={text}") == {"a": {"b": yaml.load(text, Loader=yaml.CSafeLoader)}}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_breaks_it(text: str) -> None:
    document = Document.of({})
    apply(document, text)
    apply(document, f"a={text}")
    for fault in document.faults:
        assert fault.file == "--set" and fault.line >= 1 and 1 <= fault.column <= len(text) + 4


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), keys)
def test_a_text_of_one_word_is_typed_as_yaml_types_it(text: str, key: str) -> None:
    try:
        expected = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return
    if isinstance(expected, str) and expected == text:
        assert after({}, f"{key}={text}") == {key: text}


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_argument('a="caf\udce9"')
    assert str(caught.value) == '--set:1:7: not UTF-8: byte 0xE9 cannot be read (given by `--set a="caf?"`)'


def test_a_fault_outside_of_the_argument_is_impossible() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_argument("a" * 300)
    assert len(str(caught.value)) < 400, "a long argument is told in short"
