"""``workbench doctor``: what is wrong with the machine or the workspace, and how to mend it."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import asdict

import click

from workbench.cli.options import Session, output_options, workspace_option
from workbench.cli.output import emit
from workbench.doctor.finding import Finding

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
INDENT = " " * 9
WIDTH = 100


@click.command()
@output_options
@workspace_option
def doctor(session: Session, output: str | None, query: str | None) -> int:
    """Check the machine and the workspace, and say how to mend what is wrong.

    Nothing is changed. Leaves with 0 when no error was found (warnings do not count), else with 1.
    """
    from workbench.doctor.examine import examine

    findings = examine(session.layout)
    if query or output not in (None, "table") or (output is None and not sys.stdout.isatty()):
        emit([asdict(each) for each in findings], output, query)
    else:
        for each in findings:
            tell(each)
        summarise(findings)
    return int(any(each.level == "error" for each in findings))


def tell(finding: Finding) -> None:
    """One finding: in one line when all is well, with what to do otherwise."""
    mark = click.style(f"{finding.level:<8}", fg=COLOURS[finding.level])
    if finding.level == "ok":
        detail = f" ({finding.detail})" if finding.detail else ""
        click.echo(f"{mark} {finding.title}{detail}")
        return
    click.echo(f"{mark} {click.style(finding.title, bold=True)}")
    for text in filter(None, (finding.detail, finding.mend and f"-> {finding.mend}")):
        for line in textwrap.wrap(text, WIDTH - len(INDENT), break_long_words=False, break_on_hyphens=False):
            click.echo(f"{INDENT}{line}")


def summarise(findings: list[Finding]) -> None:
    """How many of each."""
    errors, warnings = (sum(each.level == level for each in findings) for level in ("error", "warning"))
    click.echo(f"\n{errors} error(s), {warnings} warning(s), {len(findings) - errors - warnings} in order")
