"""A new job: what it begins with, and a form beside the document that it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from store.errors import DocumentError, Fault, MachineError, UsageError
from workbench.tui import drafts, editing, reading_documents
from workbench.tui.drafts import Draft
from workbench.tui.job_kinds import JOB_KINDS, JobKind
from workbench.tui.view import View
from workbench.tui.widgets.faulty_text import coloured
from workbench.tui.widgets.form import Form
from workbench.tui.widgets.form_entries import ChoiceEntry, Entry
from workbench.tui.widgets.form_fields import Field, Setting
from workbench.tui.widgets.menu import Choice, Menu, Prompt, Question
from workbench.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from store.specs.outline import Outline
    from workbench.tui.access import Stores
    from workbench.tui.app import WorkbenchApp

PAUSE_SECONDS = 0.15
WIDE = 96
"""From this width on, the document is shown beside the form."""

NEW = "new"
"""The name of the draft of a new job."""

SHOWN_NAMES = 8


class NewJobView(View):
    """The form; every change is kept as a draft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,f5", "run", "run", id="new.run", priority=True),
        Binding("ctrl+g,f4", "edit_text", "as text", id="new.text", priority=True),
        Binding("ctrl+l,f3", "show_yaml", "YAML", id="new.yaml", priority=True),
        Binding("ctrl+n,f2", "names", "names", id="new.names", priority=True),
        Binding("ctrl+t,f8", "save", "save as file", id="new.save", priority=True),
        Binding("escape", "leave", "leave", id="new.leave", priority=True),
    ]
    crumb = "new job"

    def __init__(self, kind: JobKind, draft: Draft) -> None:
        super().__init__()
        self.kind, self.draft = kind, draft
        self.known: Mapping[str, Sequence[str]] = {}
        self.faults: list[Fault] = []
        self.asked = False
        """Whether the user has tried to run it: then empty fields are told of too."""
        self._yaml_wanted = False
        self._outline: Outline | None = None
        self._pause: Timer | None = None

    def compose_content(self) -> Iterable[Widget]:
        """The form, the document beside it, and two lines that help."""
        with Horizontal(classes="form-columns"):
            yield Vertical(classes="form-place")
            yield TextPane(classes="form-yaml")
        yield Static("", classes="form-help", markup=False)

    async def load(self) -> None:
        """Read the outline and the names, and make the form."""
        self._outline, self.known = await self.bench.access.read_or_imagine(_outline_and_names, self.kind.kind)
        await self._fill(await asyncio.to_thread(self._read))
        self.show_content()
        if not self.draft.changed:
            self.draft.rebase(self.text)
        self._arrange()
        self.call_after_refresh(self.form.focus_field, None)
        self._changed()

    def _read(self) -> dict[str, Any]:
        return reading_documents.load_yaml(self.draft.text, self.draft)

    async def _fill(self, document: Mapping[str, Any]) -> None:
        assert self._outline is not None  # noqa: S101  (load comes first)
        setting = Setting(self.kind, self.bench.signs, self.complete)
        place = self.query_one(".form-place", Vertical)
        await place.remove_children()
        await place.mount(Form(self._outline, document, setting))

    @property
    def form(self) -> Form:
        """The fields."""
        return self.query_one(Form)

    def store_changed(self) -> None:
        """What is being typed stays."""

    def focus_content(self) -> None:
        """The focus goes back to where it was."""
        forms = self.query(Form)
        if forms and self.query_one(".content").display:
            if self.screen.focused is None or self not in self.screen.focused.ancestors:
                self.call_after_refresh(forms.first().focus_field, None)
        else:
            super().focus_content()

    # -- the document that the form makes -------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The document as YAML."""
        from store.specs.writing import as_yaml

        return as_yaml(self.form.value)

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(ChoiceEntry.Changed)
    def changed(self, event: events.Event | Any) -> None:
        """Look at it when the user pauses."""
        event.stop()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_SECONDS, self._changed)

    def _changed(self) -> None:
        if not self._is_whole:
            return
        text = self.text
        self.query_one(TextPane).show_lines([coloured(line) for line in text.splitlines()], keep_place=True)
        editing.keep(self.bench, self.draft, text)
        self.run_worker(self._check(text), group="check", exclusive=True)

    async def _check(self, text: str) -> None:
        faults = await editing.faults_of(self.bench, text, self.draft)
        if self._is_whole:
            self._take(faults)

    @property
    def _is_whole(self) -> bool:
        """Whether there is a form to tell something in: a view that goes loses its widgets one by one."""
        return self.is_attached and not self.draft.gone and bool(self.query(Form)) and bool(self.query(".form-help"))

    def _take(self, faults: Sequence[Fault]) -> None:
        self.faults = [*self.form.own_faults(), *faults]
        self.form.show_faults(self.faults, all_of_them=self.asked)
        self._help()

    # -- help and names -------------------------------------------------------------------------------------------

    @on(events.DescendantFocus)
    def focus_moved(self) -> None:
        """Say what the field is for."""
        self._help()

    @property
    def field(self) -> Field | None:
        """The field that has the focus."""
        focused = self.screen.focused
        return next((each for each in focused.ancestors if isinstance(each, Field)), None) if focused else None

    def _help(self) -> None:
        field = self.field
        if not self._is_whole:
            return
        if field is None:
            self.query_one(".form-help", Static).update(self._state())
            return
        own = next((fault for fault in self.faults if self.form.owner(fault.path) is field), None)
        told = own is not None and (self.asked or field.value is not None)
        line = Content(own.hint or own.message) if own is not None and told else Content(field.about)
        self.query_one(".form-help", Static).update(Content("\n").join([line, self._state()]))

    def _state(self) -> Content:
        """How the whole document is."""
        signs = self.bench.signs
        missing = [fault for fault in self.faults if self.form.owner(fault.path) is None]
        if missing:
            return Content.styled(f"{signs.state('Failed')} {missing[0].path} {missing[0].message}".strip(), "$error")
        if self.faults:
            count = f"{len(self.faults)} fault{'' if len(self.faults) == 1 else 's'}"
            where = ", ".join(dict.fromkeys(fault.path for fault in self.faults if fault.path))
            return Content.assemble((f"{signs.state('Failed')} {count}", "$error"), (f"  {where}", "$foreground-muted"))
        return Content.assemble((f"{signs.state('Completed')} ready", "$success"), (f"  {self._run_key()} runs it", ""))

    def _run_key(self) -> str:
        """The key that runs it, as it is bound now."""
        for active in self.screen.active_bindings.values():
            if active.binding.id == "new.run":
                return self.app.get_key_display(active.binding)
        return ""

    async def complete(self, subject: str, typed: str) -> list[str]:
        """What a text may become: names of the workspace, files of this machine."""
        found: list[str] = []
        for part in subject.split("+"):
            if part in ("files", "folders"):
                folders = part == "folders"
                found += await asyncio.to_thread(
                    reading_documents.paths, typed, self.draft.relative_to, folders=folders
                )
            else:
                found += [name for name in self.known.get(part, ()) if typed.casefold() in name.casefold()]
        return found

    async def action_names(self) -> None:
        """List what the field that has the focus may become."""
        entry = self.screen.focused
        if not isinstance(entry, Entry) or not entry.subject:
            self.notify("there are no names to choose from in this field")
            return
        found = await self.complete(entry.subject, entry.value) or await self.complete(entry.subject, "")
        if not found:
            self.notify("the workspace has nothing yet that fits here")
            return
        keys = "123456789"
        choices = [Choice(keys[at] if at < 9 else " ", name, name) for at, name in enumerate(found)]

        def chosen(name: str | None) -> None:
            if name is not None:
                entry.value = name
                entry.cursor_position = len(name)

        self.app.push_screen(Menu("Choose", choices), chosen)

    # -- what the keys do -----------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Side by side where there is room, else one or the other."""
        wide = self.size.width >= WIDE
        self.query_one(".form-columns").set_class(wide, "-wide")
        self.query_one(".form-place").display = wide or not self._yaml_wanted
        self.query_one(".form-yaml").display = wide or self._yaml_wanted

    def action_show_yaml(self) -> None:
        """Look at the document in place of the form; beside it there is nothing to show."""
        self._yaml_wanted = not self._yaml_wanted
        self._arrange()
        if self._yaml_wanted:
            self.screen.set_focus(self.query_one(TextPane), scroll_visible=False)
        else:
            self.form.focus_field(None)

    @on(Form.Submitted)
    def button_pressed(self) -> None:
        """As the key does."""
        self.action_run()

    def action_run(self) -> None:
        """Check all of it and submit it."""
        self.app.run_worker(self._run(), group="action")

    async def _run(self) -> None:
        if not self._is_whole:
            return
        self.asked = True
        text = self.text
        editing.keep(self.bench, self.draft, text)
        faults = await editing.faults_of(self.bench, text, self.draft)
        if not self._is_whole:
            return
        self._take(faults)
        if not self.faults:
            await editing.submit(self.bench, self.draft, text)
            return
        self._yaml_wanted = False
        self._arrange()
        owners = [owner for fault in self.faults if (owner := self.form.owner(fault.path)) is not None]
        if owners:
            self.form.focus_field(owners[0])
        self._help()

    def action_edit_text(self) -> None:
        """Open the document in the user's editor; what comes back fills the form."""
        if not self._is_whole:
            return
        self.draft.write(self.text)
        self.app.run_worker(self._edit_text(), group="action")

    async def _edit_text(self) -> None:
        from workbench.tui import editor

        before = self.draft.text
        try:
            if self.bench.editor_refusal is not None:
                raise UsageError(self.bench.editor_refusal)
            editor.command(self.bench)
        except (MachineError, UsageError):
            await editing.write_here(self.bench, self.draft)
            return
        try:
            editor.edit(self.bench, self.draft.file)
        except MachineError as error:
            self.draft.write(before)
            self.notify(error.message, severity="warning", markup=False)
            return
        if self.draft.text == before:
            return
        try:
            document = await asyncio.to_thread(self._read)
        except DocumentError as error:
            await editing.show_faults(self.bench, self.draft, error.faults)
            return
        await self._fill(document)
        self.call_after_refresh(self.form.focus_field, None)
        self._changed()

    def action_save(self) -> None:
        """Write the document into a file of the user's."""
        self.app.run_worker(self._save(), group="action")

    async def _save(self) -> None:
        given = await self.app.push_screen_wait(Prompt("Save as", "job.yml", "a file"))
        if given is None:
            return
        file = Path(self.draft.relative_to, given).expanduser()
        if file.exists() and not await self.app.push_screen_wait(Question(f"Write over {file}?")):
            return
        try:
            await asyncio.to_thread(file.write_text, self.text, "utf-8")
        except OSError as error:
            self.notify(f"{file}: {error.strerror}", title="Not saved", severity="error", markup=False)
        else:
            self.notify(f"saved {file}", markup=False)

    def action_leave(self) -> None:
        """Keep it for later, or throw it away."""
        if self._yaml_wanted and self.size.width < WIDE:
            self.action_show_yaml()
            return
        self.app.run_worker(editing.leave(self.bench, self.draft), group="action")


