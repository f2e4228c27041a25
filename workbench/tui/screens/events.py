"""The section Events."""

from __future__ import annotations

from workbench.tui.reading import situation
from workbench.tui.view import View


class EventsView(View):
    """Shows nothing yet."""

    async def load(self) -> None:
        """Read whether there is a workspace."""
        await self.bench.access.read(situation)
        self.show_empty("Nothing here yet", "n  new job")
