"""Painting a line chart, and how long a logged metric takes to the screen; prints one line of JSON.

    python benchmarks/chart.py                                                    half a minute
    python benchmarks/chart.py --rounds 5 --delays 4                              a smoke test

``refresh`` paints a full pane of ``--points`` anew, the way from points to the strips that Textual writes; ``append``
adds points to it; ``delay`` is the time from a line in a job's journal to its value in the chart of a running program.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult

from workbench.tui.theme_variables import VARIABLE_DEFAULTS
from workbench.tui.widgets.line_chart import LineChart

sys.path.insert(0, str(Path(__file__).parent.parent))


class Pane(App[None]):
    """One chart."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLE_DEFAULTS)

    def compose(self) -> ComposeResult:
        yield LineChart()


def curve(count: int, start: int = 0) -> list[tuple[float, float]]:
    """A loss with its noise."""
    noise = random.Random(start)
    return [(float(i), 2 * math.exp(-i / 4000) + noise.gauss(0, 0.05)) for i in range(start, start + count)]


def measured(rounds: int, action: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds a call."""
    times = []
    for number in range(rounds):
        begun = time.perf_counter()
        action(number)
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    return {"ms": round(statistics.median(times), 2), "ms_95": round(times[int(len(times) * 0.95)], 2)}


async def paint(points: int, size: tuple[int, int], rounds: int) -> dict[str, Any]:
    """The chart's own work: thinning out, drawing, strips."""
    app = Pane()
    async with app.run_test(size=size):
        chart = app.query_one(LineChart)
        height = chart.size.height
        both = [curve(points), [(x, y + 0.2) for x, y in curve(points)]]

        def painted() -> None:
            for row in range(height):
                chart.render_line(row)

        def first(number: int) -> None:
            chart.set_curves([("loss", both[number % 2])])
            painted()

        def again(number: int) -> None:
            chart._painter.__init__()  # type: ignore[misc]
            chart._strips.clear()
            chart._repaint(None)
            painted()

        def grow(number: int) -> None:
            chart.append("loss", curve(25, points + number * 25))
            painted()

        first(0)
        found = {"first": measured(rounds, first), "refresh": measured(rounds, again)}
        chart.show(live=True)
        found["append"] = measured(rounds, grow)
    return found


async def delays(count: int, hertz: float) -> dict[str, float]:
    """From a line in the journal to the chart of the Metrics tab, at a refresh rate."""
    from store import workspace
    from store.layout import Layout
    from store.workspace import Found
    from tests.tui.charted_jobs import JOB, TabView, add_job, log
    from workbench.tui.app import WorkbenchApp
    from workbench.tui.job.metrics import MetricsTab

    class Quiet(WorkbenchApp):
        async def _keep_agent(self) -> None:
            """The job is none."""

    with tempfile.TemporaryDirectory() as folder:
        os.environ.update({f"XDG_{kind}_HOME": f"{folder}/{kind}" for kind in ("DATA", "CONFIG", "CACHE")})
        layout = Layout(Path(folder) / "ws")
        workspace.create(layout, {"name": "ws"}, lambda _: None)
        journal = add_job(layout)
        log(journal, [("loss", 1.0, 0, 0)])
        app = Quiet(Found(layout, "option"), refresh_hz=hertz)
        times = []
        async with app.run_test(size=(120, 40)):
            while app.frame.view is None:
                await asyncio.sleep(0.01)
            tab = MetricsTab(JOB)
            await app.frame.push(TabView(tab))
            while not any(chart.readout() for chart in tab.charts()):
                await asyncio.sleep(0.01)
            for step in range(1, count + 1):
                await asyncio.sleep(random.random() / hertz)
                begun = time.perf_counter()
                log(journal, [("loss", 1 / step, step, step)])
                while all(chart.readout()["loss"][0] != step for chart in tab.charts()):
                    await asyncio.sleep(0.001)
                times.append((time.perf_counter() - begun) * 1000)
        times.sort()
        return {"ms": round(statistics.median(times), 1), "ms_95": round(times[int(len(times) * 0.95)], 1)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--size", default="140x40")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--delays", type=int, default=60)
    parser.add_argument("--hertz", type=float, default=4.0)
    given = parser.parse_args()
    width, height = (int(part) for part in given.size.split("x"))
    found: dict[str, Any] = {"points": given.points, "size": given.size, "python": platform.python_version()}
    found |= asyncio.run(paint(given.points, (width, height), given.rounds))
    if given.delays:
        found["delay"] = asyncio.run(delays(given.delays, given.hertz))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
