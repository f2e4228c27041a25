"""Text files that are compressed as a whole: by the ends of their names, read as the text that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, Protocol

from store.errors import UsageError

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""What Arrow decompresses, by the ends of files' names."""


class Readable(Protocol):
    """What is read in pieces."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def plain_name(name: str) -> str:
    """A file's name without the end that its compression gives it."""
    end = PurePosixPath(name).suffix.lower()
    return name[: -len(end)] if end in COMPRESSIONS else name


@contextmanager
def decompressed(stream: IO[bytes], name: str) -> Iterator[Readable]:
    """What a stream holds. Its reading raises UsageError for bytes that are not so compressed, or end too early."""
    kind = COMPRESSIONS.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        yield stream
        return
    import pyarrow

    with pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, "r"), kind) as inside:
        yield _Inside(inside, name, kind)


class _Inside:
    def __init__(self, stream: Any, name: str, kind: str) -> None:
        self.stream, self.name, self.kind = stream, name, kind

    def read(self, size: int, /) -> bytes:
        try:
            piece: bytes = self.stream.read(size)
        except OSError as error:
            if type(error) is not OSError or error.errno is not None:
                raise  # of what is below, such as a connection
            hint = "Is the file whole, and its name right?"
            raise UsageError(f"{self.name}: cannot be read as {self.kind}: {error}", hint=hint) from error
        return piece
