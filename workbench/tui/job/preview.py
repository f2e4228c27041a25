"""The beginning of a file as lines to look at: text, JSON, YAML, tables, bytes. Pictures and Parquet by a child."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.style import Style

from workbench.tui.glyphs import Glyphs
from workbench.tui.highlighting import json_lines, yaml_lines
from workbench.tui.job_columns import cell
from workbench.tui.widgets.text_pane import Line

HEAD = 64 << 10
"""So much of a text is shown."""

WHOLE_JSON = 1 << 20
"""A larger document is not laid out, but shown as it is."""

ROWS = 200
WIDEST = 40
CHILD_SECONDS = 20.0
HEX_LINES = 64
PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npy", ".npz", ".ckpt", ".dill"}
IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
YAML_NAMES = {".yml", ".yaml"}
RAMP = " .:-=+*#%@"
"""A picture where the terminal has no half blocks: dark to light."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the pane shows of a file."""

    kind: str
    lines: Sequence[Line]
    wrapped: bool = True
    note: str = ""
    """What is left out, or why nothing is shown."""


def kind_of(path: Path, head: bytes) -> str:
    """What a file is, by its first bytes, and by its name where those do not tell."""
    suffix = path.suffix.lower()
    if suffix in PICKLES or (len(head) > 1 and head[0] == 0x80 and head[1] in (2, 3, 4, 5)):
        return "pickle"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    if b"\0" in head or not _is_text(head):
        return "bytes"
    if suffix == ".json":
        return "json"
    if suffix in (".csv", ".tsv"):
        return "table"
    if suffix in YAML_NAMES or path.name == "MLmodel":
        return "yaml"
    return "text"


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # a character that the end of the piece cuts
    return True


async def preview(path: Path, size: tuple[int, int], signs: Glyphs) -> Preview:
    """The beginning of a file for a pane of so many cells. Raises OSError."""
    kind, found = await asyncio.to_thread(read_head, path, signs)
    if found is not None:
        return found
    width, height = max(1, size[0]), max(1, size[1])
    if kind == "parquet":
        return parquet_preview(await ask_child("parquet", path, ROWS), signs)
    return image_preview(await ask_child("image", path, width, height), signs)


