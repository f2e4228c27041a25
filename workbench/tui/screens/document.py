"""A document that is being written: its faults in place, the way back to the editor, and an editor of our own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static, TextArea

from store.errors import Fault
from workbench.tui.drafts import TEXT, Draft
from workbench.tui.view import View
from workbench.tui.widgets.faulty_text import FaultyText
from workbench.tui.widgets.writing_area import DocumentEditor

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp

PAUSE_SECONDS = 0.4
"""How long the user has to stop typing before the text is kept and checked."""


class DocumentView(View):
    """Shows a draft with what is wrong in it, or lets it be written here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,e", "edit", "editor", id="document.edit"),
        Binding("t", "write", "type here", id="document.write"),
        Binding("ctrl+r,f5", "run", "run", id="document.run", priority=True),
        Binding("escape", "leave", "leave", id="document.leave", priority=True),
    ]

    def __init__(self, draft: Draft, faults: Sequence[Fault] = (), *, writing: bool = False) -> None:
        super().__init__()
        self.draft, self.faults, self.writing = draft, list(faults), writing
        self.crumb = f"edit {draft.job}" if draft.job else "new job"
        self._pause: Timer | None = None

    def compose_content(self) -> Iterable[Widget]:
        """A line that says how things are, and the text in one of two shapes."""
        yield Static("", classes="document-status", markup=False)
        yield FaultyText(self.bench.signs)
        yield DocumentEditor("")
        yield Static("", classes="document-faults", markup=False)

    @property
    def editor(self) -> DocumentEditor:
        """Where the text is written here."""
        return self.query_one(DocumentEditor)

    @property
    def pane(self) -> FaultyText:
        """Where the text is read, with its faults."""
        return self.query_one(FaultyText)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters are text while one writes, and the user's editor is no choice in a browser."""
        if action in ("edit", "write"):
            return not self.writing and (action == "write" or self.bench.editor_refusal is None)
        return True

    async def load(self) -> None:
        """Show the draft as it is on the disk."""
        text = self.draft.text
        if self.writing and self.editor.text != text:
            with self.prevent(TextArea.Changed):
                self.editor.load_text(text)
        self.show_content()
        self._arrange()

    def store_changed(self) -> None:
        """A draft is in no store; what it is held against is looked at when it is checked."""

    def take(self, faults: Sequence[Fault]) -> None:
        """Show the text and what is wrong with it now."""
        self.faults = list(faults)
        self._arrange()
        self.focus_content()

    def focus_content(self) -> None:
        """The keys work in the text."""
        (self.editor if self.writing else self.pane).focus(scroll_visible=False)

    def _arrange(self) -> None:
        self.pane.display, self.editor.display = not self.writing, self.writing
        below = self.query_one(".document-faults", Static)
        below.display = self.writing and bool(self.faults)
        if self.writing:
            line = self.editor.cursor_location[0] + 1
            below.update(told(self.faults, self.bench.signs.state("Failed"), line))
        else:
            self.pane.show(self.draft.text, self.faults, TEXT)
        self.query_one(".document-status", Static).update(self._status())
        self.refresh_bindings()

    def _status(self) -> Content:
        what = f"from job {self.draft.job}" if self.draft.job else "a new job"
        if self.faults:
            count = f"{len(self.faults)} fault{'' if len(self.faults) == 1 else 's'}"
            mark = self.bench.signs.state("Failed")
            return Content.assemble((f"{mark} {count}", "$error"), (f"  {what}, not submitted", "$foreground-muted"))
        return Content.styled(f"{what}, not submitted yet", "$foreground-muted")

    # -- writing here -------------------------------------------------------------------------------------------

    def action_write(self) -> None:
        """Write in the editor that is built in, at the current fault."""
        line, column = self.pane.line, self._column()
        self.writing = True
        with self.prevent(TextArea.Changed):
            self.editor.load_text(self.draft.text)
        self._arrange()
        self.editor.focus()
        self.call_after_refresh(self.editor.go_to, line, column)

    def _column(self) -> int:
        fault = self.pane.faults[self.pane.current] if self.pane.faults else None
        return fault.column if fault is not None and fault.file == TEXT else 1

    @on(TextArea.Changed)
    def text_changed(self, event: TextArea.Changed) -> None:
        """Keep and check it when the user pauses."""
        event.stop()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_SECONDS, self._paused)

    @on(TextArea.SelectionChanged)
    def cursor_moved(self, event: TextArea.SelectionChanged) -> None:
        """The fault of the cursor's line comes first."""
        event.stop()
        if self.writing and self.faults:
            self._arrange()

    def _paused(self) -> None:
        if self.draft.gone:
            return
        self.keep()
        self.run_worker(self._check(), group="check", exclusive=True)

    def keep(self) -> None:
        """Put what is written here on the disk."""
        if self.writing:
            from workbench.tui.editing import keep

            keep(self.bench, self.draft, self.editor.text)

    async def _check(self) -> None:
        from workbench.tui.editing import faults_of

        text = self.editor.text
        faults = await faults_of(self.bench, text, self.draft)
        if self.is_attached and not self.draft.gone and text == self.editor.text:
            self.faults = faults
            self._arrange()

    # -- where it goes from here --------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Back to the user's editor, at the line of the current fault."""
        self._go(self.pane.line)

    def _go(self, line: int) -> None:
        from workbench.tui.editing import edit_draft

        self.app.run_worker(edit_draft(self.bench, self.draft, line), group="action")

    def action_run(self) -> None:
        """Check it and submit it."""
        from workbench.tui.editing import settle

        self.keep()
        self.app.run_worker(settle(self.bench, self.draft), group="action")

    def action_leave(self) -> None:
        """Leave it for later, or throw it away."""
        from workbench.tui.editing import leave

        self.keep()
        self.app.run_worker(leave(self.bench, self.draft), group="action")


def told(faults: Sequence[Fault], mark: str, line: int, most: int = 4) -> Content:
    """The faults, each with its line, from that of the cursor's line on, and the way out of the first."""
    at = next((number for number, fault in enumerate(faults) if fault.line == line and fault.file == TEXT), 0)
    shown = faults[at : at + most]
    lines: list[Content] = []
    for fault in shown:
        where = f"{fault.path}: " if fault.path else ""
        place = f"{fault.file}:{fault.line}" if fault.file != TEXT else f"line {fault.line}"
        lines.append(Content.assemble((f"{mark} {place}: ", "$error"), where + fault.message))
        if fault is shown[0] and fault.hint:
            lines.append(Content.styled(f"  {fault.hint}", "$foreground-muted"))
    if len(faults) > len(shown):
        lines.append(Content.styled(f"and {len(faults) - len(shown)} more", "$foreground-muted"))
    return Content("\n").join(lines)


def shown_draft(app: WorkbenchApp, draft: Draft) -> DocumentView | None:
    """The view of a draft, where it is the one that is shown."""
    view = app.frame.view
    return view if isinstance(view, DocumentView) and view.draft.folder == draft.folder else None
