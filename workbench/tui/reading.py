"""What the application itself asks of the store and the agent; run in the threads of ``access``."""

from __future__ import annotations

from store import jobs
from store.data import watches
from store.errors import MachineError
from store.overview import overview
from workbench.agent import lock
from workbench.tui.access import Stores
from workbench.tui.widgets.header import Situation

LAST_WORDS = 1
"""Lines of an agent's log that find room in a notification: the last one of a traceback says what it was."""


def situation(stores: Stores) -> Situation:
    """What the header tells of the workspace."""
    found = overview(stores.workbench)
    alive = lock.held(stores.layout.agent_lock)
    agent = ("working" if found.running or found.waiting else "idle") if alive else "off"
    return Situation(found.workspace, agent, found.running, found.waiting, found.failed)


def keep_agent(stores: Stores, started: bool = False) -> bool:
    """Start the agent when unfinished jobs or watches have none, and answer whether one was started.

    Raises MachineError where one was ``started`` the last time already: it did not stay alive. It is tried again.
    """
    wanted = jobs.count_unfinished(stores.workbench) or watches.any_enabled(stores.workbench)
    if not wanted or lock.held(stores.layout.agent_lock):
        return False
    from workbench.agent import start

    start.wake(stores.layout)
    if started:
        hint = f"`workbench agent logs` shows why.{start.last_words(stores.layout, LAST_WORDS)}"
        raise MachineError("no agent stays alive: jobs wait for one, and it is tried again", hint=hint)
    return True
