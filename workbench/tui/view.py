"""The base of everything that fills the body: it reads in the background, and says when there is nothing or trouble."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from store.errors import WorkbenchError
from workbench.tui.access import NoWorkspaceError, Stores

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

LOADING = "Reading the workspace…"


class Notice(Static, can_focus=True):
    """Takes the place of the content while there is none: loading, empty, or an error with its next step."""


class View(Widget):
    """A section, or what was opened from one.

    A subclass gives ``compose_content`` and ``load``. ``load`` runs after mounting, at ``reload`` and when the store
    changed while the view is shown; it reads through ``app.access``, and raises WorkbenchError for what a person has
    to know. ``tick`` is called at the refresh rate while the view is shown and ``live`` is true.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "reload", "Read again", id="view.reload", show=False),
    ]

    crumb = ""
    """What the header calls it; a section's title where it is empty."""
    place = ""
    """The command that leads here again, where it is not the section's name."""
    live = False
    loaded = False
    has_content = False
    """Whether the content is shown, and no notice in its place."""
    NEED_CONTENT: ClassVar[frozenset[str]] = frozenset()
    """The ids of keys that do something with what is shown."""

    @property
    def bench(self) -> WorkbenchApp:
        """The application, typed."""
        return cast("WorkbenchApp", self.app)

    def compose(self) -> ComposeResult:
        yield Notice(LOADING, classes="notice", markup=False)
        with ViewContent(classes="content"):
            yield from self.compose_content()

    def compose_content(self) -> Iterable[Widget]:
        """The widgets of the view, which are hidden until it has loaded."""
        return ()

    def on_mount(self) -> None:
        self.query_one(".content").display = False
        self.reload()

    def reload(self) -> None:
        """Read again; an answer that is still under way is dropped."""
        self.read_guarded(self.load)

    def action_reload(self) -> None:
        """Read again because the user asks for it."""
        self.reload()

    def read_guarded(self, reading: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Read in the background, in place of a reading under way; what goes wrong is shown in place of the content."""
        work: Any = partial(self._while_there, reading)  # Textual's union of kinds of work cannot be inferred
        self.run_worker(work, group="load", exclusive=True)

    async def _while_there(self, reading: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """An answer that comes when the view is on its way out has nowhere to go."""
        try:
            await self._guarded(reading)
        except NoMatches:
            if self.app.is_running and not self._pruning and not self._closing:
                raise

    async def _guarded(self, reading: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if not self.is_attached:
            return
        try:
            await reading()
        except NoWorkspaceError as error:
            new, leave = self.bench.key_of("job.new", "n"), self.bench.key_of("app.quit", "q")
            self.show_empty(
                f"T{error.message[1:]}",
                f"{new}  new job, which makes it",
                f"{leave}  leave; `workbench run FILE` makes it too",
            )
            self.loaded = False
        except WorkbenchError as error:
            self.show_error(error.message, error.hint)
        except sqlite3.Error as error:
            self.show_error(f"the workspace's database: {error}", "`workbench doctor` looks for the reason.")
        except OSError as error:
            self.show_error(str(error), "`workbench doctor` looks at disk and rights.")

    async def load(self) -> None:
        """Read what the view shows and paint it; ends with ``show_content`` or ``show_empty``."""
        self.show_content()

    def first_hints(self) -> frozenset[str]:
        """The ids of keys that matter most now: the line of hints begins with them."""
        return frozenset()

    def without_use(self, name: str) -> bool:
        """Whether a key, by its id, has nothing to work on now: hints leave it out; pressed it says so."""
        return not self.has_content and name in self.NEED_CONTENT

    def go_to_line(self, _number: int) -> bool:
        """Show a line by its number, as for ``:123``; False where there are no lines."""
        return False

    async def tick(self) -> None:
        """Follow what moves between two changes of the store, such as a log."""

    def store_changed(self) -> None:
        """Something was written: read again. A view that can do less overrides it."""
        self.reload()

    def show_content(self) -> None:
        """Show the content in place of the notice."""
        self.loaded = True
        self._swap(notice=False)

    def show_empty(self, title: str, *steps: str) -> None:
        """Say that there is nothing, and what to do; a step begins with its key."""
        self.loaded = True
        self._say(title, steps, "-empty")

    def show_error(self, message: str, hint: str | None = None) -> None:
        """Say what is wrong and what to do next."""
        self._say(message, tuple(filter(None, (hint, "ctrl+r  try again"))), "-error")

    def focus_content(self) -> None:
        """Put the focus where the keys of this view work; called when it is shown."""
        target = self._focusable(self.query_one(".content")) or self.query_one(Notice)
        self.screen.set_focus(target, scroll_visible=False)

    def command(self, text: str) -> None:
        """Take what was typed after the section's name, as ``failed`` in ``:jobs failed``."""

    @staticmethod
    def completions(_stores: Stores, _text: str) -> Iterable[str]:
        """What may stand behind the section's name and begins with a text, the likeliest first; run in a thread."""
        return ()

    def _say(self, title: str, steps: Iterable[str], kind: str) -> None:
        notice = self.query_one(Notice)
        notice.set_classes(f"notice {kind}")
        lines = [Content.styled(title, "bold"), *(Content(step) for step in steps)]
        notice.update(Content("\n").join(lines))
        self._swap(notice=True)

    def _swap(self, *, notice: bool) -> None:
        shown, hidden = self.query_one(Notice), self.query_one(".content")
        if self.has_content == notice:
            self.has_content = not notice
            self.refresh_bindings()
        if shown.display == notice and hidden.display != notice:
            return
        may_take = self.may_take_focus
        shown.display, hidden.display = notice, not notice
        if may_take:
            self.focus_content()

    @property
    def may_take_focus(self) -> bool:
        """Whether nothing outside this view has the focus: a line that one types into keeps it."""
        focused = self.screen.focused
        return self.display and (focused is None or self.has_focus_within or _is_hidden(focused))

    def _focusable(self, root: Widget) -> Widget | None:
        if not root.display:
            return None
        return next((each for each in root.query("*") if each.focusable and _visible(each, self)), None)


class ViewContent(Widget):
    """Holds the widgets of a view."""


def _visible(widget: Widget, root: Widget) -> bool:
    """Whether a widget and all that holds it, up to ``root``, are displayed."""
    node = widget
    while node is not root:
        if not node.display:
            return False
        node = cast(Widget, node.parent)
    return True


def _is_hidden(widget: Widget) -> bool:
    """Whether a widget, or something that holds it, is displayed no longer; Textual notices only when it paints."""
    return any(isinstance(node, Widget) and not node.display for node in widget.ancestors_with_self)


def is_typing(focused: Widget | None) -> bool:
    """Whether keys are text for what has the focus, not commands."""
    return isinstance(focused, (Input, TextArea)) and not getattr(focused, "read_only", False)
