"""``workbench run FILE``: submit, stream, and leave with the job's outcome."""

from __future__ import annotations

import os
from pathlib import Path

import click

from store import jobs
from workbench.agent import start
from workbench.cli import report, streaming
from workbench.cli.options import Session, document_options, say, workspace_option


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
    click.secho(f"job {submitted}", err=True, bold=True)
    start.wake(session.layout)
    if detach:
        say(f"it goes on without you; to watch it: workbench job stream {submitted}")
        click.echo(submitted)
        return 0
    return stream_to_end(session, submitted, cancels=True)


def stream_to_end(session: Session, name: str, *, cancels: bool) -> int:
    """Stream a job, say how it ended, and return the exit code. Ctrl-C cancels the job, or only detaches."""
    connection = session.connection

    def cancel(count: int) -> None:
        jobs.request_cancel(connection, name, wanted="cancel" if count == 1 else "kill")
        start.wake(session.layout)
        say("cancelling; Ctrl-C again ends it at once" if count == 1 else "ending it at once")

    def detach(_: int) -> None:
        raise streaming.Detached

    try:
        job = streaming.follow(connection, session.layout, name, cancel if cancels else detach)
    except streaming.Detached:
        say(f"\ndetached; the job goes on: workbench job stream {name}")
        return 130
    except BrokenPipeError:
        streaming.close_stdout()
        return 141
    report.tell(job, session.layout, connection)
    if job.status == "Canceled" and cancels:
        return 130
    return os.EX_OK if job.status == "Completed" else 1
