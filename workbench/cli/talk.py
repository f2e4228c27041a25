"""Talk to the user goes to stderr, data to stdout; and what becomes of them when nobody listens any more."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

from store.errors import UsageError


def say(text: str = "", **style: Any) -> None:
    """Write a line to stderr. Where it cannot be written it is dropped: that must not change an outcome."""
    try:
        click.echo(click.style(text, **style) if style else text, err=True)
    except OSError:  # a closed pipe, a full disk, a terminal that is gone
        mute(sys.stderr)


def confirm(question: str) -> None:
    """Go on when the user says yes. Raises UsageError where nobody can answer, click.Abort for a no."""
    try:
        click.confirm(question, abort=True, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        say()
        raise UsageError("it was not confirmed", hint="Without a terminal, --yes confirms it.") from None


def mute(stream: TextIO) -> None:
    """Send the rest of a stream to /dev/null, so that Python does not complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
