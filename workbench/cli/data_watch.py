"""``workbench data watch``: create, list, show, enable, disable, scan, delete; ``workbench data events``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click

from store.data import events, watches
from store.data.refusals import Refusals
from store.data.sightings import Decision, Found, Pending, decide, observe
from store.data.watched_source import Source, open_source
from store.data.watches import Watch
from store.errors import NotFoundError, UsageError
from workbench.cli.options import Session, Word, name_argument, output_options, stored_names, workspace_option
from workbench.cli.output import Column, age, emit, size
from workbench.cli.talk import confirm, say

LIST_COLUMNS: tuple[Column, ...] = ("name", "state", "datastore", "path", "register", "run")
TROUBLES = (events.LOST, events.UNREAD)
EVENT_COLUMNS: tuple[Column, ...] = (
    ("when", lambda event: age(event["created_on"])),
    "watch",
    "event",
    "files",
    ("size", lambda event: size(event.get("bytes"))),
    "data",
    "job",
    ("trouble", lambda event: event.get("error") or (event["event"] in TROUBLES and event["message"]) or ""),
)
watch_names = stored_names("SELECT name FROM data_watch WHERE substr(name, 1, :length) = :beginning ORDER BY name")


@click.group()
def watch() -> None:
    """Watch paths of datastores for new files.

    They make an event, a version of a data asset, and a job where one is asked for.
    """


@watch.command()
@click.option("--datastore", "-d", required=True, help="The datastore that is looked at.")
@click.option("--path", required=True, help="Which files of it: daily/*.parquet, in/**/*.csv; a folder means all.")
@click.option("--register", metavar="ASSET", required=True, help="The data asset that gets new versions.")
@click.option("--run", type=click.Path(path_type=Path), metavar="FILE", help="A job document to submit with each.")
@click.option("--input", "input_name", metavar="INPUT", help="Which input of the job gets the version.")
@click.option("--name", "-n", help="The watch's name. Default: that of the asset.")
@click.option(
    "--mode", type=Word("append", "replace"), default="append", help="A version has all files, or the new ones."
)
@click.option("--type", "kind", type=Word("uri_folder", "mltable"), default="uri_folder", help="What versions are.")
@click.option("--quiet", type=click.FloatRange(0.05, 86_400), default=watches.QUIET_SECONDS, help="Seconds of rest.")
@click.option("--marker", help="Files count once this one is beside them: _SUCCESS, or *.done for each its own.")
@click.option("--poll", type=click.FloatRange(0.5, 86_400), default=watches.POLL_SECONDS, help="Seconds, if polled.")
@click.option("--include-existing", is_flag=True, help="Take the files that are there now for new.")
@output_options
@workspace_option
def create(session: Session, output: str | None, query: str | None, **given: Any) -> None:
    """Watch a path. Files that are there already are not new, but belong to the versions of mode append.

    Files count once they have not changed for --quiet seconds, or their marker is there. Where the system tells of
    changes (folders of this machine) they are noticed at once, elsewhere every --poll seconds. The document of --run is
    read when new files come.

    \b
    workbench data watch create -d inbox --path 'daily/*.parquet' --register daily
    workbench data watch create -d inbox --path daily --register daily --run retrain.yml --mode replace
    workbench data watch create -d sales --path 'in/**/*.csv' --register sales --marker _SUCCESS --poll 60
    """
    from workbench.agent import start

    connection = session.connection_for_writing()
    wanted = Watch(given["name"] or given["register"], given["datastore"], document_of(given))
    check_asset_name(given["register"])
    baseline = there_now(open_source(connection, session.layout, wanted))
    made = watches.create(connection, wanted, () if given["include_existing"] else baseline)
    start.wake(session.layout)
    emit(shown(session, made), output, query)


def there_now(source: Source) -> Iterator[Found]:
    """The files that are there. Raises WorkbenchError for a path that cannot be looked at, before any is asked for."""
    files = source.list()
    try:
        first = next(files, None)
    except NotFoundError as error:
        if not source.may_come():
            raise
        say(f"{error.message} yet: its files are new when it comes")
        return iter(())
    return chain([first] if first is not None else [], files)


def document_of(given: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a command's options. Raises UsageError for those that mean nothing together."""
    if given["input_name"] and not given["run"]:
        raise UsageError("--input names an input of a job, and there is no --run")
    document = {
        "path": given["path"],
        "register": given["register"],
        "type": given["kind"],
        "mode": given["mode"],
        "run": str(given["run"].absolute()) if given["run"] else None,
        "input": given["input_name"],
        "marker": given["marker"],
        "quiet": given["quiet"],
        "poll": given["poll"],
    }
    return {key: value for key, value in document.items() if value is not None}


