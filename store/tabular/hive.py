"""Columns in the names of folders, ``store=a/day=1/part-0.parquet``, as Spark, Hive and pandas write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

WHOLE = re.compile(r"-?\d{1,18}")


def names(paths: list[str]) -> list[str]:
    """The columns that the folders of some paths name."""
    parts = [part.partition("=") for path in paths for part in path.split("/")[:-1]]
    return list(dict.fromkeys(name for name, sign, _ in parts if name and sign))


def columns(paths: list[str]) -> dict[str, pyarrow.Array]:
    """Their values for each path: whole numbers where all are, else texts; what no folder of a path has is missing."""
    import pyarrow
    from pyarrow import dataset as datasets

    hive = datasets.HivePartitioning(pyarrow.schema([(name, pyarrow.string()) for name in names(paths)]))
    found = [datasets.get_partition_keys(hive.parse(path)) for path in paths]
    made: dict[str, pyarrow.Array] = {}
    for name in names(paths):
        values = [each.get(name) for each in found]
        given = [value for value in values if value is not None]
        whole = bool(given) and all(WHOLE.fullmatch(value) for value in given)
        made[name] = pyarrow.array(
            [int(value) if whole and value is not None else value for value in values],
            pyarrow.int64() if whole else pyarrow.string(),
        )
    return made
