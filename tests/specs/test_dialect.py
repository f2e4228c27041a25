"""Every field of the dialect, in every place where it may stand, held against the dialect's own field lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dialect_oracle as oracle
import pytest
from dialect_oracle import KINDS, Spot

from store.errors import DocumentError
from store.specs.document import Document
from store.specs.loading import parse

SPOTS = [spot for kind in KINDS for spot in oracle.spots(kind)]
POOL: list[Any] = [3, "3", 2.5, True, None, "text", "maybe", [], ["text"], [3], {}, {"no_such_key": 1}, {"k": "text"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of the names that the samples use, so that paths lead somewhere."""
    folder = tmp_path_factory.mktemp("dialect")
    for name in ("text", "3", "maybe"):
        (folder / name).write_text("name: x\n")
    return folder


def read(kind: str, document: dict[str, Any], folder: Path) -> dict[str, Any]:
    return parse(Document.of(document, file="d.yml", folder=folder), kind).document()


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


def test_the_walk_reaches_everything() -> None:
    reached = {spot.owner for spot in SPOTS}
    assert reached == {*KINDS, *oracle.DIALECT["defs"]} - {"IntellectualProperty"}
    assert len(SPOTS) > 250


@pytest.mark.parametrize("spot", SPOTS, ids=str)
def test_a_field_takes_what_the_dialect_takes(spot: Spot, folder: Path) -> None:
    for value in POOL:
        document = spot.document(value)
        allowed = oracle.allows_object(spot.kind, document, folder, top=True)
        try:
            read(spot.kind, document, folder)
        except DocumentError as error:
            assert not allowed, f"{value!r} should be accepted: {error}"
            assert all(fault.message and fault.path for fault in error.faults)
        else:
            assert allowed, f"{value!r} should be refused"


def _enumerations() -> Iterator[Any]:
    for spot in SPOTS:
        kind = spot.spec["t"]
        if isinstance(kind, dict) and any(notation.startswith("enum") for notation in kind) and not spot.spec.get("ro"):
            for spelling, kept in oracle.spellings(kind).items():
                yield pytest.param(spot, spelling, kept, id=f"{spot}={spelling}")


@pytest.mark.parametrize(("spot", "spelling", "kept"), _enumerations())
def test_a_value_is_kept_in_its_canonical_spelling(spot: Spot, spelling: str, kept: str, folder: Path) -> None:
    document = read(spot.kind, spot.document(spelling), folder)
    assert at(document, (*spot.path, spot.field)) == kept


@pytest.mark.parametrize("spot", [spot for spot in SPOTS if "def" in spot.spec], ids=str)
def test_defaults_are_those_of_the_dialect(spot: Spot, folder: Path) -> None:
    document = read(spot.kind, spot.document_without(), folder)
    assert at(document, (*spot.path, spot.field)) == spot.spec["def"]


@pytest.mark.parametrize("spot", [spot for spot in SPOTS if spot.spec.get("req")], ids=str)
def test_a_required_field_is_missed_by_name(spot: Spot, folder: Path) -> None:
    if (spot.owner, spot.field) in oracle.MAY_BE_ABSENT:
        read(spot.kind, spot.document_without(), folder)
        return
    with pytest.raises(DocumentError) as caught:
        read(spot.kind, spot.document_without(), folder)
    messages = [fault.message for fault in caught.value.faults]
    assert f"the key {spot.field!r} is missing" in messages


@pytest.mark.parametrize("spot", [spot for spot in SPOTS if spot.spec.get("ro")], ids=str)
def test_a_read_only_key_is_accepted_and_dropped(spot: Spot, folder: Path) -> None:
    for value in POOL:
        holder = at(read(spot.kind, spot.document(value), folder), spot.path)
        assert spot.field not in holder


@pytest.mark.parametrize("spot", SPOTS, ids=str)
def test_a_misspelt_key_is_told_with_the_right_one(spot: Spot, folder: Path) -> None:
    if spot.spec.get("ro") or len(spot.field) < 4 or spot.path == ("environment_variables",):
        return
    wrong = spot.field[:-2] + spot.field[-1] + spot.field[-2] + "_"
    holder = {**oracle.smallest(spot.owner), wrong: 1}
    if spot.owner == "InputLiteralValue":
        holder = {"value": 3, wrong: 1}
    with pytest.raises(DocumentError) as caught:
        read(spot.kind, spot.put(holder), folder)
    told = [fault for fault in caught.value.faults if fault.message == f"unknown key {wrong!r}"]
    assert len(told) == 1 and f"did you mean {spot.field!r}?" in str(told[0].hint)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_read_reads_the_same_again(kind: str, folder: Path) -> None:
    for spot in oracle.spots(kind):
        if spot.spec.get("ro"):
            continue
        document = read(kind, spot.document(oracle.sample(spot.spec["t"])), folder)
        assert read(kind, document, folder) == document
