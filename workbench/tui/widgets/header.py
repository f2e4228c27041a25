"""The header: where one is, what the agent does, and how busy the machine is."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.glyphs import Glyphs, glyphs


@dataclass(frozen=True, slots=True)
class Situation:
    """What the header tells of the workspace."""

    workspace: str = ""
    agent: str = ""
    """``working``, ``idle`` or ``off``."""
    running: int = 0
    waiting: int = 0
    failed: int = 0
    """Of the last 24 hours."""
    readable: bool = True
    """Whether all this is known: of a workspace that cannot be read nothing is told."""


class Header(Widget):
    """One line; what fits less is left out from the middle."""

    situation: reactive[Situation] = reactive(Situation())
    crumbs: reactive[tuple[str, ...]] = reactive(())
    load: reactive[tuple[int, int] | None] = reactive(None)
    """Levels of CPU and memory, 0 to 7."""

    def __init__(self, signs: Glyphs | None = None) -> None:
        super().__init__()
        self.signs = signs or glyphs()

    def render(self) -> Content:
        """Left the place, right the situation; the place has two thirds of the line where it needs them."""
        width = self.size.width
        place = self._place()
        wanted = min(place.cell_length + 1, width * 2 // 3)
        right = self._right()
        while right and sum(part.cell_length for part in right) > width - wanted:
            right.pop(0)
        tail = Content("").join(right)
        room = max(0, width - tail.cell_length - 1)
        return Content("").join([place.truncate(room, ellipsis=True, pad=True), Content(" "), tail])

    def _place(self) -> Content:
        """The workspace and the views that lead here."""
        crumbs = (" › " if self.signs.unicode else " > ").join(self.crumbs)
        return Content.assemble(
            (" workbench ", "bold $primary"), (f"{self.situation.workspace} ", "$foreground-muted"), (crumbs, "bold")
        )

    def _right(self) -> list[Content]:
        """Parts in the order in which they are given up."""
        told = self.situation
        parts: list[Content] = []
        if self.load is not None:
            cpu, memory = (self.signs.bar(level) for level in self.load)
            parts.append(
                Content.assemble(("cpu", "$foreground-muted"), cpu, (" mem", "$foreground-muted"), f"{memory} ")
            )
        if not told.readable:
            return [*parts, Content.styled("cannot be read ", "$error")]
        if told.agent:
            parts.append(Content.styled(f"agent {told.agent} ", "$foreground-muted"))
        for count, status, word in (
            (told.failed, "Failed", "failed"),
            (told.waiting, "Queued", "queued"),
            (told.running, "Running", "running"),
        ):
            if count or status == "Running":
                style = f"$state-{ {'Failed': 'failed', 'Queued': 'waiting', 'Running': 'running'}[status] }"
                parts.append(
                    Content.styled(
                        f"{self.signs.state(status)} {count} {word} ", style if count else "$foreground-muted"
                    )
                )
        return parts
