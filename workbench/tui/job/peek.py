"""Looks into a file that needs a large library, in a process of its own: ``python -m workbench.tui.job.peek``.

Writes one JSON document to stdout: ``{"missing": PACKAGE}`` where the library is not installed, ``{"error": TEXT}``
where the file cannot be read, else what was found. What the libraries need of memory is given back with the process.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

LONGEST_CELL = 200


def parquet(path: str, rows: int) -> dict[str, Any]:
    """Columns with their types, the first rows as texts, and how many rows there are."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        schema, total = file.schema_arrow, file.metadata.num_rows
        batch = next(file.iter_batches(batch_size=rows), None)
        columns = (
            [[str(value)[:LONGEST_CELL] for value in column.to_pylist()] for column in batch.columns] if batch else []
        )
        return {
            "columns": [[field.name, str(field.type)] for field in schema],
            "rows": [list(row) for row in zip(*columns, strict=True)],
            "total": total,
        }


def _cell(value: object) -> str:
    return "" if value is None else str(value)[:LONGEST_CELL]


def image(path: str, width: int, height: int) -> dict[str, Any]:
    """An image scaled into so many cells of two dots each, as bytes of red, green and blue."""
    from PIL import Image

    with Image.open(path) as found:
        size, mode, kind = found.size, found.mode, found.format
        scale = min(width / size[0], 2 * height / size[1], 1.0)
        small = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
        found.draft("RGB", small)
        picture = found.convert("RGBA").resize(small)
        ground = Image.new("RGBA", small, (255, 255, 255, 255))
        dots = Image.alpha_composite(ground, picture).convert("RGB").tobytes()
    return {
        "width": small[0],
        "height": small[1],
        "dots": base64.b64encode(dots).decode(),
        "about": f"{kind} {size[0]} × {size[1]}, {mode}",
    }


def main(arguments: list[str]) -> int:
    """Look, and answer."""
    kind, path, *numbers = arguments
    looks: dict[str, Callable[..., dict[str, Any]]] = {"parquet": parquet, "image": image}
    look = looks[kind]
    try:
        answer = look(path, *map(int, numbers))
    except ImportError as error:
        answer = {"missing": {"PIL": "pillow"}.get(error.name or "", (error.name or "").partition(".")[0])}
    except Exception as error:  # noqa: BLE001  (whatever a library finds wrong with a file is told, not raised)
        answer = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
