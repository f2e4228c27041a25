"""One version of a data asset: what it is, where it came from and led, its profile, and its rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar, Protocol, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import AwaitMount, Widget
from textual.widgets import Static

from store.data.assets import DataVersion
from workbench.tui import reading_data
from workbench.tui.access import Stores
from workbench.tui.home_lines import size
from workbench.tui.job_columns import age
from workbench.tui.reading_data import VersionFacts
from workbench.tui.screens.data import DataActions, archive_version, told
from workbench.tui.widgets.tab_line import TabLine


class Tab(Protocol):
    """What every tab of a version is, besides a widget that is made without anything."""

    async def show(self, facts: VersionFacts) -> None:
        """Show the version; called again each time its facts changed."""

    def focus_content(self) -> None:
        """Put the focus where the tab's keys work."""

    def again(self) -> None:
        """Read anew what was read already, because the user asks for it."""


@dataclass(frozen=True, slots=True)
class TabKind:
    """One tab: its title, the key that opens it, and where its class is."""

    title: str
    key: str
    place: str

    async def tab(self) -> Widget:
        """A tab; its module is imported when it is first opened, in a thread: that can take a while."""
        module, _, kind = self.place.partition(":")
        widget: Widget = getattr(await asyncio.to_thread(import_module, module), kind)()
        return widget


TABS = {
    "overview": TabKind("Overview", "o", "workbench.tui.data.overview:OverviewTab"),
    "profile": TabKind("Profile", "p", "workbench.tui.data.profile_tab:ProfileTab"),
    "rows": TabKind("Rows", "w", "workbench.tui.data.rows_tab:RowsTab"),
}


class DataVersionView(DataActions):
    """A line of facts and its tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "turn(1)", "next tab", id="version.next_tab", key_display="]"),
        Binding("left_square_bracket", "turn(-1)", "Previous tab", show=False, id="version.previous_tab"),
        *(
            Binding(kind.key, f"tab('{name}')", kind.title, show=False, id=f"version.tab.{name}")
            for name, kind in TABS.items()
        ),
    ]

    NEED_CONTENT = DataActions.NEED_CONTENT | {"version.next_tab"}

    def __init__(self, name: str, version: str | None, label: str | None) -> None:
        super().__init__()
        self.data_name, self.version, self.label = name, version, label
        self.crumb = f"{name}:{version}" if version else f"{name}@{label or 'latest'}"
        self.tab_name = "overview"
        self.facts: VersionFacts | None = None
        self.tabs: dict[str, Widget] = {}
        self._mounting: dict[str, AwaitMount] = {}

    @classmethod
    def of(cls, reference: str) -> DataVersionView:
        """The view of ``churn:2``, ``churn@latest`` or ``azureml:churn:2``."""
        text = reference.removeprefix("azureml:")
        if ":" in text:
            name, _, version = text.rpartition(":")
            return cls(name, version, None)
        name, _, label = text.partition("@")
        return cls(name, None, label or None)

    def compose_content(self) -> Iterable[Widget]:
        """The facts, the names of the tabs, and room for one of them."""
        yield Static("", classes="job-facts", markup=False)
        yield TabLine({name: (kind.title, kind.key) for name, kind in TABS.items()}, "version.tab")
        yield Container(classes="job-tabs")

    async def load(self) -> None:
        """Read what is known of the version; the shown tab reads what it needs."""
        self.facts = await self.bench.access.read(facts_of, self.data_name, self.version, self.label)
        self.place = f"data {told(self.facts.data)}"
        self.show_content()
        self.query_one(".job-facts", Static).update(self._line(self.facts))
        await self._show_tab()

    def _line(self, facts: VersionFacts) -> Content:
        data = facts.data
        parts = [Content.styled(f" {told(data)}", "bold"), Content.styled(f"  {data.type}", "$foreground-muted")]
        if data.bytes is not None:
            parts.append(Content(f"  {size(data.bytes)}"))
        parts.append(Content.styled(f"  {_ago(age(data.created_at, self.bench.now()))}", "$foreground-muted"))
        if facts.labels:
            parts.append(Content.styled(f"  {', '.join(facts.labels)}", "$accent"))
        if data.archived or facts.asset_archived:
            parts.append(Content("  archived"))
        if facts.changed is not None:
            parts.append(Content.styled("  ! its bytes changed", "$warning"))
        return Content("").join(parts)

    def chosen(self) -> DataVersion | None:
        """This version."""
        return self.facts.data if self.facts is not None else None

    def action_archive(self) -> None:
        """Hide the version from lists, or show it again."""
        data = self.meant()
        if data is not None:
            self.act(lambda: archive_version(self, data))

    # -- tabs ---------------------------------------------------------------------------------------------------

    async def _show_tab(self) -> None:
        """Show the chosen tab; made when it is first chosen."""
        name = self.tab_name
        self.query_one(TabLine).current = name
        if name not in self.tabs:
            made = await TABS[name].tab()
            self.tabs[name] = made
            self._mounting[name] = self.query_one(".job-tabs").mount(made)
        await self._mounting[name]  # by a reading that was dropped for this one, perhaps
        for other, widget in self.tabs.items():
            widget.display = other == name
        if self.facts is not None:
            await cast(Tab, self.tabs[name]).show(self.facts)
        if not self.tabs[name].has_focus_within and self.may_take_focus:
            self.focus_content()
        self.query_one(".job-tabs").can_focus = False

    def focus_content(self) -> None:
        """The keys work in the tab."""
        tab = self.tabs.get(self.tab_name)
        if tab is not None and tab.is_mounted and self.query_one(".content").display:
            cast(Tab, tab).focus_content()
        else:
            super().focus_content()

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        left = self.tabs.get(self.tab_name)
        if left is not None and name != self.tab_name:  # the next key is not for it any more
            took_keys = left.has_focus_within
            left.display = False
            if took_keys:
                room = self.query_one(".job-tabs")
                room.can_focus = True
                self.screen.set_focus(room, scroll_visible=False)
        self.tab_name = name
        self.read_guarded(self._show_tab if self.loaded else self.load)

    def action_turn(self, steps: int) -> None:
        """The tab beside this one."""
        names = list(TABS)
        self.action_tab(names[(names.index(self.tab_name) + steps) % len(names)])

    def action_reload(self) -> None:
        """Read again, the data itself too."""
        tab = self.tabs.get(self.tab_name)
        if tab is not None:
            cast(Tab, tab).again()
        super().action_reload()

    @on(TabLine.Chosen)
    def tab_clicked(self, event: TabLine.Chosen) -> None:
        """Show the tab that was clicked."""
        event.stop()
        self.action_tab(event.name)


def facts_of(stores: Stores, name: str, version: str | None, label: str | None) -> VersionFacts:
    """What is known of a version. Raises NotFoundError."""
    return reading_data.version_facts(stores, name, version, label)


def _ago(text: str) -> str:
    return text if text == "now" else f"{text} ago"
