"""``workbench cache``: add, list, show, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from store import cache as content
from store.times import timestamp
from workbench.cli.options import output_options
from workbench.cli.output import Column, age, emit, size
from workbench.cli.progress import progress_of
from workbench.cli.talk import confirm, say

LIST_COLUMNS: tuple[Column, ...] = (
    "url",
    "type",
    ("size", lambda entry: size(entry["bytes"])),
    ("origin", lambda entry: entry["origin"] if entry["complete"] else "broken off"),
    ("age", lambda entry: age(entry["creation_time"])),
)


def addresses(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Addresses in the cache for shell completion."""
    try:
        return [entry.url for entry in content.entries() if entry.url.startswith(incomplete)]
    except Exception:  # noqa: BLE001  (an error text in the middle of a completion helps nobody)
        return []


@click.group()
def cache() -> None:
    """What jobs read from elsewhere: downloaded once, or put there ahead of time."""


@cache.command()
@click.argument("url")
@click.argument("path", type=click.Path(path_type=Path))
@output_options
def add(url: str, path: Path, output: str | None, query: str | None) -> None:
    """Keep a copy of PATH as what lies at URL.

    Jobs that read the URL get it without a network. A folder stands for every address below its URL.

    \b
    workbench cache add https://example.org/data ./data
    """
    emit(shown(content.add(url, path, progress=progress_of("copying"))), output, query, people=for_people)


@cache.command("list")
@output_options
def list_entries(output: str | None, query: str | None) -> None:
    """List what is there, and downloads that broke off."""
    found = content.entries()
    if not found:
        say("nothing is in the cache yet: workbench cache add URL PATH")
    emit([shown(entry) for entry in found], output, query, LIST_COLUMNS)


@cache.command()
@click.argument("url", shell_complete=addresses)
@output_options
def show(url: str, output: str | None, query: str | None) -> None:
    """Show what is there for URL, and where it lies."""
    emit(shown(content.show(url)), output, query, people=for_people)


@cache.command()
@click.argument("url", shell_complete=addresses)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def delete(url: str, yes: bool) -> None:
    """Remove what is there for URL. A job that reads it needs it again."""
    entry = content.show(url)
    if entry.added and not yes:
        confirm(f"Delete {entry.url} ({size(entry.bytes)}), which was put there by hand?")
    content.remove(url)
    say(f"deleted {entry.url}, {size(entry.bytes)}")


def shown(entry: content.Entry) -> dict[str, Any]:
    """An entry as a document, with the dialect's word for what it is."""
    return {
        "url": entry.url,
        "type": "uri_folder" if entry.is_folder else "uri_file",
        "path": str(entry.path),
        "bytes": entry.bytes,
        "files": entry.files,
        "sha256": entry.sha256,
        "origin": "added" if entry.added else "downloaded",
        "complete": entry.complete,
        "etag": entry.etag,
        "last_modified": entry.last_modified,
        "creation_time": timestamp(entry.created_at),
    }


def for_people(document: dict[str, Any]) -> dict[str, Any]:
    """The same, with sizes and times as a person reads them."""
    return {
        **document,
        "bytes": f"{size(document['bytes'])} ({document['bytes']})",
        "creation_time": age(document["creation_time"]),
    }
