"""The sections of the workspace: a row here and a file in ``screens/`` make one."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.tui.view import View


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the rail."""

    name: str
    """What ``:`` takes, and ``default_section`` of the configuration."""
    title: str
    place: str
    """``module:class`` of its view, imported when it is first shown."""
    aliases: tuple[str, ...] = ()

    def view(self) -> View:
        """A view of this section."""
        return self.kind()()

    def kind(self) -> type[View]:
        """The class of its views."""
        module, _, name = self.place.partition(":")
        kind: type[View] = getattr(import_module(module), name)
        return kind


SECTIONS = (
    Section("home", "Home", "workbench.tui.screens.home:HomeView", ("h",)),
    Section("jobs", "Jobs", "workbench.tui.screens.jobs:JobsView", ("j", "job", "runs")),
    Section("data", "Data", "workbench.tui.screens.data:DataView", ("assets",)),
    Section("datastores", "Datastores", "workbench.tui.screens.datastores:DatastoresView", ("ds", "datastore")),
    Section("compute", "Compute", "workbench.tui.screens.compute:ComputeView", ("c", "computes")),
    Section("environments", "Environments", "workbench.tui.screens.environments:EnvironmentsView", ("env", "envs")),
    Section("events", "Events", "workbench.tui.screens.events:EventsView", ("ev", "event")),
)


def named(word: str) -> Section | None:
    """The section that a word means: its name, an alias, or the only name that begins so."""
    word = word.casefold()
    for section in SECTIONS:
        if word == section.name or word in section.aliases:
            return section
    beginning = [section for section in SECTIONS if word and section.name.startswith(word)]
    return beginning[0] if len(beginning) == 1 else None
