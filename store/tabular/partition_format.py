"""Columns made of the paths of files: ``{Store}/{dt:yyyy/MM}/{name}.csv``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from store.errors import UsageError

if TYPE_CHECKING:
    import pyarrow

_DATE_PARTS = {"yyyy": r"\d{4}", "MM": r"\d{2}", "dd": r"\d{2}", "HH": r"\d{2}", "mm": r"\d{2}", "ss": r"\d{2}"}
_ORDER = ("yyyy", "MM", "dd", "HH", "mm", "ss")


@dataclass
class PathColumns:
    """What a partition format makes of a path; a path that does not fit has no values."""

    text: str
    names: list[str] = field(default_factory=list)
    dates: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pattern, at = "", 0
        for match in re.finditer(r"\{([^{}:]+)(?::([^{}]*))?\}|\*", self.text):
            pattern += re.escape(self.text[at : match.start()]) + self._part(match)
            at = match.end()
        tail = re.escape(self.text[at:])
        self.pattern = re.compile(
            "(?:^|/)" + pattern.removeprefix("/") + tail + ("[^/]*$" if tail.endswith("/") else "$")
        )
        if not (self.names or self.dates):
            raise UsageError(f"the partition format {self.text!r} names no column", hint="Write '{year}/{file}.csv'.")

    def _part(self, match: re.Match[str]) -> str:
        name, date = match[1], match[2]
        if name is None:
            return "[^/]*"
        if date is None:
            self.names.append(name)
            return "([^/]+)"
        parts = re.findall("yyyy|MM|dd|HH|mm|ss", date)
        if "yyyy" not in parts:
            hint = "A moment has parts of yyyy, MM, dd, HH, mm, ss: '{when:yyyy/MM/dd}'."
            raise UsageError(f"the partition format {self.text!r} has a moment without a year", hint=hint)
        self.dates.setdefault(name, []).extend(parts)
        written = re.escape(date)
        for part in parts:
            written = written.replace(part, f"({_DATE_PARTS[part]})", 1)
        self.names.append(name)
        return written

    def fields(self) -> list[tuple[str, bool]]:
        """The columns and whether each is a moment: texts first, as Azure ML's reader has them."""
        names = list(dict.fromkeys(self.names))
        return [(name, False) for name in names if name not in self.dates] + [(name, True) for name in self.dates]

    def values(self, path: str) -> dict[str, str | datetime | None]:
        """The columns of a path."""
        found = self.pattern.search(path)
        result: dict[str, str | datetime | None] = dict.fromkeys(dict.fromkeys(self.names))
        if found is None:
            return result
        groups = iter(found.groups())
        for name in self.names:
            if name in self.dates:
                given = {part: int(next(groups)) for part in self.dates[name]}
                result[name] = _moment(given)
            else:
                result[name] = next(groups)
        return result

    def add_to(self, table: pyarrow.Table, paths: list[str | None]) -> pyarrow.Table:
        """A table with the columns of the paths of its rows."""
        import pyarrow

        known = {path: self.values(path or "") for path in set(paths)}
        for name, moment in self.fields():
            type_ = pyarrow.timestamp("ns") if moment else pyarrow.string()
            column = pyarrow.array([known[path][name] for path in paths], type_)
            if name in table.column_names:
                table = table.set_column(table.column_names.index(name), name, column)
            else:
                table = table.append_column(name, column)
        return table


def _moment(given: dict[str, int]) -> datetime | None:
    try:
        return datetime(*(given.get(part, 1 if part in ("MM", "dd") else 0) for part in _ORDER))  # type: ignore[arg-type]
    except ValueError:
        return None
