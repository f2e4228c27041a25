"""Pictures of screens as text, kept beside the tests: what stands where, and how it is drawn.

A picture that changed on purpose is written anew with ``WORKBENCH_NEW_PICTURES=1``; look at the difference before it is
committed.
"""

from __future__ import annotations

import difflib
import os
import string
from pathlib import Path

from rich.style import Style
from textual.app import App

FOLDER = Path(__file__).parent / "pictures"
LETTERS = string.ascii_letters + string.digits


def picture(app: App[None]) -> str:
    """The screen's text, then a letter for the style of each cell, then what the letters stand for."""
    texts: list[str] = []
    styles: list[str] = []
    legend: dict[str, str] = {}
    for strip in app.screen._compositor.render_strips():
        texts.append("".join(segment.text for segment in strip).rstrip())
        row = ""
        for segment in strip:
            name = _described(segment.style)
            letter = legend.setdefault(name, LETTERS[len(legend) % len(LETTERS)])
            row += letter * segment.cell_length
        styles.append(row)
    told = [f"{letter}  {name}" for name, letter in legend.items()]
    return "\n".join([*texts, "", *styles, "", *told, ""])


def _described(style: Style | None) -> str:
    if style is None:
        return "none"
    attributes = [name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)]
    colours = [f"{style.color.name if style.color else '-'} on {style.bgcolor.name if style.bgcolor else '-'}"]
    return " ".join([*attributes, *colours])


def compare(app: App[None], name: str) -> None:
    """Hold the screen against its picture; fails with both where they differ."""
    file, now = FOLDER / f"{name}.txt", picture(app)
    if os.environ.get("WORKBENCH_NEW_PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(now, "utf-8")
        return
    assert file.exists(), f"there is no picture {file.name}: WORKBENCH_NEW_PICTURES=1 makes it"
    kept = file.read_text("utf-8")
    differences = difflib.unified_diff(kept.split("\n"), now.split("\n"), file.name, "now", n=0, lineterm="")
    assert now == kept, "\n".join(["the screen differs from its picture", *differences])
