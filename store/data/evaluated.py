"""Tables evaluated: their rows as Parquet in a folder that is a table itself, for whoever wants files.

    <folder>/MLTable
    <folder>/table.parquet

The libraries for it are heavy: whoever stays has it done by a process that ends.
"""

from __future__ import annotations

import json
import os
import select
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from store.errors import MachineError, WorkbenchError
from store.layout import Layout
from store.lent import variables
from store.telling import Cancelled, Progress

PARQUET = "table.parquet"
DOCUMENT = f"type: mltable\npaths:\n  - file: ./{PARQUET}\ntransformations:\n  - read_parquet\n"
LOOK_SECONDS = 0.2
"""How often it is asked whether the work is still wanted."""


def evaluate(
    layout: Layout,
    connection: sqlite3.Connection,
    text: str,
    folder: Path,
    progress: Progress = lambda done, total: None,
) -> tuple[str, ...]:
    """Write the rows of what a text means (an address, an asset, a path) into a folder, which appears whole.

    A folder that is there already stays as it is. Returns the warnings of the table. Raises WorkbenchError for what is
    no table or cannot be read.
    """
    from store.data.opening import Opening
    from store.disk import explain, publish, staging

    if folder.exists():
        return ()
    opening = Opening(layout, connection)
    table = opening.table(opening.find(text))
    try:
        with staging(folder.parent) as made, opening.reading():
            content = made / "content"
            content.mkdir(mode=0o700)
            table.to_parquet(content / PARQUET, lambda size: progress(size, None))
            (content / "MLTable").write_text(DOCUMENT)
            publish(content, folder)
    except OSError as error:
        raise explain(error, f"writing the rows of {text}") from error
    return tuple(table.warnings)


def evaluate_apart(
    layout: Layout,
    text: str,
    folder: Path,
    progress: Progress = lambda done, total: None,
    cancelled: Cancelled = lambda: False,
) -> tuple[str, ...]:
    """The same by a process of its own. Raises WorkbenchError, and AbandonedError once ``cancelled`` is true."""
    return apart("store.data.evaluated", [str(layout.root), str(folder)], text, progress, cancelled)


def apart(
    module: str, arguments: list[str], text: str, progress: Progress, cancelled: Cancelled = lambda: False
) -> tuple[str, ...]:
    """Run a module that works on the text on its standard input and tells of it as ``main_of`` does; its warnings.

    Raises WorkbenchError, and AbandonedError once ``cancelled`` is true.
    """
    from store.transfer.incoming import AbandonedError

    command = [sys.executable, "-P", "-m", module, *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **variables()},
        start_new_session=True,  # Ctrl-C at the terminal is not for it
    ) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - it was asked for
            process.stdin.write(text.encode("utf-8", "surrogateescape"))
            process.stdin.close()
            for line in _lines(process):
                if cancelled():
                    raise AbandonedError("cancelled while a table was being read")
                told = json.loads(line or "{}")
                if "error" in told:
                    raise WorkbenchError(told["error"], hint=told["hint"])
                if "warnings" in told:
                    return tuple(told["warnings"])
                if told:
                    progress(told["bytes"], None)
            process.wait()
        finally:
            process.kill()
    how = "for want of memory, perhaps" if process.returncode < 0 else f"with {process.returncode}"
    raise MachineError(f"the process that reads {text} ended {how}", hint="`workbench data preview` tells more.")


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What a process says, line by line, and an empty one whenever it says nothing for a while."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    file, rest = process.stdout.fileno(), b""
    while True:
        ready, _, _ = select.select([file], [], [], LOOK_SECONDS)
        part = os.read(file, 1 << 16) if ready else b""
        if ready and not part:
            return
        *lines, rest = (rest + part).split(b"\n")
        yield from lines or [b""]


def main(root: str, folder: str) -> None:
    """Evaluate what stands on standard input, and tell of it in lines of JSON."""
    layout = Layout(Path(root))
    main_of(layout, lambda connection, text, progress: evaluate(layout, connection, text, Path(folder), progress))


Work = Callable[[sqlite3.Connection, str, Progress], tuple[str, ...]]
"""Does something with a text, tells how far it is, and returns warnings."""


def main_of(layout: Layout, work: Work) -> None:
    """Do the work on the text on standard input, and tell of it in lines of JSON."""
    from store import database

    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")

    def say(**told: object) -> None:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    try:
        with closing(database.connect(layout.database)) as connection:
            warnings = work(connection, text, lambda done, _: say(bytes=done))
        say(warnings=warnings)
    except WorkbenchError as error:
        say(error=error.message, hint=error.hint)


if __name__ == "__main__":
    main(*sys.argv[1:])
