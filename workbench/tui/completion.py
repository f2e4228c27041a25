"""What a line that begins so may become: commands, and behind them names of jobs, sections' own words, themes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from store.errors import WorkbenchError
from workbench.tui import commands
from workbench.tui.access import Stores
from workbench.tui.sections import Section, named

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


async def completed(app: WorkbenchApp, text: str) -> str | None:
    """The line that a text most likely becomes; what is in the store is read in a thread."""
    word, blank, argument = text.partition(" ")
    if not blank:
        return commands.suggestion(text)
    try:
        if word == "job":
            return _ended(text, argument, await app.access.read(jobs_beginning, argument))
        if word == "compare":
            last = argument.rpartition(" ")[2]
            return _ended(text, last, await app.access.read(names_beginning, last)) if last else None
        if word == "theme":
            return _ended(text, argument, await asyncio.to_thread(app.themes.names))
        if (section := named(word)) is not None:
            return _ended(text, argument, await app.access.read(section_words, section, argument))
    except (WorkbenchError, sqlite3.Error, OSError):
        return None  # what is wrong is said where it is opened
    return None


def _ended(text: str, typed: str, candidates: Iterable[str]) -> str | None:
    """The text with the rest of the first candidate that begins with what was typed and goes on."""
    folded = typed.casefold()
    found = next((each for each in candidates if each.casefold().startswith(folded) and len(each) > len(typed)), None)
    return f"{text}{found[len(typed) :]}" if found is not None else None


def jobs_beginning(stores: Stores, text: str) -> list[str]:
    """Names and display names of the newest jobs that begin so; behind a whole name the tabs."""
    from store import job_names, jobs
    from workbench.tui.screens.job import TABS

    name, blank, _ = text.rpartition(" ")
    if blank and jobs.exists(stores.workbench, name):
        return [f"{name} {tab}" for tab in TABS]
    found = job_names.beginning(stores.workbench, text)
    return [called for each in found for called in (each.display_name, each.name)]


def names_beginning(stores: Stores, text: str) -> list[str]:
    """Names of the newest jobs that begin so."""
    from store import job_names

    return [each.name for each in job_names.beginning(stores.workbench, text)]


def section_words(stores: Stores, section: Section, text: str) -> list[str]:
    """What a section takes behind its name; its module may have to be imported first."""
    return list(section.kind().completions(stores, text))
