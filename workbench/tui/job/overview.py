"""The tab that tells all that is known of a job in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.widget import Widget

from store import jobs, queue
from store.jobs import Job
from store.times import timestamp
from workbench.tui.access import Stores
from workbench.tui.glyphs import kind_of_state
from workbench.tui.job_columns import elapsed, number
from workbench.tui.widgets.fact_list import Entry, Fact, FactList, Heading

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

SHOWN_CHILDREN = 20
SHOWN_METRICS = 12


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows besides the job's row."""

    metrics: dict[str, float]
    parameters: dict[str, str]
    ahead: int | None
    children: list[Job]
    report: list[str]
    artifacts: str
    folder: str


class OverviewTab(Widget):
    """Facts under headings; enter follows those that lead somewhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name

    def compose(self) -> ComposeResult:
        yield FactList()

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    async def show(self, job: Job) -> None:
        """Read what else is known, and show it."""
        known = await self.bench.access.read(read_known, job)
        if self.is_attached:
            self.query_one(FactList).take(entries(job, known, self.bench.signs.state(job.status)))

    async def tick(self) -> None:
        """Nothing here moves between two changes of the store."""

    def focus_content(self) -> None:
        """The list."""
        self.query_one(FactList).focus(scroll_visible=False)

    async def on_fact_list_opened(self, event: FactList.Opened) -> None:
        """Go where a fact leads: a tab, or a job."""
        event.stop()
        kind, _, value = event.fact.target.partition(":")
        if kind == "job":
            await self.bench.open_job(value)
        elif kind == "tab":
            await self.bench.run_command(f"job {self.job_name} {value}")
        else:
            self.bench.copy_text(value, event.fact.title)


def read_known(stores: Stores, job: Job) -> Known:
    """What the store knows of a job besides its row."""
    from engines.jobs.report import report
    from store.tracking import metrics, runs

    last: dict[str, float] = {}
    parameters: dict[str, str] = {}
    if stores.mlflow is not None:
        last = metrics.last_metrics(stores.mlflow, job.name, journal=stores.layout.job(job.name).journal)
        parameters = runs.params(stores.mlflow, job.name)
    before = jobs.last_completed(stores.workbench, job.experiment_name, job.id)
    failed = job.status == "Failed"
    return Known(
        {key: value for key, value in last.items() if not key.startswith("system/")},
        parameters,
        queue.position(stores.workbench, job) if job.status == "Queued" else None,
        jobs.find(stores.workbench, jobs.Filter(parent_job_name=job.name, archived=None), SHOWN_CHILDREN + 1),
        report(job, before, stores.layout) if failed else [],
        str(stores.layout.artifacts(job.name)),
        str(stores.layout.job(job.name).root),
    )


def entries(job: Job, known: Known, sign: str) -> list[Entry]:
    """Everything in the order of asking: what happened, what went in, what came out, where it came from."""
    return [
        *happened(job, known, sign),
        *went_in(job, known),
        *came_out(job, known),
        *origin(job),
        *lineage(job, known),
    ]


def happened(job: Job, known: Known, sign: str) -> list[Entry]:
    """State, times, cause."""
    found: list[Entry] = [Heading("What happened")]
    style = f"$state-{kind_of_state(job.status)}"
    waits = f", {known.ahead} ahead in the queue of {job.compute}" if known.ahead else ""
    found.append(Fact("state", f"{sign} {job.status}{waits}", "tab:log", style))
    if known.report:
        found.append(Fact("why", "\n".join(known.report).strip(), "tab:log"))
    elif job.cause and job.cause.get("code") not in (None, "completed"):
        found.append(Fact("why", "\n".join(filter(None, (job.cause.get("message"), job.cause.get("hint")))), "tab:log"))
    found += facts(
        ("submitted", timestamp(job.created_at)),
        ("started", timestamp(job.started_at)),
        ("ended", timestamp(job.ended_at)),
        ("wall time", elapsed(job.wall_seconds)),
        ("CPU time", elapsed(job.cpu_seconds)),
        ("peak memory", megabytes(job.peak_memory_bytes)),
    )
    return found


def went_in(job: Job, known: Known) -> list[Entry]:
    """Command, inputs, parameters, environment, resources."""
    document = job.document
    found: list[Entry] = [Heading("What went in"), *facts(("command", document.get("command")))]
    inputs = {**(document.get("inputs") or {}), **(job.inputs or {})}
    found += [Fact(f"inputs.{name}", plain(value)) for name, value in inputs.items()]
    logged = {key: value for key, value in known.parameters.items() if str(plain(inputs.get(key))) != value}
    found += [Fact(f"param {key}", value) for key, value in logged.items()]
    environment = (job.environment or {}).get("name") or plain(document.get("environment")) or "the Python that runs it"
    resources, limits = document.get("resources") or {}, document.get("limits") or {}
    found += facts(
        ("environment", environment),
        ("compute", f"{job.compute}, {job.slots} slot{'s' if job.slots > 1 else ''}"),
        ("instances", resources.get("instance_count")),
        ("time limit", elapsed(float(limits["timeout"])) if limits.get("timeout") else None),
        ("tags", ", ".join(f"{key}={value}" for key, value in (document.get("tags") or {}).items())),
        ("description", document.get("description")),
    )
    return found


def came_out(job: Job, known: Known) -> list[Entry]:
    """Metrics, outputs, places."""
    found: list[Entry] = [Heading("What came out")]
    for key in list(known.metrics)[:SHOWN_METRICS]:
        found.append(Fact(key, number(known.metrics[key]), "tab:metrics"))
    if len(known.metrics) > SHOWN_METRICS:
        found.append(Fact("", f"and {len(known.metrics) - SHOWN_METRICS} more", "tab:metrics"))
    found += [Fact(f"outputs.{name}", plain(value), "tab:outputs") for name, value in (job.outputs or {}).items()]
    if job.started_at is not None:
        found.append(Fact("artifacts", known.artifacts, "tab:outputs"))
    found.append(Fact("folder", known.folder, f"copy:{known.folder}"))
    return found


def origin(job: Job) -> list[Entry]:
    """The file, the code, and who submitted it."""
    source, git = job.source, job.source.get("git")
    state = None
    if git:
        state = f"{git['commit'][:10]} on {git.get('branch') or '?'}" + (
            ", uncommitted changes" if git.get("dirty") else ""
        )
    return [
        Heading("Where it came from"),
        *facts(
            ("file", source.get("file")),
            ("overrides", " ".join(source.get("overrides") or ())),
            ("code", job.document.get("code")),
            ("snapshot", (job.snapshot or "")[:16]),
            ("git", state),
            ("by", f"{source.get('user')} on {source.get('host')}"),
        ),
    ]


def lineage(job: Job, known: Known) -> list[Entry]:
    """Parent and children."""
    found: list[Entry] = []
    if job.parent_job_name:
        found.append(Fact("parent", job.parent_job_name, f"job:{job.parent_job_name}"))
    for child in known.children[:SHOWN_CHILDREN]:
        found.append(Fact("child", f"{child.name}  {child.status}", f"job:{child.name}"))
    if len(known.children) > SHOWN_CHILDREN:
        found.append(Fact("", f"and more: :jobs parent:{job.name}"))
    return [Heading("Lineage"), *found] if found else []


def facts(*pairs: tuple[str, Any]) -> list[Entry]:
    """Those that have a value."""
    return [Fact(title, str(value)) for title, value in pairs if value not in (None, "", {}, [])]


def plain(value: Any) -> str:
    """An input, output or reference in one line."""
    if isinstance(value, dict):
        path = value.get("path") or value.get("place") or value.get("value") or value.get("name")
        kind = value.get("type")
        return f"{path} ({kind})" if path and kind else str(path or value)
    return "" if value is None else str(value)


def megabytes(count: int | None) -> str | None:
    """A size of memory."""
    return None if count is None else f"{count / 2**20:,.0f} MiB"
