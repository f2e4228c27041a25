"""Make the pictures of the terminal UI that the README shows: real jobs, run in a workspace of their own.

    .venv/bin/python scripts/terminal_pictures.py docs/pictures

Takes about a minute. Letters are placed one by one, so that a picture looks alike in every viewer.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.style import Style
from rich.terminal_theme import MONOKAI

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

ROOT = Path(__file__).parent.parent
SIZE = (112, 30)
WIDTH, HEIGHT = 8.43, 18.0
"""Pixels of a cell: as wide as a letter of DejaVu Sans Mono at 14 pixels."""
SHOWN_FOLDER = "/home/ann/models"
"""Stands in the pictures for the temporary folder, whose name is as long where it lies in /tmp."""
WORD = re.compile(r"[!-~]+|[^ -~]")
WORKBENCH = [sys.executable, "-m", "workbench.cli.main"]
LONG = """\
experiment_name: digits
display_name: long-training
command: |
  python -c "
  import math, mlflow, time
  for step in range(4000):
      mlflow.log_metrics({'loss': math.exp(-step / 900) + 0.04 * math.sin(step / 37), 'val_loss': math.exp(-step / 700)
          + 0.07, 'val_accuracy': 1 - 0.9 * math.exp(-step / 500), 'learning_rate': 0.1 * 0.999 ** step}, step=step)
      if step % 100 == 0: print(f'epoch {step // 100:3d}  loss {math.exp(-step / 900):.4f}', flush=True)
      time.sleep(0.001 if step < 2500 else 0.05)
  "
inputs: {epochs: 40}
"""
BROKEN = """\
experiment_name: churn
display_name: churn-boosted
command: python train.py --data ${{inputs.data}}
code: code
inputs: {data: nightly}
"""
TRAIN = """\
import sys

def load(path):
    return [float(value) for value in "0.4,0.9,n/a".split(",")]

rows = load(sys.argv[-1])
"""


def run(*arguments: str) -> None:
    """One command of the command line."""
    subprocess.run([*WORKBENCH, *arguments], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def fill(folder: Path) -> None:
    """Jobs to look at: trained ones, a failed one, one that runs, two that wait."""
    (folder / "code").mkdir()
    (folder / "code" / "train.py").write_text(TRAIN)
    (folder / "long.yml").write_text(LONG)
    (folder / "broken.yml").write_text(BROKEN)
    train = str(ROOT / "examples" / "train" / "job.yml")
    for rate in ("0.1", "0.01", "0.003"):
        run("run", train, "--set", "inputs.epochs=20", "--set", f"inputs.learning_rate={rate}")
    run("run", str(folder / "broken.yml"))
    for _ in range(4):
        run("run", "--detach", str(folder / "long.yml"))
    time.sleep(8)  # for curves that are worth a picture


async def take(target: Path) -> None:
    """Visit the screens, and keep a picture of each."""
    from store import workspace
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.settings import load_settings
    from workbench.tui.theming import Themes

    app = WorkbenchApp(workspace.locate(None), loaded=load_settings(Themes()))
    async with app.run_test(size=SIZE) as pilot:

        async def settle(seconds: float = 2.5) -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await pilot.pause(0.1)

        async def shot(name: str, *keys: str) -> None:
            await pilot.press(*keys)
            await settle()
            (target / f"{name}.svg").write_text(drawn(app).replace(os.getcwd(), SHOWN_FOLDER), "utf-8")

        await settle()
        await shot("home")
        await shot("jobs", "2", "j", "j", "space", "space")
        await pilot.press("asterisk")
        await app.run_command("jobs state:running")
        await settle()
        await shot("metrics", "m")
        await app.run_command("jobs state:failed")
        await settle()
        await shot("failed", "enter")
        await app.run_command("jobs state:completed")
        await settle()
        await shot("compare", "asterisk", "space", "space", "space", "c")


def drawn(app: WorkbenchApp) -> str:
    """The screen as an SVG: backgrounds as boxes, letters each in its place."""
    width, height = SIZE[0] * WIDTH, SIZE[1] * HEIGHT
    boxes: list[str] = []
    letters: list[str] = []
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            boxes.append(box(x, y, segment.cell_length, segment.style))
            letters += text(x, y, segment.text, segment.style)
            x += segment.cell_length
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">\n'
        f'<g shape-rendering="crispEdges">{"".join(boxes)}</g>\n'
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">{"".join(letters)}</g>\n</svg>\n'
    )


def box(x: int, y: int, cells: int, style: Style | None) -> str:
    """The background of a segment."""
    colour = hexadecimal(style.bgcolor if style else None, foreground=False)
    return f'<rect x="{x * WIDTH:g}" y="{y * HEIGHT:g}" width="{cells * WIDTH:g}" height="{HEIGHT:g}" fill="{colour}"/>'


def text(x: int, y: int, letters: str, style: Style | None) -> list[str]:
    """The letters of a segment: a word at a time, and what is no ASCII letter by letter."""
    colour = hexadecimal(style.color if style else None, foreground=True)
    bold = ' font-weight="bold"' if style and style.bold else ""
    found: list[str] = []
    for word in WORD.finditer(letters):
        left = (x + cell_len(letters[: word.start()])) * WIDTH
        found.append(f'<text x="{left:g}" y="{y * HEIGHT + 13.5:g}" fill="{colour}"{bold}>{escape(word[0])}</text>')
    return found


def hexadecimal(colour: Any, *, foreground: bool) -> str:
    """A colour as SVG takes it."""
    if colour is None:
        return "#d9d9d9" if foreground else "#121212"
    return str(colour.get_truecolor(MONOKAI, foreground=foreground).hex)


def main(take_pictures: Callable[[Path], Any] = take) -> None:
    """Run jobs in a workspace of their own, take the pictures, and end what was begun."""
    target = Path(sys.argv[1]).absolute()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = str(folder / variable.lower())
        os.environ["WORKBENCH_THEME"] = "workbench"
        os.environ["WORKBENCH_WORKSPACE"] = str(folder / "digits")
        os.chdir(folder)
        fill(folder)
        try:
            asyncio.run(take_pictures(target))
        finally:
            names = subprocess.run(
                [*WORKBENCH, "job", "list", "-o", "tsv", "--query", "[].name"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()
            for job in names:
                run("job", "cancel", "--kill", job)
            run("agent", "stop")


if __name__ == "__main__":
    main()
