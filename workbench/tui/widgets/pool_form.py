"""The form for a new compute: three fields, checked where they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from workbench.tui.widgets.short_form import Field, ShortForm


class PoolForm(ShortForm):
    """Answers with the name of the compute that was made, None for escape.

    ``create`` makes it and answers with what is wrong, or nothing.
    """

    def __init__(self, types: Sequence[str], create: Callable[[dict[str, str]], Awaitable[str]]) -> None:
        fields = (
            Field("name", "Name", "such as cpu-cluster"),
            Field("type", "Type", "such as amlcompute", "amlcompute", tuple(types)),
            Field("max_instances", "Jobs at once", "such as 2", "2", restrict=r"\d*"),
        )
        super().__init__("New compute: a pool of slots on this machine", fields, create, prefix="pool")
