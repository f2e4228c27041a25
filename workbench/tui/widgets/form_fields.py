"""The fields of a form: each shows a part of a document and says its value, as the outline of the kind has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store.errors import Fault
from workbench.tui.form_values import LONG, fits, form_of, scalar, written
from workbench.tui.glyphs import Glyphs
from workbench.tui.widgets.form_entries import ChoiceEntry, Complete, Entry, Fold, LongEntry
from workbench.tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from store.specs.outline import Outline
    from workbench.tui.job_kinds import JobKind

SUMMARY_WIDTH = 48
DEFAULT = re.compile(r"(?:; by default|; if absent,) ([^.;]+)")
"""Where a description says what holds if nothing is given."""

KINDS_IN_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "list": "texts, with commas between",
    "value": "a text, a number, true or false",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What all fields of a form share."""

    kind: JobKind
    signs: Glyphs
    complete: Complete


class Field(Widget):
    """One field; ``value`` is None where nothing is said."""

    def __init__(self, outline: Outline, name: str, value: Any, setting: Setting) -> None:
        super().__init__()
        self.outline, self.key, self.initial, self.setting = outline, name, value, setting

    @property
    def value(self) -> Any:
        """What the document gets."""
        return self.initial

    @property
    def path(self) -> tuple[str, ...]:
        """The keys that lead to it."""
        above = next((each for each in self.ancestors if isinstance(each, Field)), None)
        return (*(above.path if above else ()), self.key) if self.key else above.path if above else ()

    @property
    def label(self) -> Content:
        """Its key, with a star where it is required."""
        return Content.assemble(clean(self.key), (" *" if self.outline.required else "", "$accent"))

    @property
    def about(self) -> str:
        """What it is for, and what may be written."""
        words = KINDS_IN_WORDS.get(self.outline.kind)
        return f"{self.outline.description} ({words})" if words else self.outline.description

    def fault_line(self) -> Static:
        """Where a fault is told; away while there is none."""
        line = Static("", classes="field-fault", markup=False)
        line.display = False
        return line

    def show_fault(self, fault: Fault | None) -> None:
        """Say below the field what is wrong with it."""
        found = self.query(".field-fault")
        if not found:
            return
        line = found.last(Static)  # those of the fields inside come before its own
        text = f"{self.setting.signs.state('Failed')} {clean(fault.message)}" if fault else ""
        if line.display != bool(text) or text:
            line.update(text)
            line.display = bool(text)

    def entry(self, value: Any, kind: str, path: tuple[str, ...], placeholder: str = "") -> Entry:
        """A line for a scalar."""
        subject = self.setting.kind.subject(path)
        return Entry(written(value, kind), placeholder, subject=subject, complete=self.setting.complete)


class ScalarField(Field):
    """A label and a line, or several lines."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Static(self.label, classes="field-label")
            if self.outline.key in LONG and self.outline.kind == "text":
                yield LongEntry(self.initial or "")
            else:
                default = DEFAULT.search(self.outline.description)
                yield self.entry(self.initial, self.outline.kind, self.path, default[1] if default else "")
        yield self.fault_line()

    @property
    def value(self) -> Any:
        """What was typed, as YAML would read it."""
        if long := self.query(LongEntry):
            return long.first().text.strip("\n") or None
        entries = self.query(Entry)
        return scalar(entries.first().value, self.outline.kind) if entries else self.initial


class ChoiceField(Field):
    """A label and one of some words."""

    def compose(self) -> ComposeResult:
        choices = self.outline.choices or ("true", "false")
        with Horizontal(classes="field-line"):
            yield Static(self.label, classes="field-label")
            yield ChoiceEntry(choices, written(self.initial, self.outline.kind), self.setting.signs)
        yield self.fault_line()

    @property
    def value(self) -> Any:
        """The chosen word."""
        entries = self.query(ChoiceEntry)
        return scalar(entries.first().value, self.outline.kind) if entries else self.initial


class KeptField(Field):
    """A value that no field can show: it stays as it is; the text can be edited."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Static(self.label, classes="field-label")
            yield Static(f"{summary(self.initial)}  (edit it as text)", classes="field-kept", markup=False)
        yield self.fault_line()


