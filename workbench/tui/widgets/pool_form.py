"""The form for a new compute: three fields, checked where they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from workbench.tui.widgets.dialog import Dialog

FIELDS = (
    ("name", "Name", "cpu-cluster"),
    ("type", "Type", "amlcompute"),
    ("max_instances", "Jobs at once", "2"),
)


class PoolForm(Dialog[str | None]):
    """Answers with the name of the compute that was made, None for escape.

    ``create`` makes it and answers with what is wrong, or nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "give up", id="pool.close"),
        Binding("down", "app.focus_next", "Next field", show=False, id="pool.next"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="pool.previous"),
    ]

    def __init__(self, types: Sequence[str], create: Callable[[dict[str, str]], Awaitable[str]]) -> None:
        super().__init__()
        self.types, self.create = types, create

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static("New compute: a pool of slots on this machine", classes="dialog-title", markup=False)
            for name, title, example in FIELDS:
                with Horizontal(classes="form-row"):
                    yield Label(title)
                    yield self._entry(name, example)
            yield Static("", classes="form-fault", markup=False)
            keys = Content.assemble(
                ("enter", "bold $accent"), " next, and create at the end   ", ("esc", "bold $accent"), " give up"
            )
            yield Static(keys)

    def _entry(self, name: str, example: str) -> Input:
        suggester = SuggestFromList(self.types, case_sensitive=False) if name == "type" else None
        entry = Input(
            example if name != "name" else "",
            placeholder=f"such as {example}",
            id=f"pool-{name}",
            suggester=suggester,
            restrict=r"\d*" if name == "max_instances" else None,
        )
        entry.cursor_blink = False
        return entry

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to the next field; behind the last one the compute is made."""
        event.stop()
        entries = list(self.query(Input))
        at = entries.index(event.input)
        if at + 1 < len(entries):
            entries[at + 1].focus()
            return
        fault = await self.create({name: self.query_one(f"#pool-{name}", Input).value.strip() for name, _, _ in FIELDS})
        if not fault:
            self.dismiss(self.query_one("#pool-name", Input).value.strip())
            return
        line = self.query_one(".form-fault", Static)
        line.update(fault)
        line.display = True
        guilty = next((name for name, _, _ in FIELDS if fault.startswith(name)), "name")
        self.query_one(f"#pool-{guilty}", Input).focus()
