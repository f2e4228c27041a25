"""The tab that shows a job's document as YAML, and the commands that say the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.widget import Widget

from store.jobs import Job
from workbench.tui.access import Stores
from workbench.tui.highlighting import yaml_lines
from workbench.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class DocumentTab(Widget):
    """Read-only; e edits, r runs again."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name

    def compose(self) -> ComposeResult:
        yield TextPane()

    async def show(self, job: Job) -> None:
        """The document as it was stored, below the commands."""
        text = await cast("WorkbenchApp", self.app).access.read(told, job)
        if self.is_attached and self.query(TextPane):
            self.query_one(TextPane).show_lines(yaml_lines(text), keep_place=True)

    async def tick(self) -> None:
        """A document does not move."""

    def focus_content(self) -> None:
        """The text, which scrolls."""
        self.screen.set_focus(self.query_one(TextPane), scroll_visible=False)


def told(stores: Stores, job: Job) -> str:
    """The commands that do with the job what is done here, as comments, and its document."""
    from engines.jobs.report import rerun

    commands = [("run again", f"workbench job rerun {job.name}"), ("look", f"workbench job show {job.name}")]
    anew, _ = rerun(job, Path.cwd())
    if anew != commands[0][1]:
        commands.insert(1, ("run its file", anew))
    lines = [f"# {purpose + ':':<14}{command}" for purpose, command in commands]
    return "\n".join([*lines, "", as_yaml(stores, job).rstrip("\n")])


def as_yaml(_stores: Stores, job: Job) -> str:
    """A job's document in the dialect's YAML, to be submitted again: without its name, which is taken."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes a text of several lines as a block, as people do."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    document = {key: value for key, value in job.document.items() if key != "name" and value not in (None, {}, [])}
    return str(yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100))
