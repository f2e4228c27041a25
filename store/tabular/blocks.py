"""Text files in blocks of whole lines, as UTF-8, so that a file is never in memory as a whole."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from store.errors import UsageError
from store.tabular.compression import Readable, decompressed
from store.tabular.files import SourceFile

BLOCK = 16 << 20
_CODECS = {
    "utf8bom": "utf-8",
    "iso88591": "latin-1",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "latin-1": "latin-1",
    "utf16": "utf-16",
    "windows1252": "cp1252",
    "windows-1252": "cp1252",
}
"""What is not UTF-8, of which ASCII is a part."""


def blocks(file: SourceFile, encoding: str, *, quoted: bool = False, size: int = BLOCK) -> Iterator[bytes]:
    """A file in blocks that end with a line; with ``quoted`` a line break within quotes ends none."""
    rest = b""
    with file.open() as stream, decompressed(stream, file.path) as text:
        for piece in _utf8(text, file, encoding, size):
            whole = rest + piece
            end = _end_of_lines(whole, quoted)
            rest = whole[end:]
            if end:
                yield whole[:end]
    if rest:
        yield rest


def _utf8(stream: Readable, file: SourceFile, encoding: str, size: int) -> Iterator[bytes]:
    name = _CODECS.get(encoding.replace(" ", ""), "utf-8")
    decoder = codecs.getincrementaldecoder(name)() if name != "utf-8" else None
    first = True
    while piece := stream.read(size):
        try:
            text = decoder.decode(piece).encode() if decoder else piece
        except UnicodeDecodeError as error:
            raise not_in_encoding(file, encoding, str(error)) from error
        yield text.removeprefix(codecs.BOM_UTF8) if first else text
        first = False


def not_in_encoding(file: SourceFile, encoding: str, why: str) -> UsageError:
    """The error for bytes that are no text."""
    return UsageError(f"{file.name}: not in the encoding {encoding}: {why}", hint="Set `encoding` of the reader.")


def _end_of_lines(text: bytes, quoted: bool) -> int:
    end = text.rfind(b"\n") + 1
    while quoted and end and text.count(b'"', 0, end) % 2:
        end = text.rfind(b"\n", 0, end - 1) + 1
    return end
