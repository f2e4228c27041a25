"""The options that commands share, by the names of ``az ml``."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from store import database, workspace
from store.errors import UsageError
from store.layout import Layout
from workbench.cli.talk import say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


class Word(click.ParamType):  # type: ignore[type-arg]  # before click 8.4 the class has no parameter
    """One of some words. Any case is read; shown, completed and passed on it is as it is written here."""

    name = "word"

    def __init__(self, *words: str) -> None:
        self.words = words

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join(self.words)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        for word in self.words:
            if word.lower() == str(value).lower():
                return word
        from store.specs.nearest import nearest

        found = nearest(str(value), self.words)
        meant = f" Did you mean {found!r}?" if found else ""
        raise click.BadParameter(f"{value!r} is not one of {', '.join(self.words)}.{meant}", ctx, param)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in self.words if word.lower().startswith(incomplete.lower())]


class Session:
    """The workspace of one command. Opened when it is first asked for."""

    def __init__(self, given: str | None) -> None:
        self.found = workspace.locate(given)
        self._connection: sqlite3.Connection | None = None

    @property
    def layout(self) -> Layout:
        return self.found.layout

    @property
    def connection(self) -> sqlite3.Connection:
        """For reading: a workspace that does not exist is an error."""
        if self._connection is None:
            self._connection = workspace.open_existing(self.found, end_older_agent)
            if note := workspace.read_only_note(self.layout):
                say(note)
        return self._connection

    def connection_for_reading(self) -> sqlite3.Connection:
        """For reading and checking: where there is no workspace, what a new one would hold; none is made."""
        if self._connection is None and not self.found.exists:
            return workspace.draft(self.found)
        return self.connection

    def connection_for_writing(self) -> sqlite3.Connection:
        """For writing: makes the workspace when there is none, and says where."""
        if self._connection is None:
            workspace.refuse_read_only(self.layout)
            self._connection = workspace.open_or_create(self.found, say, end_older_agent)
        return self._connection

    def watch(self) -> None:
        """Start the agent when unfinished jobs or watches have none, as every command that reads does."""
        from store import jobs
        from store.data import watches
        from workbench.agent import lock, start

        if database.is_read_only(self.layout.database):
            return
        wanted = jobs.count_unfinished(self.connection) or watches.any_enabled(self.connection)
        if wanted and not lock.held(self.layout.agent_lock):
            start.wake(self.layout)

    def watch_for(self, name: str) -> None:
        """As ``watch``, and the named job must exist."""
        from store import jobs

        jobs.get(self.connection, name)
        self.watch()


def end_older_agent(layout: Layout) -> None:
    """Make room for a migration; the jobs of that agent run on, and the next one adopts them."""
    from workbench.agent import start

    if start.stop(layout):
        say("ended the agent of an older version; running jobs go on")


def workspace_option(command: Command) -> Command:
    """Give a command ``--workspace`` and, as ``session``, the workspace that it means."""

    @click.option("--workspace", "-w", "workspace_path", metavar="PATH", help="The workspace to work in.")
    @functools.wraps(command)
    def wrapped(*args: Any, workspace_path: str | None, **kwargs: Any) -> Any:
        given = workspace_path or click.get_current_context().find_root().obj
        return command(*args, session=Session(given), **kwargs)

    return cast(Command, wrapped)


def output_options(command: Command) -> Command:
    """Give a command ``--output`` and ``--query``."""
    command = click.option("--query", metavar="JMESPATH", help="Narrow the result (jmespath.org).")(command)
    return click.option(
        "--output",
        "-o",
        type=Word("table", "json", "yaml", "tsv"),
        help="Default: a table on a terminal, else JSON.",
    )(command)


def name_argument(noun: str, complete: Callable[..., list[str]] | None = None) -> Callable[[Command], Command]:
    """Take a name as a word or as ``--name``, as ``az ml`` does."""

    def decorate(command: Command) -> Command:
        @click.argument("name_word", metavar="NAME", required=False, shell_complete=complete)
        @click.option(
            "--name", "-n", "name_option", metavar="NAME", help=f"The {noun}'s name.", shell_complete=complete
        )
        @functools.wraps(command)
        def wrapped(*args: Any, name_word: str | None, name_option: str | None, **kwargs: Any) -> Any:
            if name_word and name_option and name_word != name_option:
                raise UsageError(f"two names were given: {name_word!r} and {name_option!r}")
            name = name_word or name_option
            if not name:
                raise UsageError(f"which {noun}? Give its name.")
            return command(*args, name=name, **kwargs)

        return cast(Command, wrapped)

    return decorate


def document_options(command: Command) -> Command:
    """Give a command ``--set``, as often as wanted."""
    return click.option(
        "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: --set inputs.epochs=20"
    )(command)


def stored_names(sql: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Shell completion from the store: ``sql`` selects names, given a beginning and its length."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        try:
            session = Session(ctx.params.get("workspace_path") or ctx.find_root().obj)
            values = {"beginning": incomplete, "length": len(incomplete)}
            return [row[0] for row in session.connection.execute(sql, values)]
        except Exception:  # noqa: BLE001  (an error text in the middle of a completion helps nobody)
            return []

    return complete


def experiment_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names of experiments for shell completion."""
    from contextlib import closing

    try:
        from store.tracking import experiments, runs

        session = Session(ctx.params.get("workspace_path") or ctx.find_root().obj)
        with closing(runs.connect(session.layout)) as connection:
            return [name for name in experiments.experiment_names(connection) if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001  (as above)
        return []


job_names = stored_names(
    "SELECT name FROM job WHERE substr(name, 1, :length) = :beginning ORDER BY id DESC LIMIT 50",
)
compute_names = stored_names("SELECT name FROM compute WHERE substr(name, 1, :length) = :beginning ORDER BY name")
environment_names = stored_names(
    "SELECT DISTINCT name FROM environment WHERE substr(name, 1, :length) = :beginning ORDER BY name"
)


def datastore_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names of datastores for shell completion, the workspace's own too."""
    from store.datastores import registry

    try:
        session = Session(ctx.params.get("workspace_path") or ctx.find_root().obj)
        found = registry.find(session.connection, session.layout)
        return [each.name for each in found if each.name.startswith(incomplete)]
    except Exception:  # noqa: BLE001  (as above)
        return []
