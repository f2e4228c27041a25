"""Fields of names with values, such as inputs: a row for each, and always an empty one for the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from workbench.tui.form_values import form_of, principal, scalar
from workbench.tui.widgets.form_entries import ChoiceEntry, Entry, Fold
from workbench.tui.widgets.form_fields import Field, Setting, inner, make_field

if TYPE_CHECKING:
    from store.specs.outline import Outline


class MapField(Field):
    """The label, and the rows below it."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Static(self.label, classes="field-label")
            yield Static(self.outline.description, classes="field-kept", markup=False)
        with Vertical(classes="field-inside"):
            for key, value in (self.initial or {}).items():
                yield self._row(key, value)
            yield self._row("", None)
        yield self.fault_line()

    def _row(self, key: str, value: Any) -> Field:
        element = cast("Outline", self.outline.element)
        return (FormsRow if element.kind == "forms" else PlainRow)(element, key, value, self.setting, self.key)

    @property
    def rows(self) -> list[PlainRow]:
        """Those that are there, the empty ones too."""
        return [row for row in inner(self) if isinstance(row, PlainRow)]

    @property
    def value(self) -> Any:
        """Names with values; of two rows with one name the last."""
        return {row.key: row.row_value for row in self.rows if row.key} or None

    @property
    def twice(self) -> str | None:
        """A name that two rows have."""
        names = [row.key for row in self.rows if row.key]
        return next((name for name in names if names.count(name) > 1), None)

    @property
    def lacks_a_name(self) -> bool:
        """Whether a row says something that no name goes with: no document could hold it."""
        return any(not row.key and not row.is_empty for row in self.rows)

    @on(Input.Changed)
    async def grow(self) -> None:
        """Keep an empty row at the end."""
        if not self.rows[-1].is_empty:
            await self.query_one(".field-inside", Vertical).mount(self._row("", None))


class PlainRow(Field):
    """A name and a scalar."""

    def __init__(self, outline: Outline, key: str, value: Any, setting: Setting, owner: str) -> None:
        super().__init__(outline, key, value, setting)
        self.owner = owner

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Entry(self.key, "name")
            yield from self.compose_value()
        yield self.fault_line()

    def compose_value(self) -> ComposeResult:
        """What stands behind the name."""
        yield self.entry(self.initial, self.outline.kind, (self.owner, "*"), "value")

    @property
    def about(self) -> str:
        """As the field that holds the rows says."""
        above = next(each for each in self.ancestors if isinstance(each, Field))
        return above.about

    @property
    def entries(self) -> list[Entry]:
        """The lines of the row itself."""
        return list(self.query_children(".field-line").first().query(Entry)) if self.is_mounted else []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed here, nor in the fields below."""
        return not any(entry.value.strip() for entry in self.entries) and all(f.value is None for f in inner(self))

    @property
    def row_value(self) -> Any:
        """What the name has; an empty text where nothing was typed."""
        if len(self.entries) < 2:
            return self.initial
        value = scalar(self.entries[1].value, self.outline.kind)
        return "" if value is None else value

    @property
    def value(self) -> Any:
        """As ``row_value``."""
        return self.row_value

    @on(Input.Changed)
    def named(self) -> None:
        """The first line is the name."""
        if self.entries:
            self.key = self.entries[0].value.strip()


class FormsRow(PlainRow):
    """A name, what kind of value it has, and the value or where it is; the rest of a block is folded."""

    def compose_value(self) -> ComposeResult:
        """The kind, the value, the fold."""
        form = form_of(self.outline, self.initial)
        self._form = form if form is not None else self.outline.forms[0]
        self._says_type = isinstance(self.initial, dict) and "type" in self.initial
        self._rest = dict(self.initial) if isinstance(self.initial, dict) else {}
        main = principal(self._form)
        value = self._rest.get(main.key) if main else self.initial
        types = [each.key for each in self.outline.forms]
        yield ChoiceEntry(types, self._form.key, self.setting.signs, optional=False)
        kind = main.kind if main else self._form.kind
        entry = self.entry(value, kind, (self.owner, "*"), main.key if main else "value")
        entry.subject = self._subject()
        yield entry
        fold = Fold("", self.setting.signs)
        fold.display = len(self._form.parts) > 1
        yield fold

    def _subject(self) -> str:
        """What completes the value: a literal is nobody's name."""
        return self.setting.kind.subject((self.owner, "*")) if self._form.kind == "block" else ""

    def compose(self) -> ComposeResult:
        """The row, and below it the rest of its block."""
        yield from super().compose()
        yield Vertical(classes="field-inside")

    @property
    def row_value(self) -> Any:
        """The literal, or the block."""
        if len(self.entries) < 2:
            return self.initial
        main, typed = principal(self._form), self.entries[1].value
        if self._form.kind != "block":
            value = scalar(typed, self._form.kind)
            return "" if value is None else value
        block: dict[str, Any] = {"type": self._form.key} if self._says_type else {}
        if main is not None and (value := scalar(typed, main.kind)) is not None:
            block[main.key] = value
        fields = {field.key: field.value for field in inner(self)}
        for part in self._form.parts:
            value = fields[part.key] if part.key in fields else self._rest.get(part.key)
            if part is not main and value is not None:
                block[part.key] = value
        return block

    @on(ChoiceEntry.Changed)
    async def form_chosen(self, event: ChoiceEntry.Changed) -> None:
        """Another kind of value: what both kinds have stays."""
        entry = self.query_children(".field-line").first().query_one(ChoiceEntry)
        if entry.value == self._form.key:
            return
        self._rest = {field.key: field.value for field in inner(self)} or self._rest
        self._form = next(each for each in self.outline.forms if each.key == entry.value)
        self._says_type = True
        main, fold = principal(self._form), self.query_children(".field-line").first().query_one(Fold)
        self.entries[1].placeholder = main.key if main else "value"
        self.entries[1].subject = self._subject()
        fold.display, fold.unfolded = len(self._form.parts) > 1, False
        inside = self.query_children(".field-inside").first()
        inside.display = False
        await inside.remove_children()

    @on(Fold.Toggled)
    async def rest_toggled(self, event: Fold.Toggled) -> None:
        """Show or hide the rest of the block."""
        event.stop()
        inside, main = self.query_children(".field-inside").first(), principal(self._form)
        if event.fold.unfolded and not inner(self):
            parts = [part for part in self._form.parts if part is not main]
            await inside.mount_all(make_field(p, p.key, self._rest.get(p.key), self.setting) for p in parts)
        inside.display = event.fold.unfolded
