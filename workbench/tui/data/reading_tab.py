"""A tab whose content a process of its own reads: says that it reads, how far it is, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.content import Content
from textual.widget import Widget

from store.errors import WorkbenchError
from workbench.tui.data.child import Child
from workbench.tui.reading_data import VersionFacts
from workbench.tui.view import Notice

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class ReadingTab(Widget):
    """A subclass composes a ``Notice`` and what it shows, and gives ``read`` and ``holder``."""

    reading = "Reading the data…"

    def __init__(self) -> None:
        super().__init__()
        self.facts: VersionFacts | None = None
        self.child: Child | None = None
        self.answer: Any = None
        self._failed = False

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    @property
    def holder(self) -> Widget:
        """What is shown when it was read."""
        raise NotImplementedError

    async def read(self, child: Child, facts: VersionFacts) -> Any:
        """Ask for what is shown. Raises WorkbenchError."""
        raise NotImplementedError

    def fill(self, answer: Any) -> None:
        """Show it."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.holder.display = False

    def on_unmount(self) -> None:
        if self.child is not None:
            self.child.close()

    async def show(self, facts: VersionFacts) -> None:
        """Read it once: a version stays what it is."""
        if self.facts is None or self.facts.data.path != facts.data.path:
            self.facts = facts
            self.again()

    def again(self) -> None:
        """Read it anew."""
        if self.facts is not None:
            self.say(self.reading)
            self.run_worker(self._read(self.facts), group="read", exclusive=True)

    async def _read(self, facts: VersionFacts) -> None:
        if self.child is None:
            self.child = Child(self.bench.access.layout.root.absolute())
        try:
            answer = await self.read(self.child, facts)
        except WorkbenchError as error:
            self.fail(error)
            return
        if self.is_attached:
            self.answer, self._failed = answer, False
            self.fill(answer)
            self._swap(notice=False)

    def progress(self, rows: int, _total: int | None) -> None:
        """Say how far it is."""
        if self.is_attached:
            self.say(f"{self.reading} {rows:,} values" if rows else self.reading)

    def fail(self, error: WorkbenchError) -> None:
        """Say what is wrong and what to do next."""
        if self.is_attached:
            self._failed = True
            where = f"{self.bench.key_of('version.tab.overview', 'o')}  where it should be"
            again = f"{self.bench.key_of('view.reload', 'ctrl+r')}  try again"
            self.say(error.message, *filter(None, (error.hint, where, again)), kind="-error")

    def say(self, title: str, *steps: str, kind: str = "") -> None:
        """Say something in place of the content."""
        notice = self.query_one(Notice)
        notice.set_classes(f"notice {kind}")
        notice.update(Content("\n").join([Content.styled(title, "bold"), *(Content(step) for step in steps)]))
        self._swap(notice=True)

    def _swap(self, *, notice: bool) -> None:
        shown, hidden = (self.query_one(Notice), self.holder) if notice else (self.holder, self.query_one(Notice))
        had_focus = self.has_focus_within
        shown.display, hidden.display = True, False
        if had_focus and not self._shown_has_focus():
            self.focus_content()

    def _shown_has_focus(self) -> bool:
        focused = self.screen.focused
        return focused is not None and focused.display and (focused is self.query_one(Notice)) != self.holder.display

    def focus_content(self) -> None:
        """What is shown takes the keys."""
        if self.holder.display:
            self.focus_holder()
        else:
            self.screen.set_focus(self.query_one(Notice), scroll_visible=False)

    def focus_holder(self) -> None:
        """Put the focus into what was read."""
        self.screen.set_focus(self.holder, scroll_visible=False)
