"""What ``workbench.Dataset`` is told of headers and types of columns, by the names of version 1 of Azure ML's SDK."""

from __future__ import annotations

from enum import Enum
from typing import Any

from store.errors import UsageError

MOMENTS = ["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]
"""The formats of moments where none are given: those of ISO 8601."""


class PromoteHeadersBehavior(Enum):
    """Which files begin with a line of names."""

    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3


HEADERS = {
    "NO_HEADERS": "no_header",
    "ONLY_FIRST_FILE_HAS_HEADERS": "from_first_file",
    "COMBINE_ALL_FILES_HEADERS": "all_files_different_headers",
    "ALL_FILES_HAVE_SAME_HEADERS": "all_files_same_headers",
}
"""By the names of version 1 those of an MLTable file."""


class DataType:
    """Types of columns, for ``set_column_types``; each is what an MLTable file says for it."""

    @staticmethod
    def to_string() -> str:
        """A text, as it stands in the file."""
        return "string"

    @staticmethod
    def to_long() -> str:
        """A whole number."""
        return "int"

    @staticmethod
    def to_float() -> str:
        """A number."""
        return "float"

    @staticmethod
    def to_bool(
        true_values: list[str] | None = None, false_values: list[str] | None = None, mismatch_as: str = "error"
    ) -> str | dict[str, Any]:
        """True or false, by texts of your own where both lists are given."""
        if true_values is None and false_values is None:
            return "boolean"
        return {"boolean": {"true_values": true_values, "false_values": false_values, "mismatch_as": mismatch_as}}

    @staticmethod
    def to_datetime(formats: str | list[str] | None = None) -> dict[str, Any]:
        """A moment, by formats in the signs of strptime; without any, those of ISO 8601."""
        return {"datetime": {"formats": MOMENTS if formats is None else formats}}


def header_of(given: object) -> str:
    """A header as an MLTable file says it. Raises UsageError."""
    if isinstance(given, bool):
        return "all_files_same_headers" if given else "no_header"
    name = given.name if isinstance(given, Enum) else given
    if name in HEADERS.values():
        return str(name)
    if name not in HEADERS:
        hint = f"True, False, PromoteHeadersBehavior.{', .'.join(HEADERS)}, or {', '.join(HEADERS.values())}."
        raise UsageError(f"header={given!r} means nothing", hint=hint)
    return HEADERS[str(name)]


def conversions_of(given: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Types by column as the conversions of an MLTable file."""
    return [{"columns": [name], "column_type": kind} for name, kind in (given or {}).items()]
