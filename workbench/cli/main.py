"""The entry point of the command line: finds the command, and turns every error into a text and an exit code."""

from __future__ import annotations

import os
import sqlite3
import sys
from importlib import import_module

import click

from store.errors import DocumentError, WorkbenchError
from workbench.agent.version import VERSION
from workbench.cli.talk import mute, say

COMMANDS = {
    "run": ("workbench.cli.run:run", "Run a job document, stream it, and leave with its outcome."),
    "job": ("workbench.cli.job:job", "Create, list, show, stream, cancel and download jobs."),
    "workspace": ("workbench.cli.workspace:workspace", "Create, list, show and delete workspaces."),
    "compute": ("workbench.cli.compute:compute", "Create, list, show and delete compute targets."),
    "environment": ("workbench.cli.environment:environment", "Register, list and show environments."),
    "datastore": ("workbench.cli.datastore:datastore", "Connections to where data lies, and their files."),
    "secret": ("workbench.cli.secret:secret", "Passwords, keys and tokens that jobs and datastores use."),
    "data": ("workbench.cli.data:data", "Data assets: register, list and show versions, labels and lineage."),
    "experiment": ("workbench.cli.experiment:experiment", "List experiments and show one."),
    "runs": ("workbench.cli.runs:runs", "Search runs by their metrics, parameters and tags."),
    "mlflow": ("workbench.cli.mlflow_uri:mlflow", "The MLflow address of the workspace."),
    "cache": ("workbench.cli.cache:cache", "What was downloaded, and what is put there ahead of time."),
    "schema": ("workbench.cli.schema:schema", "JSON Schema of a kind of document, for editors."),
    "agent": ("workbench.cli.agent:agent", "The process that runs jobs: status, start, stop, logs."),
    "web": ("workbench.cli.web:web", "Serve the terminal UI to a browser on this machine."),
    "config": ("workbench.cli.config:config", "Settings of the terminal UI: where they are, what is in force."),
    "doctor": ("workbench.cli.doctor:doctor", "Check machine and workspace; says how to mend what it finds."),
    "completion": ("workbench.cli.completion:completion", "Print the completion script of your shell."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, not for the list of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            refuse_command(args[0])
        return super().resolve_command(ctx, args)


def refuse_command(word: str) -> None:
    """Answer a word that is no command with the nearest one that is."""
    import shlex
    from difflib import get_close_matches

    if os.path.isfile(word):
        raise click.UsageError(f"no command {word!r}. To run this file: workbench run {shlex.quote(word)}")
    close = get_close_matches(word, COMMANDS, n=1)
    offer = f" Did you mean {close[0]!r}?" if close else " `workbench --help` lists them."
    raise click.UsageError(f"no command {word!r}.{offer}")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(VERSION, prog_name="workbench")
@click.option("--workspace", "-w", "workspace_path", metavar="PATH", help="The workspace to work in.")
@click.pass_context
def cli(ctx: click.Context, workspace_path: str | None) -> int:
    """Azure Machine Learning's way of working, on machines you own.

    Alone, it opens the terminal UI. Start with: workbench run FILE
    """
    ctx.obj = workspace_path
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False  # every echo below asks this context (no-color.org)
    return open_terminal_ui(workspace_path) if ctx.invoked_subcommand is None else 0


def open_terminal_ui(workspace_path: str | None) -> int:
    """Open the terminal UI on a workspace; it returns when the user leaves. Raises UsageError without a terminal."""
    from store import workspace
    from workbench.tui.start import require_terminal, run

    require_terminal()
    return run(workspace.locate(workspace_path))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    open_streams()
    os.umask(0o077)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "true"  # looking for them takes 10 ms, and documents have none
    sys.exit(exit_code(arguments))


def open_streams() -> None:
    """Give streams that the parent closed to /dev/null: else a database would get their numbers, and our lines."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def exit_code(arguments: list[str] | None = None) -> int:
    """0 success, 1 the job failed or the machine refused, 2 usage or document, 3 not found, 4 conflict, 130 Ctrl-C."""
    try:
        result = cli.main(arguments, prog_name="workbench", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except DocumentError as error:
        say(str(error))
        return error.exit_code
    except WorkbenchError as error:
        say(f"error: {error}")
        return error.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    except BrokenPipeError:
        mute(sys.stdout)
        return 141
    except sqlite3.Error as error:
        say(f"error: a database of the workspace: {error}\n  `workbench doctor` looks for the reason.")
        return 1
    except OSError as error:
        say(f"error: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        mute(sys.stdout)  # what is still in its buffer would only fail again
        return 1


if __name__ == "__main__":
    main()
