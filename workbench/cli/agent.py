"""``workbench agent``: status, start, stop, enable, disable, logs."""

from __future__ import annotations

import time
from typing import Any

import click

from store import jobs
from store.data import watches
from store.errors import NotFoundError
from workbench.agent import lock, unit
from workbench.agent import start as starting
from workbench.cli.options import Session, output_options, workspace_option
from workbench.cli.output import emit
from workbench.cli.streaming import Tail
from workbench.cli.talk import say


@click.group()
def agent() -> None:
    """The process that runs jobs. It starts when it is needed and leaves when it is not."""


def facts(session: Session) -> dict[str, Any]:
    """What the lock and the store say."""
    holder = lock.holder(session.layout)
    counts = jobs.count_by_status(session.connection)
    running = sum(counts.get(state, 0) for state in jobs.ACTIVE)
    return {
        "pid": holder.pid if holder else None,
        "state": "Running" if holder else "Stopped",
        "version": holder.version if holder else None,
        "uptime_seconds": round(time.time() - holder.started_at, 1) if holder else None,
        "running": running,
        "queued": counts.get("Queued", 0) + counts.get("NotStarted", 0),
        "watching": [each.name for each in watches.find(session.connection, enabled=True)],
        "workspace": str(session.layout.root),
        "log": str(session.layout.agent_log),
    }


@agent.command()
@output_options
@workspace_option
def status(session: Session, output: str | None, query: str | None) -> None:
    """Tell whether the agent runs. Never starts one.

    And how many jobs run and wait, and which paths are watched.
    """
    emit(facts(session), output, query)


@agent.command()
@output_options
@workspace_option
def start(session: Session, output: str | None, query: str | None) -> None:
    """Start the agent, unless it runs."""
    session.connection_for_writing()
    starting.ensure(session.layout)
    emit(facts(session), output, query)


@agent.command()
@workspace_option
def stop(session: Session) -> None:
    """Stop the agent, and return when it has stopped. Running jobs go on; the next agent adopts them."""
    if not session.found.exists:
        raise NotFoundError(f"there is no workspace at {session.layout.root}")
    say("stopped" if starting.stop(session.layout) else "it was not running")


@agent.command()
@workspace_option
def enable(session: Session) -> None:
    """Have systemd start the agent and keep it. Prints the unit's file.

    It then starts at login, or at boot for a user who lingers, stays when there is nothing to do, and starts again when
    it fails. Running jobs go on while it changes hands.
    """
    session.connection_for_writing()
    file = unit.enable(session.layout)
    starting.stop(session.layout)
    starting.ensure(session.layout)
    if not starting.lingers():
        say("It runs while you are logged in; to have it run from boot on and after a logout: `loginctl enable-linger`")
    click.echo(str(file))


@agent.command()
@workspace_option
def disable(session: Session) -> None:
    """Stop the agent and remove its unit. The next command that needs an agent starts one, which leaves when idle."""
    say("disabled" if unit.disable(session.layout) else "it was not enabled")


@agent.command()
@click.option("--follow", "-f", is_flag=True, help="Go on printing as the log grows.")
@workspace_option
def logs(session: Session, follow: bool) -> None:
    """Print the agent's log."""
    if not session.found.exists:
        raise NotFoundError(f"there is no workspace at {session.layout.root}")
    tail = Tail(session.layout.agent_log)
    while True:
        data = tail.read()
        if data:
            click.echo(data, nl=False)
        elif not follow:
            return
        else:
            time.sleep(0.2)
