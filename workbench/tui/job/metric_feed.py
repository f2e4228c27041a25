"""What the tabs with charts know of a job's metrics: read in threads, one question at a time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from store.tracking.live import LiveMetrics, Update
from store.tracking.metrics import KeyFacts, Point
from workbench.journal_lines import LARGEST
from workbench.tui.access import Access, Stores
from workbench.tui.widgets.axis import Kind
from workbench.tui.widgets.series import XY

if TYPE_CHECKING:
    from store.jobs import Job

Axis = Literal["step", "relative", "time"]
KINDS: dict[Axis, Kind] = {"step": "number", "relative": "duration", "time": "clock"}
AXES: tuple[Axis, ...] = ("step", "relative", "time")


class MetricFeed:
    """Follows the metrics of one job."""

    def __init__(self, job: str, access: Access, max_points: int) -> None:
        self.job = job
        self.started_at: float | None = None
        """What relative times count from, in seconds since 1970."""
        self._access = access
        self._live = LiveMetrics(job, access.layout.job(job).journal, max_points=max_points)
        self._busy = asyncio.Lock()
        self._news: list[Update] = []

    @property
    def keys(self) -> list[str]:
        """The names of all metrics that are known."""
        return self._live.keys

    @property
    def busy(self) -> bool:
        """Whether an answer is under way."""
        return self._busy.locked()

    def of(self, job: Job) -> None:
        """Take in what the job's row tells."""
        self.started_at = job.started_at

    def facts(self, key: str) -> KeyFacts:
        """Last point, count and extremes, as far as they are known."""
        return self._live.facts(key)

    def points(self, key: str, axis: Axis) -> list[XY]:
        """The points that are kept of a metric, for a chart."""
        return self.placed(self._live.points(key), axis)

    def placed(self, points: Iterable[Point], axis: Axis) -> list[XY]:
        """Points on an x axis."""
        if axis == "step":
            return [(point.step, told(point.value)) for point in points]
        start = 0.0
        if axis == "relative":
            start = self.started_at or 0.0
            listed = list(points)
            points = listed
            if not start and listed:
                start = min(point.timestamp for point in listed) / 1000
        return [(point.timestamp / 1000 - start, told(point.value)) for point in points]

    async def poll(self) -> list[Update]:
        """What is new."""
        return await self._ask(self._poll)

    async def load(self, key: str, *, whole: bool = False) -> list[Update]:
        """The history of a metric; of a very long one a sketch, unless ``whole`` asks for all of it."""
        return await self._ask(self._load, key, whole)

    async def _ask(self, function: Callable[..., None], *arguments: object) -> list[Update]:
        """Have a thread find news, and give all that was found. Who stops waiting loses none of it."""
        async with self._busy:
            asked = asyncio.ensure_future(self._access.read(function, *arguments))
            try:
                await asyncio.shield(asked)
            except asyncio.CancelledError:
                await asyncio.wait([asked])  # not before the thread is done may another one begin
                raise
            news, self._news = self._news, []
        return news

    def _poll(self, stores: Stores) -> None:
        self._news += self._live.poll(stores.mlflow)

    def _load(self, stores: Stores, key: str, whole: bool) -> None:
        self._news += self._live.load(stores.mlflow, [key], whole=whole)


def told(value: float) -> float:
    """A value as it was logged: MLflow keeps the largest number for an infinity."""
    return math.copysign(math.inf, value) if abs(value) == LARGEST else value
