"""Documents that are being written: kept in the user's state folder until they are submitted or discarded."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from store import disk
from workbench.tui.last_place import state_file

TEXT, FACTS = "job.yml", "draft.json"


@dataclass(slots=True)
class Draft:
    """A document on its way, in a folder of its own that nobody else may read.

    ``job`` is the one that it was made from, None for a new one; ``base`` is its text before anything was changed. What
    is relative in it is relative to ``relative_to``; ``directory`` is where it is submitted from. With ``keeps_code``
    the code of that job holds unless the text names other.
    """

    folder: str
    job: str | None = None
    base: str = ""
    relative_to: str = ""
    directory: str = ""
    keeps_code: bool = False
    changed_at: float = field(default_factory=time.time)
    gone: bool = False
    """Submitted or discarded: nothing is written any more."""

    @property
    def file(self) -> Path:
        """The text, which an editor may open."""
        return Path(self.folder) / TEXT

    @property
    def text(self) -> str:
        """The text as it is now, empty where somebody removed it. What is no UTF-8 becomes a sign that YAML refuses."""
        try:
            return self.file.read_bytes().decode("utf-8-sig", errors="replace")
        except FileNotFoundError:
            return ""

    @property
    def changed(self) -> bool:
        """Whether there is anything in it that would be lost."""
        return self.text.strip() != self.base.strip()

    def write(self, text: str) -> None:
        """Put a text into the file, whole. Raises MachineError, as on a full disk."""
        if self.gone:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.write_whole(self.file, text)
        except OSError as error:
            raise disk.explain(error, "keeping what is being written") from error

    def rebase(self, text: str) -> None:
        """Have a text count as the one before anything was changed: the same, in another form."""
        self.base = text
        self.write(text)
        self.keep_facts()

    def keep_facts(self) -> None:
        """Write down what is known beside the text."""
        disk.write_whole(Path(self.folder) / FACTS, json.dumps(asdict(self)))

    def discard(self) -> None:
        """Remove it from the disk, with what editors left beside it."""
        self.gone = True
        shutil.rmtree(self.folder, ignore_errors=True)


def drafts_folder(workspace: Path) -> Path:
    """Where the drafts of a workspace are."""
    return state_file().parent / "drafts" / hashlib.sha256(os.fsencode(workspace)).hexdigest()[:16]


def begin(workspace: Path, name: str, text: str, **facts: Any) -> Draft:
    """A new draft, in place of an older one of the same name; ``facts`` are further fields of it."""
    folder = drafts_folder(workspace) / name
    here = os.getcwd()
    draft = Draft(str(folder), **{"base": text, "relative_to": here, "directory": here, **facts})
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700, exist_ok=True)  # a form that is open keeps what is typed into it there
        draft.write(text)
        draft.keep_facts()
    except OSError as error:
        raise disk.explain(error, "keeping what is being written") from error
    return draft


def find(workspace: Path, name: str) -> Draft | None:
    """The draft of a name with changes in it; None where there is none."""
    folder = drafts_folder(workspace) / name
    try:
        facts: Mapping[str, Any] = json.loads((folder / FACTS).read_text("utf-8"))
        draft = Draft(**{**facts, "folder": str(folder), "changed_at": (folder / TEXT).stat().st_mtime})
        return draft if draft.changed else None
    except (OSError, ValueError, TypeError):
        return None
