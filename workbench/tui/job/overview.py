"""The tab that tells all that is known of a job in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from store.jobs import Job
from workbench.tui import reading_job
from workbench.tui.job.facts import sections
from workbench.tui.reading_job import Details, Later
from workbench.tui.widgets.fact_list import FactList
from workbench.tui.widgets.text_dialog import TextDialog

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class OverviewTab(Widget):
    """Facts under headings; enter follows those that lead somewhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name
        self.job: Job | None = None
        self.known = Details()
        self.later: Later | None = None

    def compose(self) -> ComposeResult:
        yield FactList()

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    async def show(self, job: Job) -> None:
        """Read what else is known; the jobs that came of it are looked for once."""
        self.known = await self.bench.access.read(reading_job.details, job)
        self.job = job
        self._paint()
        if self.later is None:
            self.later = await self.bench.access.read(reading_job.later, job)
            self._paint()

    async def tick(self) -> None:
        """How long it runs is all that moves between two changes of the store."""
        self._paint()

    def _paint(self) -> None:
        if self.job is not None and self.is_attached and self.query(FactList):
            told = sections(self.job, self.known, self.later or Later(), self.bench.signs, self.bench.now())
            self.query_one(FactList).take(told)

    def focus_content(self) -> None:
        """The list."""
        self.screen.set_focus(self.query_one(FactList), scroll_visible=False)

    @on(FactList.Opened)
    async def fact_opened(self, event: FactList.Opened) -> None:
        """Go where a fact leads."""
        event.stop()
        opens = event.opens
        match opens.kind:
            case "job":
                await self.bench.open_job(opens.value)
            case "tab":
                await self.bench.open_job(self.job_name, opens.value)
            case "compare":
                from workbench.tui.screens.compare import CompareView

                await self.bench.frame.push(CompareView([self.job_name, opens.value]))
            case "text":
                lines = [[(line, "")] for line in opens.value.split("\n")]
                self.app.push_screen(TextDialog(event.fact.title, lines))