def check_asset_name(name: str) -> None:
    """Raises UsageError for what cannot be the name of a data asset."""
    if not watches.NAME.fullmatch(name.replace(".", "-")):
        raise UsageError(f"{name!r} cannot be the name of a data asset", hint="Letters, digits, -, _ and dots.")


def shown(session: Session, found: Watch) -> dict[str, Any]:
    """A watch as it is shown, with how it is doing."""
    trouble = events.trouble(session.connection, found.name)
    state = "Disabled" if not found.enabled else "Waiting" if trouble else "Watching"
    return {**found.flat(), "state": state, **({"message": trouble} if trouble and found.enabled else {})}


@watch.command("list")
@output_options
@workspace_option
def list_watches(session: Session, output: str | None, query: str | None) -> None:
    """List the watches of the workspace."""
    found = watches.find(session.connection)
    session.watch()
    if not found:
        say("nothing is watched in this workspace yet: workbench data watch create --help")
    emit([shown(session, each) for each in found], output, query, LIST_COLUMNS)


@watch.command()
@name_argument("watch", watch_names)
@output_options
@workspace_option
def show(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Show a watch, how it is doing, and its last event."""
    found = watches.get(session.connection, name)
    session.watch()
    newest = events.last(session.connection, name)
    last = {"last_event": newest.flat()} if newest else {}
    emit({**shown(session, found), **last}, output, query)


@watch.command()
@name_argument("watch", watch_names)
@workspace_option
def enable(session: Session, name: str) -> None:
    """Switch a watch on. What came while it was off is new."""
    from workbench.agent import start

    watches.enable(session.connection_for_writing(), name)
    start.wake(session.layout)


@watch.command()
@name_argument("watch", watch_names)
@workspace_option
def disable(session: Session, name: str) -> None:
    """Switch a watch off; it keeps what it has seen."""
    from workbench.agent import channel

    watches.enable(session.connection_for_writing(), name, enabled=False)
    channel.poke(session.layout)


@watch.command()
@name_argument("watch", watch_names)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@workspace_option
def delete(session: Session, name: str, yes: bool) -> None:
    """Forget a watch and which files it has seen. Its events stay, and the versions that it made."""
    from workbench.agent import channel

    connection = session.connection_for_writing()
    watches.get(connection, name)
    if not yes:
        confirm(f"Delete the watch {name}?")
    watches.delete(connection, name)
    channel.poke(session.layout)


@watch.command()
@name_argument("watch", watch_names)
@output_options
@workspace_option
def scan(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Look now, and print the events that this made.

    It returns when files that are still being written have come to rest; those that lack their marker are not waited
    for. A watch that is disabled can be scanned too.
    """
    from engines.jobs import watched

    connection = session.connection_for_writing()
    found = watches.get(connection, name)
    source = open_source(connection, session.layout, found)
    newest = events.last(connection, name)
    before = newest.id if newest else 0
    pending, decision, refusals = dict[str, Pending](), Decision(wait=0.0), Refusals()
    while decision.take or decision.wait is not None:
        time.sleep(decision.wait or 0)
        now = time.monotonic()
        news = refusals.due(watches.unseen(connection, name, source.list()), now)
        pending = observe(pending, news, now)
        decision = decide(pending, now, found.quiet)
        if decision.take:
            watched.fire(connection, session.layout, found, source, decision.take, refusals)
    if any(event.document.get("job") for event in events.find(connection, name, 1)):
        session.watch()
    made = [each.flat() for each in events.find(connection, name) if each.id > before]
    if not made:
        say("nothing new")
    emit(made, output, query, EVENT_COLUMNS)


@click.command("events")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=watch_names)
@click.option("--max-results", "-r", type=click.IntRange(1), default=50, help="Default: 50.")
@output_options
@workspace_option
def list_events(session: Session, name: str | None, max_results: int, output: str | None, query: str | None) -> None:
    """List what happened to watched paths.

    The newest first: what came, when, and what it set off.

    \b
    workbench data events daily
    workbench data events -o json --query "[?job].{files: files, job: job}"
    """
    connection = session.connection
    found = events.find(connection, name, max_results)
    if name is not None and not found and name not in {each.name for each in watches.find(connection)}:
        raise NotFoundError(f"the workspace has no watch {name!r}, and had none", hint="workbench data watch list")
    session.watch()
    emit([each.flat() for each in found], output, query, EVENT_COLUMNS)