def read_head(path: Path, signs: Glyphs) -> tuple[str, Preview | None]:
    """The kind of a file, and its preview where this process can make it."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        more = len(head) == HEAD and bool(file.read(1))
    kind = kind_of(path, head)
    if kind in ("parquet", "image"):
        return kind, None
    return kind, {"pickle": _pickle, "json": _json, "table": _table, "bytes": _bytes}.get(kind, _text)(
        path, head, more, signs
    )


def _pickle(path: Path, head: bytes, more: bool, signs: Glyphs) -> Preview:
    why = "Python objects may run code when they are loaded.", "Here they never are: these are the first bytes."
    lines: list[Line] = [[(line, "warning")] for line in why]
    return Preview("pickle", [*lines, [("", "")], *_hex(head[: 16 * 8])], wrapped=False)


def _text(path: Path, head: bytes, more: bool, signs: Glyphs) -> Preview:
    text = head.decode("utf-8", "replace").removesuffix("\n")
    is_yaml = path.suffix in YAML_NAMES or path.name == "MLmodel"
    lines: list[Line] = yaml_lines(text) if is_yaml else [[(line, "")] for line in text.split("\n")]
    note = f"the first {HEAD >> 10} kB" if more else "" if text else "an empty file"
    return Preview("YAML" if is_yaml else "text", lines, note=note)


def _json(path: Path, head: bytes, more: bool, signs: Glyphs) -> Preview:
    try:
        if path.stat().st_size > WHOLE_JSON:
            raise ValueError
        laid_out = json.dumps(json.loads(path.read_bytes()), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        plain = _text(path, head, more, signs)
        return Preview("JSON", json_lines("\n".join(text for line in plain.lines for text, _ in line)), note=plain.note)
    lines = json_lines(laid_out)
    shown = lines[: 20 * ROWS]
    return Preview("JSON", shown, note=f"the first {len(shown)} of {len(lines)} lines" if lines[20 * ROWS :] else "")


def _table(path: Path, head: bytes, more: bool, signs: Glyphs) -> Preview:
    text = head.decode("utf-8", "replace")
    delimiter = "\t" if path.suffix.lower() == ".tsv" or "\t" in text.partition("\n")[0] else ","
    if ";" in text.partition("\n")[0] and delimiter not in text.partition("\n")[0]:
        delimiter = ";"
    try:
        found = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return _text(path, head, more, signs)
    if more and found:
        found.pop()  # the piece ends somewhere in it
    names, rows = (found[0] if found else []), found[1:]
    cut = more or len(rows) > ROWS
    shown = rows[:ROWS]
    counted = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
    note = f"{len(names)} columns, {f'the first {len(shown)} rows' if cut else counted}"
    return Preview("table", table_lines(names, shown, signs), wrapped=False, note=note)


def _bytes(path: Path, head: bytes, more: bool, signs: Glyphs) -> Preview:
    return Preview("bytes", _hex(head[: 16 * HEX_LINES]), wrapped=False, note="no text: its first bytes")


def _hex(data: bytes) -> list[Line]:
    lines: list[Line] = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append([(f"{start:06x}  ", "muted"), (f"{part.hex(' '):<47}", ""), (f"  {shown}", "string")])
    return lines


def table_lines(names: Sequence[str], rows: Sequence[Sequence[str]], signs: Glyphs) -> list[Line]:
    """A table with a head, columns as wide as they need up to a limit, numbers to the right."""
    count = max([len(names), *(len(row) for row in rows)], default=0)
    columns = [[row[number] if number < len(row) else "" for row in rows] for number in range(count)]
    heads = [names[number] if number < len(names) else "" for number in range(count)]
    widths = [
        min(WIDEST, max([cell_len(head), *(cell_len(text) for text in column)]))
        for head, column in zip(heads, columns, strict=True)
    ]
    right = [bool(column) and all(_is_number(text) for text in column) for column in columns]
    lines: list[Line] = [[(_table_row(heads, widths, right, signs), "heading")]]
    lines += [[(_table_row(row, widths, right, signs), "")] for row in zip(*columns, strict=True)]
    return lines


def _table_row(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool], signs: Glyphs) -> str:
    cells = zip(texts, widths, right, strict=True)
    return "  ".join(cell(text.replace("\n", " "), width, signs, right=to_right) for text, width, to_right in cells)


def _is_number(text: str) -> bool:
    if text.strip() in ("", "None", "NaN", "nan"):
        return True
    with suppress(ValueError):
        float(text)
        return True
    return False


# -- what a child finds -------------------------------------------------------------------------------------------


async def ask_child(kind: str, path: Path, *numbers: int) -> dict[str, Any]:
    """What a process of its own finds in a file; it is ended where nobody waits for it any more."""
    arguments = [kind, str(path), *map(str, numbers)]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workbench.tui.job.peek", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CHILD_SECONDS):
            told, _ = await child.communicate()
        answer: dict[str, Any] = json.loads(told)
    except TimeoutError:
        return {"error": f"reading it took more than {CHILD_SECONDS:.0f} seconds"}
    except ValueError:
        return {"error": f"the process that reads it ended with {child.returncode}"}
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return answer


def refused(answer: dict[str, Any], kind: str) -> Preview | None:
    """Why a child found nothing, in words."""
    if package := answer.get("missing"):
        return Preview(kind, [], note=f"{package} shows it, which is not installed: uv pip install {package}")
    if error := answer.get("error"):
        return Preview(kind, [], note=f"it cannot be read: {error}")
    return None


def parquet_preview(answer: dict[str, Any], signs: Glyphs) -> Preview:
    """The first rows of a table."""
    if told := refused(answer, "Parquet"):
        return told
    names = [name for name, _ in answer["columns"]]
    rows, total = answer["rows"], answer["total"]
    lines = table_lines(names, rows, signs)
    kinds = ", ".join(f"{name} {kind}" for name, kind in answer["columns"])
    count = f"the first {len(rows)} of {total:,} rows" if len(rows) < total else f"{total:,} rows"
    return Preview(
        "Parquet", [*lines, [("", "")], [(kinds, "muted")]], wrapped=False, note=f"{len(names)} columns, {count}"
    )


def image_preview(answer: dict[str, Any], signs: Glyphs) -> Preview:
    """A picture in half blocks: the upper dot is the letter's colour, the lower one its ground."""
    if told := refused(answer, "image"):
        return told
    width, height, dots = answer["width"], answer["height"], base64.b64decode(answer["dots"])

    def dot(x: int, y: int) -> tuple[int, int, int] | None:
        at = 3 * (y * width + x)
        return (dots[at], dots[at + 1], dots[at + 2]) if y < height else None

    lines: list[Line] = []
    for y in range(0, height, 2):
        spans: list[tuple[str, str | Style]] = []
        for x in range(width):
            upper, lower = dot(x, y), dot(x, y + 1)
            spans.append(_half_block(upper, lower) if signs.unicode else (_shade(upper), ""))
        lines.append(_joined(spans))
    return Preview("image", lines, wrapped=False, note=str(answer["about"]))


def _half_block(upper: tuple[int, int, int] | None, lower: tuple[int, int, int] | None) -> tuple[str, Style]:
    colours = [f"rgb({each[0]},{each[1]},{each[2]})" if each else None for each in (upper, lower)]
    return "▀", Style(color=colours[0], bgcolor=colours[1])


def _shade(upper: tuple[int, int, int] | None) -> str:
    return RAMP[sum(upper or (0, 0, 0)) * (len(RAMP) - 1) // 765]


def _joined(spans: Sequence[tuple[str, str | Style]]) -> Line:
    """Neighbours of one style in one span."""
    joined: list[tuple[str, str | Style]] = []
    for text, style in spans:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined
