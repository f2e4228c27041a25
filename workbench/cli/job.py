"""``workbench job``: create, list, show, stream, cancel, download, archive, restore, rerun, validate."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from store import jobs
from store.errors import ConflictError, UsageError
from workbench.agent import start
from workbench.cli.options import (
    Session,
    Word,
    document_options,
    experiment_names,
    job_names,
    name_argument,
    output_options,
    workspace_option,
)
from workbench.cli.output import Column, age, duration, emit, form, size
from workbench.cli.talk import say

LIST_COLUMNS: tuple[Column, ...] = (
    "name",
    "status",
    ("experiment", lambda row: row["experiment_name"]),
    ("duration", lambda row: duration(row["duration_seconds"])),
    ("age", lambda row: age(row["creation_time"]).removesuffix(" ago")),
    ("cause", lambda row: why(row)),
)
STATES = [*jobs.UNFINISHED, *sorted(jobs.TERMINAL)]


@click.group()
def job() -> None:
    """Create, list, show, stream, cancel and download jobs."""


@job.command()
@click.option("--file", "-f", type=click.Path(path_type=Path), required=True, help="The job document.")
@document_options
@click.option("--name", "-n", help="The job's name; generated when left out.")
@click.option("--experiment-name", help="Overrides experiment_name.")
@click.option("--stream", "-s", is_flag=True, help="Stream it, and leave with its outcome.")
@output_options
@workspace_option
def create(
    session: Session,
    file: Path,
    overrides: tuple[str, ...],
    name: str | None,
    experiment_name: str | None,
    stream: bool,
    output: str | None,
    query: str | None,
) -> int:
    """Submit the job that a document describes, and print it."""
    from workbench.cli.run import stream_to_end
    from workbench.cli.submitting import submit

    submitted = submit(session, file, overrides, name=name, experiment_name=experiment_name)
    start.wake(session.layout)
    if stream:
        say(f"job {submitted}")
        return stream_to_end(session, submitted)
    emit(document(session, submitted), output, query)
    return 0


@job.command("list")
@click.option("--max-results", "-r", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@click.option("--status", multiple=True, type=Word(*STATES), help="Only this state.")
@click.option("--experiment-name", shell_complete=experiment_names, help="Only this experiment.")
@click.option("--parent-job-name", help="Only the children of this job.")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Only jobs with this tag.")
@click.option("--archived-only", is_flag=True, help="Only archived jobs.")
@click.option("--include-archived", is_flag=True, help="Archived jobs too.")
@output_options
@workspace_option
def list_jobs(
    session: Session,
    max_results: int,
    status: tuple[str, ...],
    experiment_name: str | None,
    parent_job_name: str | None,
    tags: tuple[str, ...],
    archived_only: bool,
    include_archived: bool,
    output: str | None,
    query: str | None,
) -> None:
    """List jobs, newest first."""
    from engines.jobs.facts import summary
    from engines.jobs.registry import obstacle

    wanted = jobs.Filter(
        status=status,
        experiment_name=experiment_name,
        parent_job_name=parent_job_name,
        tags=dict(tag_filter(tag) for tag in tags),
        archived=None if include_archived else archived_only,
    )
    found = jobs.find(session.connection, wanted, max_results + 1) if session.found.exists else []
    if session.found.exists:
        session.watch()
    if not found:
        say("no jobs" if any((status, experiment_name, parent_job_name, tags)) else "no jobs yet: workbench run FILE")
    emit(
        [summary(each, obstacle(session.connection, each)) for each in found[:max_results]], output, query, LIST_COLUMNS
    )
    if len(found) > max_results and sys.stdout.isatty():
        say(f"and older ones: --max-results {2 * max_results} shows more", dim=True)


def why(row: Mapping[str, Any]) -> str:
    """A word on a job that failed, that waits for what does not come by itself, or whose row cannot be read."""
    if row["unreadable"]:
        return f"broken: {row['unreadable']}"
    if row["waits_for"]:
        return f"waits: {row['waits_for']['message']}"
    return str(row["cause"]["code"]) if row["status"] == "Failed" and row["cause"] else ""


def tag_filter(tag: str) -> tuple[str, str | None]:
    """``key=value``, or ``key`` for any value."""
    key, separator, value = tag.partition("=")
    return key, value if separator else None


@job.command()
@name_argument("job", job_names)
@output_options
@workspace_option
def show(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Show all that is known of a job. That is its document, state, metrics and places.

    \b
    workbench job show NAME -o json --query metrics
    """
    session.watch_for(name)
    emit(document(session, name), output, query, people=readable)


def readable(shown: dict[str, Any]) -> dict[str, Any]:
    """What a person wants to see of a job, in the order of asking."""
    from store.tracking.ingest import Lost

    cause = shown["cause"] or shown["waits_for"] or {}
    went_well = not shown["waits_for"] and cause.get("code") in (None, "completed")
    own = {key: f"{value:.6g}" for key, value in shown["metrics"].items() if not key.startswith("system/")}
    context = shown["creation_context"]
    return {
        "name": shown["name"],
        "display name": shown["display_name"] if shown["display_name"] != shown["name"] else None,
        "status": shown["status"],
        "why": None if went_well else cause.get("message"),
        "hint": None if went_well else cause.get("hint"),
        "experiment": shown["experiment_name"],
        "description": shown.get("description"),
        "tags": shown["tags"],
        "command": shown.get("command"),
        "inputs": shown["resolved_inputs"] or shown["inputs"],
        "outputs": shown["resolved_outputs"] or list(shown["outputs"]),
        "data read": [read_line(each) for each in shown["data_read"]],
        "data made": [f"{each['data']}, output {each['output']}{bytes_of(each)}" for each in shown["data_made"]],
        "metrics": own,
        "lost metrics": str(Lost(**shown["lost_metrics"])),
        "compute": shown["compute"],
        "environment": (shown["environment_definition"] or {}).get("name"),
        "code": shown.get("code"),
        "git": commit(context.get("git")),
        "submitted": f"{shown['creation_time']} by {context['created_by']} on {context['host']}",
        "started": shown["start_time"],
        "ended": shown["end_time"],
        "duration": duration(shown["duration_seconds"]),
        "peak memory": size(shown["peak_memory_bytes"]),
        "cpu time": duration(shown["cpu_seconds"]),
        "log": [path for path in shown["log_files"].values() if Path(path).exists()],
        "artifacts": shown["artifacts"] if Path(shown["artifacts"]).exists() else None,
    }


def read_line(each: Mapping[str, Any]) -> str:
    """A version of data that a job read, and what has changed behind it."""
    by = f", made by {each['made_by']}" if each["made_by"] else ""
    changed = f"; {each['changed']}" if each["changed"] else ""
    return f"{each['data']}, input {each['input']}{bytes_of(each)}{by}{changed}"


def bytes_of(each: Mapping[str, Any]) -> str:
    """The beginning of a fingerprint, where it is known."""
    return f", bytes {each['fingerprint'][:12]}" if each["fingerprint"] else ""


def commit(git: dict[str, Any] | None) -> str | None:
    """A git state in a phrase."""
    if git is None:
        return None
    return (
        f"{git['commit'][:10]} on {git.get('branch') or '?'}{', with uncommitted changes' if git.get('dirty') else ''}"
    )


def document(session: Session, name: str) -> dict[str, Any]:
    """A job as a flat document, with its metrics."""
    from engines.jobs.facts import DataOf
    from engines.jobs.facts import document as flat
    from engines.jobs.registry import obstacle
    from store import lineage
    from store.tracking import ingest, metrics, runs

    found = jobs.get(session.connection, name)
    tracking = runs.connect(session.layout)
    try:
        last = metrics.last_metrics(tracking, name, journal=session.layout.job(name).journal)
        parameters = runs.params(tracking, name)
        lost = ingest.lost(tracking, name)
    finally:
        tracking.close()
    connection = session.connection
    data = DataOf(lineage.data_read(connection, name), lineage.data_made(connection, name))
    return flat(found, session.layout, last, parameters, lost._asdict(), obstacle(connection, found), data)


@job.command()
@name_argument("job", job_names)
@workspace_option
def stream(session: Session, name: str) -> int:
    """Stream a job's log from its beginning until the job ends. Ctrl-C only detaches."""
    from workbench.cli.run import stream_to_end

    session.watch_for(name)
    return stream_to_end(session, name)