class BlockField(Field):
    """A block that is folded until somebody looks into it."""

    def compose(self) -> ComposeResult:
        yield Fold(self.key, self.setting.signs, summary(self.initial) if self.initial else self.outline.description)
        yield Vertical(classes="field-inside")
        yield self.fault_line()

    @property
    def is_open(self) -> bool:
        """Whether its fields are there."""
        return bool(self.query(Field))

    @on(Fold.Toggled)
    async def toggled(self, event: Fold.Toggled) -> None:
        """Show or hide the fields; they are made when they are first shown."""
        if event.fold.parent is not self:
            return
        event.stop()
        inside = self.query_one(".field-inside", Vertical)
        if event.fold.unfolded and not self.is_open:
            await inside.mount_all(self.parts())
        inside.display = event.fold.unfolded
        event.fold.summary = "" if event.fold.unfolded else summary(self.value) or self.outline.description

    def parts(self) -> Iterable[Widget]:
        """The fields inside."""
        initial = self.initial or {}
        return [make_field(part, part.key, initial.get(part.key), self.setting) for part in self.outline.parts]

    @property
    def value(self) -> Any:
        """The parts that say something."""
        if not self.is_open:
            return self.initial
        return {field.key: field.value for field in inner(self) if field.value is not None} or None


class FormsField(BlockField):
    """A block of one of several types."""

    def parts(self) -> Iterable[Widget]:
        """The type, and the fields that go with it."""
        form = form_of(self.outline, self.initial) if self.initial is not None else None
        types = [each.key for each in self.outline.forms]
        return [_TypeField(types, form.key if form else "", self.setting), *self._fields(form, self.initial or {})]

    def _fields(self, form: Outline | None, initial: Mapping[str, Any]) -> list[Field]:
        parts = form.parts if form else ()
        return [make_field(part, part.key, initial.get(part.key), self.setting) for part in parts]

    @on(ChoiceEntry.Changed)
    async def type_changed(self) -> None:
        """The fields of the other type; what both have stays."""
        kept = self.value or {}
        types = next(field for field in inner(self) if isinstance(field, _TypeField))
        if [field.key for field in inner(self)][1:] == [part.key for part in self._parts_of(types.value)]:
            return
        for field in inner(self):
            if field is not types:
                await field.remove()
        form = next((each for each in self.outline.forms if each.key == types.value), None)
        await self.query_one(".field-inside", Vertical).mount_all(self._fields(form, kept))

    def _parts_of(self, name: str | None) -> tuple[Outline, ...]:
        return next((each.parts for each in self.outline.forms if each.key == name), ())


class _TypeField(ChoiceField):
    """The type of a block."""

    def __init__(self, types: list[str], value: str, setting: Setting) -> None:
        from store.specs.outline import Outline

        outline = Outline("type", "choice", "Which kind it is.", choices=tuple(types))
        super().__init__(outline, "type", value or None, setting)


def inner(field: Widget) -> list[Field]:
    """The fields that lie directly in a field, not those in these."""
    return [
        each
        for each in field.query(Field)
        if next((above for above in each.ancestors if isinstance(above, Field)), None) is field
    ]


def make_field(outline: Outline, name: str, value: Any, setting: Setting) -> Field:
    """The field that shows a value of an outline."""
    from workbench.tui.widgets.form_maps import MapField

    if not fits(outline, value):
        return KeptField(outline, name, value, setting)
    kinds: dict[str, type[Field]] = {
        "choice": ChoiceField,
        "boolean": ChoiceField,
        "block": BlockField,
        "forms": FormsField,
        "map": MapField,
    }
    return kinds.get(outline.kind, ScalarField)(outline, name, value, setting)


def summary(value: Any) -> str:
    """A value in a few words."""
    if not value:
        return ""
    text = ", ".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, Mapping) else str(value)
    text = clean(text.replace("\n", " "))
    return text if len(text) <= SUMMARY_WIDTH else f"{text[: SUMMARY_WIDTH - 3]}..."
