"""The tab that shows a job's document as YAML, and the commands that say the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.jobs import Job
from workbench.tui.access import Stores

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

LINE = re.compile(r"^(\s*(?:- )*)([^\s:#'\"][^:#]*)(:)(\s.*|)$")


class DocumentTab(Widget):
    """Read-only; e edits, r runs again."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.job_name = name

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=True):
            yield Static("", classes="document", markup=False)

    async def show(self, job: Job) -> None:
        """The document as it was stored."""
        text = await cast("WorkbenchApp", self.app).access.read(as_yaml, job)
        if self.is_attached:
            commands = f"\n# workbench job show {job.name} -o yaml\n# workbench job rerun {job.name}\n"
            self.query_one(".document", Static).update(highlighted(text + commands))

    async def tick(self) -> None:
        """A document does not move."""

    def focus_content(self) -> None:
        """The text, which scrolls."""
        self.query_one(VerticalScroll).focus(scroll_visible=False)


def as_yaml(_stores: Stores, job: Job) -> str:
    """A job's document in the dialect's YAML."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes a text of several lines as a block, as people do."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    document = {key: value for key, value in job.document.items() if value not in (None, {}, [])}
    whole = {"name": job.name, **document}
    return str(yaml.dump(whole, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100))


def highlighted(text: str) -> Content:
    """Keys and comments in colours of their own."""
    lines: list[Content] = []
    for line in text.expandtabs(2).split("\n"):
        found = LINE.match(line)
        if line.lstrip().startswith("#"):
            lines.append(Content.styled(line, "$text-muted"))
        elif found:
            lines.append(Content.assemble(found[1], (found[2], "$primary"), (found[3], "$text-muted"), found[4]))
        else:
            lines.append(Content(line))
    return Content("\n").join(lines)
