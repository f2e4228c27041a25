"""What a job wrote, into a datastore: a file is there whole or not at all, a folder is never taken for complete early.

Where the file system renames folders, a new one comes under a hidden name and is renamed when all is in it. Elsewhere,
and where there is a folder already, the file ``unfinished.PARTIAL`` lies in it until all is in: who reads it through
Workbench is refused meanwhile. After a kill or a dropped connection all of it can be done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from store import trees
from store.addresses import key
from store.datastores import filesystems
from store.datastores.checking import CheckError, explained
from store.datastores.listing import walk
from store.datastores.transfers import Opened, upload
from store.transfer.incoming import Watch
from store.trees import Item
from store.unfinished import PARTIAL, hidden

TRIES = 5
"""How often one step is tried whose connection drops."""

PAUSE_SECONDS = 0.5
PASSING = frozenset({"name resolution", "connection", "answer"})
"""What may be otherwise a moment later; a login or a right that is refused will not be."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Upload:
    """From where to where; ``job`` names the one that wrote it. All raise AbandonedError once it is cancelled."""

    there: Opened
    source: Path
    path: str
    job: str
    watch: Watch

    def file(self) -> None:
        """Put a single file, in place of an older one."""
        self._put(trees.of_file(self.source).items[0], self.path, 0)

    def folder(self) -> None:
        """Put a folder; what lies there by other names stays. Raises CheckError."""
        path = self.path.strip("/")
        renames = getattr(filesystems.module(self.there.datastore), "RENAMES_FOLDERS", False)
        items = trees.survey(self.source).items
        if renames and path and not self._try(lambda: self.there.system.exists(self.there.full(path))):
            self._beside(items, path)
        else:
            self._marked(items, path)

    def _beside(self, items: list[Item], path: str) -> None:
        above, _, name = path.rpartition("/")
        beside = f"{above}/{hidden(name, self.job)}".lstrip("/")
        full = self.there.full(beside)
        self._try(lambda: self.there.system.makedirs(full, exist_ok=True))
        came = self._try(lambda: list(walk(self.there.system, full, unfinished=True)))
        there = {each.name: each.size for each in came}
        wanted = {item.path: item for item in items}
        for left in there.keys() - wanted.keys():  # of an attempt that was killed in the middle of a file
            self._remove(f"{beside}/{left}")
        self._put_all([item for item in items if there.get(item.path) != item.size], beside)
        self._try(lambda: self._rename(full, self.there.full(path)))

    def _rename(self, hidden: str, full: str) -> None:
        if self.there.system.exists(hidden) or not self.there.system.exists(full):  # else an answer was lost
            self.there.system.mv(hidden, full)

    def _marked(self, items: list[Item], path: str) -> None:
        mark = f"{path}/{PARTIAL}".lstrip("/")
        with TemporaryDirectory() as folder:
            note = Path(folder) / PARTIAL
            note.write_text(json.dumps({"job": self.job, "since": time.time()}))
            self._put(trees.of_file(note).items[0], mark, 0)
        self._put_all(items, path)
        self._remove(mark)

    def _remove(self, path: str) -> None:
        def remove() -> None:
            with suppress(FileNotFoundError):
                self.there.system.rm_file(self.there.full(path))

        self._try(remove)

    def _put_all(self, items: list[Item], path: str) -> None:
        done = 0
        for item in items:
            self._put(item, f"{path}/{item.path}".lstrip("/"), done)
            done += item.size

    def _put(self, item: Item, path: str, done: int) -> None:
        def tell(brought: int, _total: int | None) -> None:
            self.watch.tell(done + brought, None)

        token = key(f"{self.job}/{path}")[:8]
        self._try(lambda: upload(self.there, Path(item.source), path, overwrite=True, progress=tell, token=token))

    def _try(self, step: Callable[[], Result]) -> Result:
        """What a step returns; once more on a new connection where it dropped."""
        tried = 1
        while True:
            try:
                with explained(self.there.datastore, self.there.given):
                    return self.watch.wait_for(lambda: self._afresh(step))
            except CheckError as error:
                if error.step not in PASSING or tried == TRIES:
                    raise
            time.sleep(PAUSE_SECONDS * tried)
            self.watch.wait_for(self.there.again)
            tried += 1

    def _afresh(self, step: Callable[[], Result]) -> Result:
        self.there.system.invalidate_cache()
        return step()
