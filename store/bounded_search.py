"""Search with a regular expression in a process of its own, which is ended when it takes too long.

Python's ``re`` keeps the interpreter to itself while it matches, and a pattern such as ``(a+)+$`` may match for years:
neither a thread nor a clock in it helps. The process is started when the first part is searched, and ends with its
standard input. Both sides speak in frames: a length in four bytes, then so many bytes.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from array import array
from contextlib import suppress
from typing import IO

from store.log_search import Pattern, hits
from store.time_limit import TooSlowError

LIMIT_SECONDS = 2.0
"""For a part of a log: a hundred times what an expression takes that does not backtrack without end."""

START_SECONDS = 30.0
"""For the start of the process, which may meet a busy machine."""

READY = b"+"


class BoundedSearch:
    """Finds where a pattern is, in parts of a log."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._using = threading.RLock()

    def hits(self, _pattern: Pattern, data: bytes, base: int) -> list[int]:
        """As ``store.log_search.hits``. Raises TooSlowError, also when it is closed meanwhile."""
        with self._using:
            return [base + place for place in self._ask(data)]

    def _ask(self, data: bytes) -> array[int]:
        process = self._process or self._start()
        try:
            _send(process.stdin, data)
            deadline = time.monotonic() + LIMIT_SECONDS
            length = int.from_bytes(self._receive(process, 4, deadline), "little")
            return array("I", self._receive(process, length, deadline))
        except OSError as error:
            raise TooSlowError from error
        except TooSlowError:
            self.close()
            raise

    def close(self) -> None:
        """End the process; may be called from any thread."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with self._using:  # who waits for an answer learns at once that there is none
                for pipe in (self._process.stdin, self._process.stdout):
                    if pipe is not None:
                        with suppress(OSError):  # what was not sent yet
                            pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise TooSlowError
        self._process = process = subprocess.Popen(
            [sys.executable, "-P", "-m", "store.bounded_search", self.text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is not for it
        )
        if self._closed:
            process.kill()
        self._receive(process, len(READY), time.monotonic() + START_SECONDS)
        return process

    def _receive(self, process: subprocess.Popen[bytes], length: int, deadline: float) -> bytes:
        if process.stdout is None:
            raise TooSlowError
        file, parts, left = process.stdout.fileno(), [], length
        while left:
            ready, _, _ = select.select([file], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(file, left) if ready else b""
            if not part:
                raise TooSlowError
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


def _send(file: IO[bytes] | None, data: bytes) -> None:
    if file is not None:
        file.write(len(data).to_bytes(4, "little") + data)
        file.flush()


def main(text: str) -> None:
    """Answer part after part, until there is none."""
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    pattern = Pattern(text)
    answers.write(READY)
    answers.flush()
    while header := asked.read(4):
        data = asked.read(int.from_bytes(header, "little"))
        _send(answers, array("I", hits(pattern, data, 0)).tobytes())


if __name__ == "__main__":
    main(sys.argv[1])
