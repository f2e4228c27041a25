"""``workbench run FILE``: submit, stream, and leave with the job's outcome."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from store import jobs
from store.errors import ConflictError, MachineError
from workbench.agent import start
from workbench.cli import report, streaming
from workbench.cli.options import Session, document_options, workspace_option
from workbench.cli.talk import mute, say


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@document_options
@click.option("--name", "-n", help="The job's name; generated when left out.")
@click.option("--experiment-name", help="Overrides experiment_name.")
@click.option("--detach", is_flag=True, help="Return at once; the job goes on.")
@workspace_option
def run(
    session: Session,
    file: Path,
    overrides: tuple[str, ...],
    name: str | None,
    experiment_name: str | None,
    detach: bool,
) -> int:
    """Run the job that FILE describes, and stream what it prints.

    The job's own lines go to stdout, all else to stderr. Ctrl-C cancels the job, a second Ctrl-C ends it at once; a
    lost terminal or a closed pipe does neither. Leaves with 0 when the job completed, 1 when it did not.

    \b
    workbench run examples/train/job.yml
    workbench run examples/train/job.yml --set inputs.epochs=20
    """
    from workbench.cli.submitting import submit

    submitted = submit(session, file, overrides, name=name, experiment_name=experiment_name)
    with streaming.Interrupts() as interrupts:  # from here on the job is there, and Ctrl-C means the job
        say(f"job {submitted}", bold=True)
        start.wake(session.layout)
        if detach:
            say(f"it goes on without you; to watch it: workbench job stream {submitted}")
            click.echo(submitted)
            return 0
        return run_to_end(session, submitted, interrupts)


def run_to_end(session: Session, name: str, interrupts: streaming.Interrupts) -> int:
    """Stream a job, which Ctrl-C cancels, say how it ended, and return the exit code."""

    def cancel(count: int) -> None:
        try:
            jobs.request_cancel(session.connection, name, wanted="cancel" if count == 1 else "kill")
        except ConflictError:
            return  # it has ended in the meantime
        start.wake(session.layout)
        say("cancelling; Ctrl-C again ends it at once" if count == 1 else "ending it at once")

    code = follow_and_tell(session, name, interrupts, cancel)
    return 130 if code == 1 and interrupts.count and jobs.get(session.connection, name).status == "Canceled" else code


def stream_to_end(session: Session, name: str) -> int:
    """Stream a job, from which Ctrl-C only detaches, say how it ended, and return the exit code."""

    def detach(_: int) -> None:
        raise streaming.Detached

    try:
        with streaming.Interrupts() as interrupts:
            return follow_and_tell(session, name, interrupts, detach)
    except streaming.Detached:
        say(f"\ndetached; the job goes on: workbench job stream {name}")
        return 130


def follow_and_tell(
    session: Session, name: str, interrupts: streaming.Interrupts, on_interrupt: Callable[[int], None]
) -> int:
    """Stream a job to its end and say how it ended; 0 when it completed, 141 when nobody reads on, else 1."""
    try:
        job = streaming.follow(session.connection, session.layout, name, interrupts, on_interrupt)
    except BrokenPipeError:
        mute(sys.stdout)
        return 141
    except OSError as error:
        mute(sys.stdout)
        hint = f"The job goes on: workbench job stream {name}"
        raise MachineError(f"its lines cannot be written: {error.strerror}", hint=hint) from error
    report.tell(job, session.layout, session.connection)
    return os.EX_OK if job.status == "Completed" else 1