def _outline_and_names(stores: Stores, kind: str) -> tuple[Outline, Mapping[str, Sequence[str]]]:
    from store.specs.outline import outline

    return outline(kind), reading_documents.names(stores)


class Beginnings:
    """What a new job may begin with: a template, the newest job, the draft from last time."""

    def __init__(self, app: WorkbenchApp) -> None:
        self.app = app
        self._left: drafts.Draft | None = None
        self._newest: tuple[str, reading_documents.Beginning] | None = None
        templates = [
            Choice(template.key, template.title, f"{kind.kind}/{template.key}", template.detail)
            for kind in JOB_KINDS
            for template in kind.templates
        ]
        self.menu = Menu("New job", templates)
        """There at once, for keys that come together; what has to be looked for is added to it."""

    async def look(self) -> None:
        """Offer the newest job and the draft, where there are any."""
        self._left = await asyncio.to_thread(drafts.find, self.app.access.layout.root, NEW)
        if self._left is not None:
            changed = f"changed {editing.when(self._left.changed_at)}"
            self.menu.offer(Choice("g", "go on with the draft", "draft", changed))
        self._newest = await self.app.access.read_or_imagine(reading_documents.newest_text)
        if self._newest is not None:
            self.menu.offer(Choice("l", "like the newest job", "newest", self._newest[0]))

    async def open(self, chosen: str) -> None:
        """Open the form."""
        kind, text, facts = JOB_KINDS[0], "", dict[str, Any]()
        if chosen == "draft" and self._left is not None:
            await self.app.frame.push(NewJobView(kind, self._left))
            return
        if chosen == "newest" and self._newest is not None:
            name, begun = self._newest
            text, facts = begun.text, {"relative_to": begun.relative_to, "directory": begun.directory}
            facts |= {"job": name, "keeps_code": True} if begun.keeps_code else {}
        for kind_row in JOB_KINDS:
            for template in kind_row.templates:
                if chosen == f"{kind_row.kind}/{template.key}":
                    kind, text = kind_row, template.text
        root = self.app.access.layout.root
        draft = await asyncio.to_thread(lambda: drafts.begin(root, NEW, text, **facts))
        await self.app.frame.push(NewJobView(kind, draft))
