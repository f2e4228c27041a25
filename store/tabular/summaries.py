"""What is gathered of one column while its values stream by."""

from __future__ import annotations

from typing import Any

from store.tabular.frequencies import NumberCounts, TextCounts
from store.tabular.sketches import Digest, Distinct, Moments, number_hashes, text_hashes

NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
LOOKED_AT = 1 << 20
"""Of so many texts it is asked whether they are numbers."""


def kind_of(type: Any) -> str:
    """How a column of an Arrow type is summed up: number, time, boolean, text, bytes, empty, or nested."""
    from pyarrow import types

    if types.is_dictionary(type):
        return kind_of(type.value_type)
    for kind, test in (
        ("boolean", types.is_boolean),
        ("number", lambda each: types.is_integer(each) or types.is_floating(each) or types.is_decimal(each)),
        ("time", lambda each: types.is_temporal(each) and not types.is_interval(each)),
        ("text", lambda each: types.is_string(each) or types.is_large_string(each) or types.is_string_view(each)),
        (
            "bytes",
            lambda each: types.is_binary(each) or types.is_large_binary(each) or types.is_fixed_size_binary(each),
        ),
        ("empty", types.is_null),
    ):
        if test(type):
            return kind
    return "nested"


def summary_of(type: Any) -> Summary:
    """An empty summary for a column of an Arrow type."""
    kind = kind_of(type)
    if kind in ("number", "time"):
        return Numbers(kind, type)
    return Texts(kind, type) if kind in ("text", "bytes", "boolean") else Summary(kind, type)


class Summary:
    """Rows and missing values: all that is told of a column of nested values."""

    def __init__(self, kind: str, type: Any) -> None:
        self.kind = kind
        self.type = type.value_type if kind not in ("empty", "nested") and _is_dictionary(type) else type
        self.rows = 0
        self.missing = 0

    def add(self, values: Any) -> None:
        """Take in an Arrow array."""
        self.rows += len(values)
        self.missing += values.null_count

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.rows - self.missing


def _is_dictionary(type: Any) -> bool:
    from pyarrow import types

    return bool(types.is_dictionary(type))


class Numbers(Summary):
    """Numbers and times, the latter as counts of their unit. NaN is missing; what is infinite is only counted."""

    def __init__(self, kind: str, type: Any) -> None:
        super().__init__(kind, type)
        self.infinite = 0
        self.moments = Moments()
        self.digest = Digest()
        self.counts = NumberCounts()
        self.hashes = Distinct()
        self.low: Any = None
        self.high: Any = None

    def add(self, values: Any) -> None:
        """Take in an Arrow array: it is sorted once, which tells nearly everything."""
        import numpy

        super().add(values)
        numbers = self._finite(as_numbers(values))
        if not len(numbers):
            return
        if numbers.dtype.kind == "f":
            numbers = numbers + 0.0  # there is no -0.0
        numbers = numpy.sort(numbers)
        low, high = numbers[0].item(), numbers[-1].item()
        self.low = low if self.low is None else min(low, self.low)
        self.high = high if self.high is None else max(high, self.high)
        floats = numbers if numbers.dtype == numpy.float64 else numbers.astype(numpy.float64)
        self.moments.add(floats)
        self.digest.add(floats)
        self._count(numbers)

    def _finite(self, numbers: Any) -> Any:
        import numpy

        if numbers.dtype.kind != "f":
            return numbers
        finite = numpy.isfinite(numbers)
        if finite.all():
            return numbers
        missing = int(numpy.isnan(numbers).sum())
        self.missing += missing
        self.infinite += len(numbers) - int(finite.sum()) - missing
        return numbers[finite]

    def _count(self, numbers: Any) -> None:
        import numpy

        starts = numpy.flatnonzero(numpy.concatenate([[True], numbers[1:] != numbers[:-1]]))
        different = numbers[starts] if len(starts) < len(numbers) else numbers
        was_exact = self.counts.exact
        known = self.counts.values if was_exact else None
        if was_exact or len(different) < len(numbers):
            self.counts.add(different, numpy.diff(starts, append=len(numbers)))
        if not self.counts.exact:
            if was_exact and known is not None:
                self.hashes.add(number_hashes(known))
            self.hashes.add(number_hashes(different))

    def distinct(self) -> int:
        """How many different values."""
        return len(self.counts) if self.counts.exact else self.hashes.estimate()


def as_numbers(values: Any) -> Any:
    """An Arrow array of numbers or times without its nulls, as integers or floats of 64 bits."""
    import numpy
    import pyarrow
    from pyarrow import types

    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    values = values.drop_null()
    if types.is_date32(values.type) or types.is_time32(values.type):
        values = values.cast(pyarrow.int32())
    elif types.is_temporal(values.type):
        values = values.cast(pyarrow.int64())
    elif types.is_decimal(values.type):
        values = values.cast(pyarrow.float64())
    numbers = values.to_numpy(zero_copy_only=False)
    if numbers.dtype.kind == "f":
        return numbers.astype(numpy.float64, copy=False)
    return numbers if numbers.dtype == numpy.uint64 else numbers.astype(numpy.int64, copy=False)


class Texts(Summary):
    """Texts, bytes and truth values, by how often each occurs."""

    def __init__(self, kind: str, type: Any) -> None:
        super().__init__(kind, type)
        self.counts = TextCounts()
        self.hashes = Distinct()
        self.low: Any = None
        self.high: Any = None
        self.looked_at = 0
        self.numeric = 0
        self.all_differ = False

    def add(self, values: Any) -> None:
        """Take in an Arrow array."""
        import pyarrow.compute as compute

        super().add(values)
        values = self._plain(values.drop_null())
        if not len(values):
            return
        if self.all_differ:
            self._bounds(values)
            self.hashes.add(text_hashes(values))
            return
        counted = compute.value_counts(values)
        different, counts = counted.field(0), counted.field(1)
        self._bounds(different)
        self._look_at(different, counts)
        known = list(self.counts.counts) if self.counts.exact else None
        self.counts.add(different, counts)
        if not self.counts.exact:
            if known:
                import pyarrow

                self.hashes.add(text_hashes(pyarrow.array(known, different.type)))
            self.hashes.add(text_hashes(different))
            self.all_differ = len(different) > len(values) // 2

    def _plain(self, values: Any) -> Any:
        import pyarrow

        if _is_dictionary(values.type):
            values = values.dictionary_decode()
        return values.cast(pyarrow.large_binary() if self.kind == "bytes" else pyarrow.large_string())

    def _bounds(self, values: Any) -> None:
        import pyarrow.compute as compute

        found = compute.min_max(values).as_py()
        self.low = found["min"] if self.low is None else min(found["min"], self.low)
        self.high = found["max"] if self.high is None else max(found["max"], self.high)

    def _look_at(self, different: Any, counts: Any) -> None:
        import pyarrow.compute as compute

        if self.kind != "text" or self.looked_at >= LOOKED_AT:
            return
        self.looked_at += compute.sum(counts).as_py()
        numeric = compute.match_substring_regex(different, NUMBER)
        self.numeric += compute.sum(counts.filter(numeric)).as_py() or 0

    def distinct(self) -> int:
        """How many different values."""
        return len(self.counts) if self.counts.exact else self.hashes.estimate()
