"""The tab that tells all that is known of a version of data, and where it came from and led."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from store.data.assets import DataVersion
from store.data.lineage import Lineage, User
from store.lineage import Relative
from workbench.tui.glyphs import Glyphs, kind_of_state
from workbench.tui.job.facts import moment
from workbench.tui.reading_data import VersionFacts
from workbench.tui.widgets.fact_list import Fact, FactList, Opens, Section
from workbench.tui.widgets.file_tree import size_text
from workbench.tui.widgets.text_dialog import TextDialog

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class OverviewTab(Widget):
    """Facts under headings; enter follows those that lead somewhere."""

    def compose(self) -> ComposeResult:
        yield FactList()

    async def show(self, facts: VersionFacts) -> None:
        """Show what is known."""
        bench = cast("WorkbenchApp", self.app)
        if self.is_attached:
            self.query_one(FactList).take(sections(facts, bench.signs))

    def again(self) -> None:
        """What it shows is read with the view."""

    def focus_content(self) -> None:
        """The list."""
        self.screen.set_focus(self.query_one(FactList), scroll_visible=False)

    @on(FactList.Opened)
    async def fact_opened(self, event: FactList.Opened) -> None:
        """Go where a fact leads."""
        event.stop()
        bench = cast("WorkbenchApp", self.app)
        match event.opens.kind:
            case "job":
                await bench.open_job(event.opens.value)
            case "data":
                from workbench.tui.screens.data_version import DataVersionView

                await bench.frame.push(DataVersionView.of(event.opens.value))
            case "events":
                await bench.run_command(f"events type:data {event.opens.value}")
            case "text":
                lines = [[(line, "")] for line in event.opens.value.split("\n")]
                self.app.push_screen(TextDialog(event.fact.title, lines))


def sections(facts: VersionFacts, signs: Glyphs) -> list[Section]:
    """What it is, what it holds, where it came from, what used it."""
    return [
        Section("What it is", tuple(identity(facts))),
        Section("What it holds", tuple(content(facts))),
        Section("Where it came from", tuple(origin(facts.data, facts.lineage, signs))),
        Section(f"What used it{_count(facts.lineage)}", tuple(users(facts.lineage, signs))),
    ]


def identity(facts: VersionFacts) -> Iterator[Fact]:
    """Reference, labels, path, description, tags, when it was registered."""
    data, document = facts.data, facts.data.document
    yield Fact("reference", str(data))
    if facts.labels:
        yield Fact("labels", ", ".join(facts.labels))
    yield Fact("type", data.type)
    yield Fact("path", data.path)
    if description := document.get("description"):
        yield Fact("description", str(description))
    for key, value in (document.get("tags") or {}).items():
        yield Fact(f"tag {key}", str(value))
    for key, value in (document.get("properties") or {}).items():
        yield Fact(f"property {key}", str(value))
    yield Fact("registered", moment(data.created_at) or "")
    if facts.asset_archived or data.archived:
        yield Fact("archived", "the whole asset" if facts.asset_archived else "this version", kind="canceled")


def content(facts: VersionFacts) -> Iterator[Fact]:
    """Files, bytes, fingerprint, others with the same content, and whether it changed."""
    data = facts.data
    if data.files is not None:
        yield Fact("files", f"{data.files:,}")
    if data.bytes is not None:
        yield Fact("size", size_text(data.bytes), copies=str(data.bytes))
    known = "known when a job first uses it" if data.fingerprint is None else data.fingerprint
    yield Fact("fingerprint", known, kind="muted" if data.fingerprint is None else "plain")
    if data.stored:
        yield Fact("copy", "Workbench keeps a copy of its bytes")
    for twin in facts.twins:
        yield Fact("same bytes as", twin.removeprefix("azureml:"), Opens("data", twin), twin)
    if (use := facts.changed) is not None:
        when = moment(use.at)
        told = f"{use.user_kind} {use.user_name} saw other bytes, {when}"
        yield Fact("changed", told, Opens("job", use.user_name), use.fingerprint or "", "failed")


def origin(data: DataVersion, known: Lineage, signs: Glyphs) -> Iterator[Fact]:
    """The job that made it and what went into that, or the watch."""
    if known.made_by is not None:
        yield _job("made by", known.made_by, signs, f", output {data.job_output}" if data.job_output else "")
    elif data.job_name is not None:
        yield Fact("made by", f"job {data.job_name}, which is gone")
    for reference in known.made_from:
        yield Fact("made from", reference.removeprefix("azureml:"), Opens("data", reference), reference)
    if known.watch is not None:
        yield Fact("new files of", f"watch {known.watch}: enter shows its events", Opens("events", known.watch))
    if data.job_name is None and known.watch is None:
        yield Fact("made by", "registered by a person", kind="muted")


def users(known: Lineage, signs: Glyphs) -> Iterator[Fact]:
    """Who used it, and what each made of it."""
    for user in known.users:
        yield _user(user, signs)
        for reference in user.made:
            yield Fact("  which made", reference.removeprefix("azureml:"), Opens("data", reference), reference)
    if known.total > len(known.users):
        yield Fact("and", f"{known.total - len(known.users):,} earlier ones", kind="muted")
    if not known.total:
        yield Fact("used by", "nothing yet", kind="muted")


def _user(user: User, signs: Glyphs) -> Fact:
    use = user.use
    as_input = f", input {use.input}" if use.input else ""
    if user.job is not None:
        return _job("used by", user.job, signs, as_input)
    return Fact("used by", f"{use.user_kind} {use.user_name}{as_input}", copies=use.user_name)


def _job(title: str, job: Relative, signs: Glyphs, more: str) -> Fact:
    called = f"  {job.display_name}" if job.display_name and job.display_name != job.name else ""
    text = f"{signs.state(job.status)} {job.name}{called}{more}"
    return Fact(title, text, Opens("job", job.name), job.name, kind_of_state(job.status))


def _count(known: Lineage) -> str:
    return f" {known.total:,}" if known.total else ""
