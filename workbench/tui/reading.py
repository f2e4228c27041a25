"""What the application itself asks of the store and the agent; run in the threads of ``access``."""

from __future__ import annotations

from store import jobs
from store.overview import overview
from workbench.agent import lock
from workbench.tui.access import Stores
from workbench.tui.widgets.header import Situation


def situation(stores: Stores) -> Situation:
    """What the header tells of the workspace."""
    found = overview(stores.workbench)
    alive = lock.held(stores.layout.agent_lock)
    agent = ("working" if found.running or found.waiting else "idle") if alive else "off"
    return Situation(found.workspace, agent, found.running, found.waiting, found.failed)


def keep_agent(stores: Stores) -> None:
    """Start the agent when unfinished jobs have none."""
    if jobs.count_unfinished(stores.workbench) and not lock.held(stores.layout.agent_lock):
        from workbench.agent import start

        start.wake(stores.layout)
