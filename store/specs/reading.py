"""Reading a document from a file, with the overrides of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from store.errors import DocumentError, Fault, NotFoundError
from store.specs.document import Document, describe
from store.specs.nodes import Construction, Place, Source, compose, fault_at

MAX_BYTES = 4 * 1024 * 1024


def load_document(file: Path | str, overrides: Iterable[str] = (), kind: str = "job") -> Document:
    """Read a YAML (or JSON) file of a kind, or of a family of kinds, and apply ``--set`` arguments to it.

    Raises NotFoundError if there is no such file, and DocumentError if it cannot be read at all; lesser faults of the
    document are kept in ``Document.faults`` for whoever checks the rest.
    """
    return document_of(_read(str(file)), str(file), Path(os.path.abspath(file)).parent, overrides, kind)


def document_of(text: str, file: str, folder: Path, overrides: Iterable[str] = (), kind: str = "job") -> Document:
    """As ``load_document``, of a text that need not be on the disk; ``file`` is what its faults call it, and what is
    relative in it is relative to ``folder``."""
    source = Source(file, text)
    node = compose(source)
    start = Place(source.file, 1, 1)
    if node is None:
        others = "`workbench schema` lists the kinds of documents, and tells what each can have."
        needs = "A job needs at least a `command`." if kind == "job" else others
        raise DocumentError([fault_at(start, (), "the document is empty", needs)])
    construction = Construction(source)
    data = construction.build(node, ())
    if not isinstance(data, dict):
        hint = "Is a space missing after a ':'?" if isinstance(data, str) and ":" in data else None
        raise DocumentError([fault_at(start, (), f"expected keys and values, got {describe(data)}", hint)])
    document = Document(source.file, folder, data, construction.entries, construction.faults)
    if arguments := list(overrides):
        from store.specs.overrides import apply  # most documents are taken as they are

        for argument in arguments:
            apply(document, argument)
    return document


def _read(file: str) -> str:
    """The text of a file, without the byte order mark that some editors write."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {file}", hint=_beside(file)) from None
    except OSError as error:
        reason = "it is a folder" if os.path.isdir(file) else (error.strerror or str(error))
        hint = _documents_in(file) if os.path.isdir(file) else None
        raise DocumentError([Fault(file, 1, 1, "", f"cannot be read: {reason}", hint)]) from None
    if len(content) > MAX_BYTES:
        raise DocumentError([Fault(file, 1, 1, "", f"larger than {MAX_BYTES >> 20} MiB: this is no document")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig")
        place = Source(file, good).at(len(good))
        message = f"not UTF-8: byte 0x{content[error.start]:02X} cannot be read"
        raise DocumentError([fault_at(place, (), message, "Save the file as UTF-8.")]) from None


def _beside(file: str) -> str | None:
    """The file that was most likely meant, from the same folder."""
    from store.specs.nearest import nearest

    folder, name = os.path.split(file)
    try:
        found = nearest(name, os.listdir(folder or "."))
    except OSError:
        return f"There is no folder {folder} either." if folder else None
    return f"Did you mean {os.path.join(folder, found)}?" if found else None


def _documents_in(folder: str) -> str | None:
    names = sorted(name for name in os.listdir(folder) if name.endswith((".yml", ".yaml")))
    return f"Name a file in it: {', '.join(names[:5])}" if names else None
