"""A form for a document: first what every job has, then all else behind one line; faults below their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input

from store.errors import Fault
from workbench.tui.drafts import TEXT
from workbench.tui.widgets.form_entries import Fold, LongEntry
from workbench.tui.widgets.form_fields import Field, KeptField, Setting, inner, make_field
from workbench.tui.widgets.form_maps import MapField

if TYPE_CHECKING:
    from store.specs.outline import Outline


class Form(VerticalScroll, can_focus=False):
    """The fields of a kind, filled from a document."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Next field", show=False, id="form.next"),
        Binding("up", "move(-1)", "Field before", show=False, id="form.before"),
        Binding("pagedown", "move(8)", "Fields on", show=False, id="form.page_down"),
        Binding("pageup", "move(-8)", "Fields back", show=False, id="form.page_up"),
    ]

    class Submitted(Message):
        """The button was pressed."""

    def __init__(self, outline: Outline, document: Mapping[str, Any], setting: Setting) -> None:
        super().__init__()
        self.outline, self.document, self.setting = outline, document, setting
        keys = {part.key for part in outline.parts}
        self.unshown = {key: value for key, value in document.items() if key not in keys}
        """What no field is for, such as ``type``: it stays."""

    def compose(self) -> ComposeResult:
        first, _ = self._sorted()
        yield from (self._field(part) for part in first)
        yield Fold("more fields", self.setting.signs, "name, tags, resources, limits, ...")
        yield Vertical(classes="form-more")
        button = Button("Run", variant="primary", compact=True, classes="form-run")
        button.active_effect_duration = 0
        yield button

    def on_mount(self) -> None:
        self.query_one(".form-more").display = False
        _, rest = self._sorted()
        if any(self.document.get(part.key) is not None for part in rest):
            self.query_children(Fold).first().action_fold(True)

    def _sorted(self) -> tuple[list[Outline], list[Outline]]:
        """Those shown at once, and those behind the line: both in the order of the dialect, required ones first."""
        parts = {part.key: part for part in self.outline.parts}
        first = [parts.pop(key) for key in self.setting.kind.first if key in parts]
        first = [*(parts.pop(key) for key in [p.key for p in parts.values() if p.required]), *first]
        return first, list(parts.values())

    def _field(self, part: Outline) -> Field:
        return make_field(part, part.key, self.document.get(part.key), self.setting)

    @on(Fold.Toggled)
    async def more_toggled(self, event: Fold.Toggled) -> None:
        """Show or hide the rest."""
        event.stop()
        more = self.query_one(".form-more", Vertical)
        if event.fold.unfolded and not more.children:
            await more.mount_all(self._field(part) for part in self._sorted()[1])
        more.display = event.fold.unfolded

    @property
    def fields(self) -> list[Field]:
        """Those of the document itself."""
        return [field for field in self.query(Field) if not any(isinstance(each, Field) for each in field.ancestors)]

    @property
    def value(self) -> dict[str, Any]:
        """The document that the form says."""
        said = {field.key: field.value for field in self.fields}
        unseen = {key: value for key, value in self.document.items() if key not in said}
        return {
            **self.unshown,
            **{key: value for key, value in {**said, **unseen}.items() if value is not None},
        }

    # -- faults -------------------------------------------------------------------------------------------------

    def own_faults(self) -> list[Fault]:
        """What cannot be said in a document at all: two values of one name, and a value of none."""
        faults: list[Fault] = []
        for field in self.query(MapField):
            if twice := field.twice:
                faults.append(Fault(TEXT, 1, 1, ".".join((*field.path, twice)), f"two rows have the name {twice!r}"))
            if field.lacks_a_name:
                hint = "Type a name before it, or clear the row."
                faults.append(Fault(TEXT, 1, 1, ".".join(field.path), "a value without a name", hint))
        return faults

    def show_faults(self, faults: Sequence[Fault], *, all_of_them: bool) -> list[Fault]:
        """Tell each fault below its field; a field that nothing was typed in yet is left in peace unless all are told.

        Answers with those that belong to no field that is there.
        """
        told: dict[Field, Fault] = {}
        homeless: list[Fault] = []
        for fault in faults:
            owner = self.owner(fault.path) if fault.file == TEXT else None
            if owner is None:
                homeless.append(fault)
            elif all_of_them or owner.value is not None:
                told.setdefault(owner, fault)
        for field in self.query(Field):
            field.show_fault(told.get(field))
        return homeless

    def owner(self, path: str) -> Field | None:
        """The innermost field that a fault's path is about."""
        found: Field | None = None
        fields = self.fields
        while True:
            nearer = next((field for field in fields if _begins(path, ".".join(field.path))), None)
            if nearer is None:
                return found
            found = nearer
            fields = inner(nearer)

    # -- going from field to field ------------------------------------------------------------------------------

    def stops(self) -> list[Widget]:
        """What can take the focus, from top to bottom."""
        return [each for each in self.query("*") if each.focusable and self._is_displayed(each)]

    def _is_displayed(self, widget: Widget) -> bool:
        """Whether nothing hides it: a form that is shown this moment has no places on the screen yet."""
        return all(isinstance(node, Widget) and node.display for node in widget.ancestors_with_self[:-2])

    def action_move(self, step: int) -> None:
        """Go to another field."""
        stops = self.stops()
        focused = self.screen.focused
        if focused in stops:
            at = stops.index(focused) + step
            self.screen.set_focus(stops[max(0, min(len(stops) - 1, at))])

    def focus_field(self, field: Field | None) -> None:
        """Go to a field; without one to the first."""
        stops: Iterable[Widget] = self.stops()
        if field is not None and not isinstance(field, KeptField):
            stops = [each for each in stops if field in each.ancestors]
        target = next(iter(stops), None)
        if target is not None:
            self.screen.set_focus(target)

    @on(LongEntry.Edge)
    def edge(self, event: LongEntry.Edge) -> None:
        """The cursor leaves a text of several lines."""
        event.stop()
        self.action_move(event.step)

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self.action_move(1)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """Run it."""
        event.stop()
        self.post_message(self.Submitted())


def _begins(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))
