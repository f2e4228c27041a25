"""What goes wrong with the machine, and may be mended at any time: the agent waits for it, and says so once."""

from __future__ import annotations

import errno
import logging

from store.database import StoreError
from store.errors import NoRoomError, WorkbenchError

log = logging.getLogger("workbench.agent")

PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})


def may_pass(error: BaseException | None) -> bool:
    """Whether an error comes of something that runs out and is freed again, and not of what was asked for."""
    met = set[int]()
    while error is not None and id(error) not in met:  # a plugin's errors may lead back to themselves
        met.add(id(error))
        if isinstance(error, NoRoomError | StoreError) or (isinstance(error, OSError) and error.errno in PASSING):
            return True
        error = error.__cause__
    return False


class Laments:
    """Says each trouble once, for as long as it lasts: it is met again and again, every second."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def say(self, subject: str, error: BaseException | str) -> None:
        """Log what is wrong with a subject, unless that was the last thing said of it; a traceback for a surprise."""
        text = str(error)
        if self.said.get(subject) != text:
            self.said[subject] = text
            told = isinstance(error, str | WorkbenchError) or may_pass(error)
            log.error(
                "%s: %s", subject, text or repr(error), exc_info=None if isinstance(error, str) or told else error
            )

    def over(self, subject: str) -> None:
        """All is well with a subject: the next trouble with it is news."""
        self.said.pop(subject, None)
