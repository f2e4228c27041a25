"""A process that reads data for the terminal UI: what hangs or needs a large library there holds up no key here."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from store.errors import MachineError, WorkbenchError

LONGEST = 64 << 20
"""So many bytes an answer may have."""
END_SECONDS = 2.0
"""What a child that is asked to end may take to put away what it began."""

Told = Callable[[int, int | None], None]
"""Hears of progress: how much is done, and of how much where that is known."""


class AnswerError(WorkbenchError):
    """What a child could not do, and why."""


class Child:
    """Asks one process, one question after the other; it is started with the first and lives until ``close``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def ask(self, what: str, told: Told | None = None, **arguments: Any) -> Any:
        """What a function of ``answers`` answers. Raises WorkbenchError; one that is cancelled ends the process."""
        async with self._turn:
            try:
                return await self._ask(what, told, arguments)
            except asyncio.CancelledError:
                self.close()
                raise

    async def _ask(self, what: str, told: Told | None, arguments: dict[str, Any]) -> Any:
        process = await self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  (both are pipes)
        try:
            process.stdin.write(json.dumps({"what": what, "arguments": arguments}).encode() + b"\n")
            await process.stdin.drain()
            while line := await process.stdout.readline():
                answer: dict[str, Any] = json.loads(line)
                if "answer" in answer:
                    return answer["answer"]
                if "error" in answer:
                    raise AnswerError(answer["error"], hint=answer.get("hint"))
                if told is not None:
                    told(*answer["progress"])
        except (OSError, ValueError) as error:
            self.close()
            raise MachineError(f"the process that reads the data cannot be understood: {error}") from error
        ended = await process.wait()
        self._process = None
        how = "for want of memory, perhaps" if ended < 0 else f"with {ended}"
        raise MachineError(f"the process that reads the data ended {how}", hint="`workbench data preview` tells more.")

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            command = (sys.executable, "-m", "workbench.tui.data.answers", str(self.root))
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=LONGEST
            )
        return self._process

    def close(self) -> None:
        """Have the process end, whatever it is doing."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            loop = asyncio.get_running_loop()
            task = loop.create_task(_ended(process))
            _ENDING.add(task)
            task.add_done_callback(_ENDING.discard)


_ENDING: set[asyncio.Task[None]] = set()


async def _ended(process: Process) -> None:
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def ask_once(root: Path, what: str, told: Told | None = None, **arguments: Any) -> Any:
    """Ask a process of its own. Raises WorkbenchError."""
    child = Child(root)
    try:
        return await child.ask(what, told, **arguments)
    finally:
        child.close()
