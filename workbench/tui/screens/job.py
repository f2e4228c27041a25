"""The view of one job."""

from __future__ import annotations

from workbench.tui.view import View


class JobView(View):
    """Shows nothing yet."""

    def __init__(self, name: str, tab: str = "overview") -> None:
        super().__init__()
        self.crumb = name
        self.tab = tab
