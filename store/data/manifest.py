"""Manifests: which files a version has, with size and hash of each, as JSON lines in order of path.

The name of a manifest is the hash of its own bytes, which is the fingerprint of the data: the same files with the same
content have the same, wherever they lie. A single file has one line, whose path is empty.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from pathlib import Path
from types import TracebackType
from typing import Self

WRITE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a manifest; ``hash`` is its BLAKE3, as ``b3sum`` prints it."""

    path: str
    size: int
    hash: str

    def line(self) -> bytes:
        """As it stands in a manifest."""
        return b'{"path": %b, "size": %d, "blake3": "%b"}\n' % (
            encode_basestring_ascii(self.path).encode(),
            self.size,
            self.hash.encode(),
        )


class Writer:
    """Writes a manifest as its entries come, in order of path; it appears under its hash when it is complete."""

    def __init__(self, folder: Path | None) -> None:
        from blake3 import blake3

        self._state = blake3()
        self._waiting = bytearray()
        self._draft: str | None = None
        self.folder, self.files, self.bytes = folder, 0, 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, self._draft = tempfile.mkstemp(prefix=".draft-", dir=folder)
            self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115  (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def add(self, entry: Entry) -> None:
        """Take the next file."""
        self._waiting += entry.line()
        self.files, self.bytes = self.files + 1, self.bytes + entry.size
        if len(self._waiting) >= WRITE_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._state.update(bytes(self._waiting))
        if self._draft is not None:
            view = memoryview(bytes(self._waiting))
            while view:
                view = view[self._file.write(view) :]
        self._waiting.clear()

    def finish(self) -> str:
        """The fingerprint; the manifest is in its place from now on."""
        self._flush()
        found: str = self._state.hexdigest()
        if self._draft is not None and self.folder is not None:
            os.replace(self._draft, place(self.folder, found))
            self._draft = None
        return found

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.folder is not None:
            self._file.close()
        if self._draft is not None:
            Path(self._draft).unlink(missing_ok=True)


def place(folder: Path, fingerprint: str) -> Path:
    """Where the manifest with a fingerprint lies."""
    return folder / f"{fingerprint}.jsonl"


def read(folder: Path, fingerprint: str) -> Iterator[Entry]:
    """The files of a manifest, in order of path. Raises FileNotFoundError where it was not kept."""
    with place(folder, fingerprint).open(encoding="utf-8") as lines:
        for line in lines:
            each = json.loads(line)
            yield Entry(each["path"], each["size"], each["blake3"])
