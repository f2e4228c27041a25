"""Answers what the terminal UI asks of data: ``python -m workbench.tui.data.answers WORKSPACE``.

A question is a line of JSON, ``{"what": NAME, "arguments": {...}}``. What comes back are lines: as often as wanted
``{"progress": [DONE, TOTAL]}``, then ``{"answer": ...}`` or ``{"error": TEXT, "hint": TEXT}``. It ends with its input.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from store import database
from store.errors import WorkbenchError
from store.layout import Layout
from workbench.tui.data import connections

if TYPE_CHECKING:
    from store.datastores.transfers import Opened

ROWS = 200
TELL_SECONDS = 0.25
"""No more often is progress told."""
LONGEST_CELL = 200


class Answers:
    """What can be asked, a method each; the arguments are those of the question."""

    def __init__(self, layout: Layout, said: TextIO) -> None:
        self.layout = layout
        self.said = said
        self._told_at = time.monotonic()
        self._opened: dict[str, Opened] = {}

    def answer(self, line: str) -> None:
        """Answer one question."""
        question = json.loads(line)
        functions: dict[str, Callable[..., Any]] = {
            each.__name__: each
            for each in (
                *(self.profile, self.rows, self.folder, self.check, self.download, self.upload, self.register),
                *(connections.datastore_types, connections.datastore_fields, self.connect),
            )
        }
        try:
            answer = {"answer": functions[question["what"]](**question["arguments"])}
        except WorkbenchError as error:
            answer = {"error": error.message, "hint": error.hint}
        except Exception as error:  # noqa: BLE001  (whatever a library finds wrong is told, not raised)
            answer = {"error": f"{type(error).__name__}: {error}", "hint": None}
        self._say(answer)

    def progress(self, done: int, total: int | None) -> None:
        """Tell how far it is, now and then."""
        if time.monotonic() - self._told_at > TELL_SECONDS:
            self._told_at = time.monotonic()
            self._say({"progress": [done, total]})

    def _say(self, answer: dict[str, Any]) -> None:
        self.said.write(json.dumps(answer) + "\n")
        self.said.flush()

    def _connect(self) -> sqlite3.Connection:
        return database.connect(self.layout.database)

    # -- tables -------------------------------------------------------------------------------------------------

    def profile(self, place: str) -> dict[str, Any]:
        """The profile of a table, and whether its bytes are others than they were."""
        from store.data.opening import Opening
        from store.data.profiles import profile_of

        connection = self._connect()
        read = 0

        def told(rows: int) -> None:
            nonlocal read
            read += rows
            self.progress(read, None)

        opening = Opening(self.layout, connection)
        source = opening.find(place)
        with opening.reading():
            found = profile_of(opening, source, told=told)
        asset = source.asset
        known = asset.fingerprint if asset is not None else None
        changed = found.changed or bool(known and found.fingerprint and known != found.fingerprint)
        connection.close()
        return {"profile": found.profile.document(), "changed": changed}

    def rows(self, place: str, condition: str | None = None) -> dict[str, Any]:
        """The first rows of a table as texts; what is missing is null."""
        from store.data.opening import Opening
        from store.errors import UsageError

        connection = self._connect()
        opening = Opening(self.layout, connection)
        source = opening.find(place)
        try:
            table = opening.table(source)
            with opening.reading():
                found = table.to_arrow(None, condition, ROWS)
        except UsageError as error:
            local = source.local()
            if local is None or condition is not None:
                raise
            return {"local": str(local), "why": error.message}  # no table: it can be looked at in another way
        finally:
            connection.close()
        from store.tabular.wording import cell_text

        columns = [[cell_text(value)[:LONGEST_CELL] for value in column.to_pylist()] for column in found.columns]
        return {
            "columns": [[field.name, str(field.type)] for field in found.schema],
            "rows": [list(row) for row in zip(*columns, strict=True)],
            "notes": list(table.warnings),
        }

    # -- datastores ---------------------------------------------------------------------------------------------

    def _at(self, name: str) -> Opened:
        from store.datastores import registry
        from store.datastores.transfers import opened
        from store.vault import open_vault

        if name not in self._opened:
            connection = self._connect()
            found = registry.get(connection, self.layout, name)
            connection.close()
            self._opened[name] = opened(found, open_vault(self.layout))
        return self._opened[name]

    def folder(self, datastore: str, path: str, after: list[Any] | None, word: str, limit: int) -> dict[str, Any]:
        """A page of a folder of a datastore: entries, and how many come behind them."""
        from store.datastores.browsing import page

        found = page(self._at(datastore), path, after=tuple(after) if after else None, word=word, limit=limit)
        listed = [[each.name, each.is_folder, each.size, each.modified_at] for each in found.entries]
        return {"entries": listed, "more": found.more}

    def check(self, datastore: str) -> str | None:
        """Try to reach and read a datastore; a remark."""
        from store.datastores import checking, registry
        from store.vault import open_vault

        connection = self._connect()
        found = registry.get(connection, self.layout, datastore)
        connection.close()
        return checking.check(found, open_vault(self.layout))

    def download(self, datastore: str, path: str, target: str) -> str:
        """Bring a file or a folder; where it is then."""
        from store.datastores import transfers

        folder = Path(target)
        folder.mkdir(parents=True, exist_ok=True)
        return str(transfers.download(self._at(datastore), path, folder, progress=self.progress))

    def upload(self, datastore: str, file: str, path: str, overwrite: bool) -> str:
        """Put a file; the path that it has there."""
        from store.datastores import transfers

        there = self._at(datastore)
        return transfers.upload(there, Path(file), path, overwrite=overwrite, progress=self.progress)

    def connect(self, kind: str, login: str, given: dict[str, str]) -> str | None:
        """Try a datastore and keep it."""
        connection = self._connect()
        try:
            return connections.connect(self.layout, connection, kind, login, given)
        finally:
            connection.close()

    # -- assets -------------------------------------------------------------------------------------------------

    def register(self, **given: str) -> dict[str, Any]:
        """Register a version of data; its name, and what there is to say."""
        from store.data.registering import register
        from store.specs.loading import load

        document = load("data", None, (), **{key: value for key, value in given.items() if value}).document()
        connection = self._connect()
        try:
            found = register(connection, self.layout, document, progress=self.progress)
        finally:
            connection.close()
        return {"reference": str(found.version), "notes": list(found.notes)}


def main(arguments: list[str]) -> int:
    """Answer until the input ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was begun is put away
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl+c in the terminal is for whoever asks
    answers = Answers(Layout(Path(arguments[0])), sys.stdout)
    for line in sys.stdin:
        answers.answer(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