@job.command()
@name_argument("job", job_names)
@click.option("--kill", is_flag=True, help="At once, without the ten seconds of grace.")
@workspace_option
def cancel(session: Session, name: str, kill: bool) -> None:
    """Cancel a job. Its processes get SIGTERM, ten seconds later SIGKILL."""
    jobs.request_cancel(session.connection, name, wanted="kill" if kill else "cancel")
    start.wake(session.layout)
    say(f"cancelling {name}")


@job.command()
@name_argument("job", job_names)
@click.option("--download-path", "-p", type=click.Path(path_type=Path), help="Default: a folder of the job's name.")
@click.option("--output-name", help="Only this output.")
@click.option("--all", "everything", is_flag=True, help="Artifacts and every named output (the default).")
@workspace_option
def download(
    session: Session, name: str, download_path: Path | None, output_name: str | None, everything: bool
) -> None:
    """Copy a job's outputs to a folder. Artifacts go into artifacts/, named outputs into named-outputs/NAME/."""
    from engines.jobs.download import download as copy
    from workbench.cli.progress import progress_of

    if everything and output_name:
        raise UsageError("--all and --output-name exclude each other")
    found = jobs.get(session.connection, name)
    copied = copy(
        found,
        session.layout,
        download_path or Path(name),
        output_name=output_name,
        everything=output_name is None,
        progress=progress_of("downloading"),
    )
    for note in copied.notes:
        say(note)
    files = f"{copied.files} file{'s' if copied.files != 1 else ''}"
    say(f"{files}, {size(copied.bytes)} of them copied now, in {copied.target}")
    click.echo(str(copied.target))


@job.command()
@name_argument("job", job_names)
@workspace_option
def archive(session: Session, name: str) -> None:
    """Hide a job from listings. It stays, and can still be named."""
    jobs.set_archived(session.connection, name, True)


@job.command()
@name_argument("job", job_names)
@workspace_option
def restore(session: Session, name: str) -> None:
    """Show an archived job in listings again."""
    jobs.set_archived(session.connection, name, False)


@job.command()
@name_argument("job", job_names)
@document_options
@click.option("--stream", "-s", is_flag=True, help="Stream it, and leave with its outcome.")
@output_options
@workspace_option
def rerun(
    session: Session, name: str, overrides: tuple[str, ...], stream: bool, output: str | None, query: str | None
) -> int:
    """Submit a job again, with its document and code. What was edited since does not count.

    \b
    workbench job rerun NAME --set inputs.epochs=40 --stream
    """
    from workbench.cli.run import stream_to_end
    from workbench.cli.submitting import submit_again

    submitted = submit_again(session, jobs.get(session.connection, name), overrides)
    start.wake(session.layout)
    if stream:
        say(f"job {submitted}")
        return stream_to_end(session, submitted)
    emit(document(session, submitted), output, query)
    return 0


@job.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--file", "-f", "file_option", type=click.Path(path_type=Path), help="The job document.")
@document_options
@output_options
@workspace_option
def validate(
    session: Session,
    file: Path | None,
    file_option: Path | None,
    overrides: tuple[str, ...],
    output: str | None,
    query: str | None,
) -> None:
    """Check a job document without running it. Also says what Azure ML would treat differently."""
    from workbench.cli.validating import validate as check

    chosen = file or file_option
    if chosen is None:
        raise UsageError("which document? Give its file.")
    notes = check(session, chosen, overrides)
    for note in notes:
        say(str(note["text"]))
    say(f"{chosen}: valid here" + (f", with {len(notes)} difference(s) to Azure ML" if notes else ", and on Azure ML"))
    if output or query or not sys.stdout.isatty():  # on a terminal all has been said
        emit([{key: value for key, value in note.items() if key != "text"} for note in notes], output, query)


@job.command()
@name_argument("job", job_names)
@output_options
@workspace_option
def explain(session: Session, name: str, output: str | None, query: str | None) -> None:
    """Say why a job ended as it did. Also how it differs from the last one that completed."""
    from engines.jobs.explanation import explanation
    from engines.jobs.report import report

    session.watch_for(name)
    found = jobs.get(session.connection, name)
    if not found.finished:
        raise ConflictError(f"job {name!r} has not ended: it is {found.status}")
    last = jobs.last_completed(session.connection, found.experiment_name, found.id)
    if query or form(output) != "table":
        emit(explanation(found, last, session.layout), output, query)
    else:
        click.echo("\n".join(report(found, last, session.layout)))
