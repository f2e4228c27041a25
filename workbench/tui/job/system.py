"""The System tab of a job: the machine's load while it ran, and what the job took."""

from __future__ import annotations

import re
from collections.abc import Sequence

from store.main_metric import SYSTEM
from workbench.tui.job.chart_grid import Panel
from workbench.tui.job.charts_tab import ChartsTab
from workbench.tui.widgets.axis import duration_label

PERCENT, FROM_ZERO = (0.0, 100.0), (0.0, 0.0)

PANELS = (
    ("machine CPU %", ("cpu_utilization_percentage",), PERCENT),
    ("machine memory %", ("system_memory_usage_percentage",), PERCENT),
    ("machine memory MB", ("system_memory_usage_megabytes",), FROM_ZERO),
    ("machine network MB", ("network_receive_megabytes", "network_transmit_megabytes"), FROM_ZERO),
    ("machine disk %", ("disk_usage_percentage",), PERCENT),
    ("machine disk free MB", ("disk_available_megabytes",), FROM_ZERO),
)
"""Title and metrics of each chart, and what its axis has to show; what the machine does not tell has none."""

NAMES = {"network_receive_megabytes": "in", "network_transmit_megabytes": "out"}

GPU = re.compile(r"gpu_(\d+)_(.+)")
GPU_PANELS = (
    ("GPU %", "utilization_percentage", PERCENT),
    ("GPU memory %", "memory_usage_percentage", PERCENT),
    ("GPU memory MB", "memory_usage_megabytes", FROM_ZERO),
    ("GPU power W", "power_usage_watts", FROM_ZERO),
)

GIGABYTE = 1e9


def system_panels(keys: Sequence[str]) -> list[Panel]:
    """A chart for each kind of load: GPUs first, all of a kind in one; last what is of no kind that is known here."""
    own = {key.removeprefix(SYSTEM): key for key in keys if key.startswith(SYSTEM)}
    panels: list[Panel] = []
    for title, names, reach in PANELS:
        curves = tuple((NAMES.get(name, title), own.pop(name)) for name in names if name in own)
        if curves:
            panels.append(Panel(title, curves, reach))
    gpus: list[Panel] = []
    cards = [(int(found[1]), found[2], key) for name, key in own.items() if (found := GPU.fullmatch(name))]
    for title, measure, reach in GPU_PANELS:
        curves = tuple((f"GPU {number}", key) for number, name, key in sorted(cards) if name == measure)
        if curves:
            gpus.append(Panel(title, curves, reach))
    told = {key for panel in gpus for key in panel.keys}
    rest = [Panel(name, ((name, key),)) for name, key in own.items() if key not in told and not GPU.fullmatch(name)]
    return [*panels[:2], *gpus, *panels[2:], *rest]


class SystemTab(ChartsTab):
    """CPU, memory, disk, network and GPUs over time."""

    axis = "relative"

    def panels(self, keys: Sequence[str]) -> list[Panel]:
        """A chart for each kind of load."""
        return system_panels(keys)

    def empty(self) -> tuple[str, ...]:
        """Why there is no chart."""
        title = "No system metrics yet" if self.live else "No system metrics were recorded"
        why = (
            "The machine's load is looked at from the fifth second on."
            if self.live
            else "A short job ends before the first measurement."
        )
        return title, why

    def facts_line(self) -> list[str]:
        """What the job itself took, and how the curves are drawn."""
        return [*self._taken(), *([f"~ smoothed by {self.weight:g}"] if self.weight else [])]

    def _taken(self) -> list[str]:
        job = self._job
        if job is None:
            return []
        parts: list[str] = []
        if job.wall_seconds is not None:
            parts.append(f"wall time {_seconds(job.wall_seconds)}")
        if job.cpu_seconds is not None:
            cores = f" ({job.cpu_seconds / job.wall_seconds:.1f} cores)" if job.wall_seconds else ""
            parts.append(f"CPU time {_seconds(job.cpu_seconds)}{cores}")
        if job.peak_memory_bytes is not None:
            parts.append(f"peak memory {_size(job.peak_memory_bytes)}")
        if parts:
            parts[0] = f"job: {parts[0]}"
        if not parts:
            return ["wall time, CPU time and peak memory are known when the job has ended"] if self.live else []
        return parts


def _seconds(value: float) -> str:
    return f"{value:.2f}s" if value < 60 else duration_label(value)


def _size(count: int) -> str:
    return f"{count / GIGABYTE:.2f} GB" if count >= GIGABYTE else f"{count / 1e6:.0f} MB"
