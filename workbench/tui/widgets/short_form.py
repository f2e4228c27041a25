"""A form of a few fields over what is shown, checked where they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from workbench.tui.widgets.dialog import Dialog


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``hint`` stands in it while it is empty; a ``hidden`` one shows a dot for each sign."""

    name: str
    title: str
    hint: str = ""
    value: str = ""
    suggestions: tuple[str, ...] = ()
    hidden: bool = False
    restrict: str | None = None


class ShortForm(Dialog[str | None]):
    """Answers with the first field when ``create`` has made the thing, None for escape.

    ``create`` answers with what is wrong, or nothing; a fault that begins with the name of a field leads there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "give up", id="form.close"),
        Binding("down", "app.focus_next", "Next field", show=False, id="form.next"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="form.previous"),
    ]

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        create: Callable[[dict[str, str]], Awaitable[str]],
        *,
        prefix: str = "field",
    ) -> None:
        super().__init__()
        self.form_title, self.form_fields, self.create, self.prefix = title, list(fields), create, prefix
        self._under_way = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog wide"):
            yield Static(self.form_title, classes="dialog-title", markup=False)
            for field in self.form_fields:
                with Horizontal(classes="form-row"):
                    yield Label(field.title)
                    yield self._entry(field)
            yield Static("", classes="form-fault", markup=False)
            keys = Content.assemble(
                ("enter", "bold $accent"), " next, and create at the end   ", ("esc", "bold $accent"), " give up"
            )
            yield Static(keys)

    def _entry(self, field: Field) -> Input:
        entry = Input(
            field.value,
            placeholder=field.hint,
            id=f"{self.prefix}-{field.name}",
            suggester=SuggestFromList(field.suggestions, case_sensitive=False) if field.suggestions else None,
            restrict=field.restrict,
            password=field.hidden,
        )
        entry.cursor_blink = False
        return entry

    def entry(self, name: str) -> Input:
        """Where a field is written."""
        return self.query_one(f"#{self.prefix}-{name}", Input)

    def on_mount(self) -> None:
        self.query(VerticalScroll).first().can_focus = False
        if self.form_fields:
            self.entry(self.form_fields[0].name).focus()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the next field; behind the last one the thing is made."""
        event.stop()
        entries = list(self.query(Input))
        at = entries.index(event.input)
        if at + 1 < len(entries):
            entries[at + 1].focus()
        elif not self._under_way:
            self.run_worker(self._make(), group="make")

    async def _make(self) -> None:
        self._under_way = True
        self.tell("…", "$foreground-muted")
        try:
            fault = await self.create({field.name: self.entry(field.name).value.strip() for field in self.form_fields})
        finally:
            self._under_way = False
        if not self.is_attached:
            return
        if not fault:
            self.dismiss(self.entry(self.form_fields[0].name).value.strip() or " ")
            return
        self.tell(fault)
        names = [field.name for field in self.form_fields]
        self.entry(next((name for name in names if fault.startswith(name)), names[0])).focus()

    def tell(self, text: str, style: str = "") -> None:
        """Say what is wrong, or how far it is."""
        for line in self.query(".form-fault").results(Static):
            line.update(Content.styled(text, style) if style else text)
            line.display = bool(text)
