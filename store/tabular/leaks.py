"""Columns that give the target away: equal to it, or another name for each of its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BOUND = 1000
"""Codes of the target are told apart up to so many values."""


class Leaks:
    """What has been seen of each column beside the target. Rows where either is missing say nothing."""

    def __init__(self, target: str, schema: Any) -> None:
        self.target = target
        self.equal = {name: 0 for name in schema.names if name != target}
        self.codes: dict[str, dict[Any, Any]] = {name: {} for name in self.equal}

    def add(self, name: str, chunk: dict[str, Any]) -> None:
        """Look at a column of a chunk; it is dropped once it differs from the target in every way."""
        import pyarrow
        import pyarrow.compute as compute

        values, target = chunk[name], chunk[self.target]
        if self.equal.get(name, -1) >= 0 and not _all_equal(values, target):
            self.equal[name] = -1
        elif self.equal.get(name, -1) >= 0:
            self.equal[name] += len(values)
        known = self.codes.get(name)
        if known is None or _unhashable(values.type) or _unhashable(target.type):
            self.codes.pop(name, None)
            return
        both = compute.and_(compute.is_valid(values), compute.is_valid(target))
        pairs = pyarrow.table({"value": values, "target": target}).filter(both)
        if len(known) == 0 and compute.count_distinct(pairs["value"].slice(0, 4 * BOUND)).as_py() > BOUND:
            self.codes.pop(name)
            return
        found = pairs.group_by(["value", "target"]).aggregate([])
        for value, code in zip(found["value"].to_pylist(), found["target"].to_pylist(), strict=True):
            if known.setdefault(value, code) != code or len(known) > BOUND:
                self.codes.pop(name)
                return

    def found(self) -> Iterator[tuple[str, str]]:
        """Names and what is to be said of them."""
        for name, rows in self.equal.items():
            codes = self.codes.get(name) or {}
            if rows > 0:
                yield name, f"it is the same as the target {self.target!r} in every row"
            elif len(codes) > 1 and len(set(codes.values())) == len(codes):
                yield name, f"each of its {len(codes)} values stands for one value of the target {self.target!r}"


def _all_equal(values: Any, target: Any) -> bool:
    import pyarrow
    import pyarrow.compute as compute

    try:
        return bool(compute.all(compute.equal(values, target), min_count=0).as_py())
    except (pyarrow.ArrowNotImplementedError, pyarrow.ArrowInvalid):  # of types that cannot be compared
        return False


def _unhashable(type: Any) -> bool:
    from pyarrow import types

    return bool(types.is_nested(type) or types.is_dictionary(type))
