"""Which new files are settled, and whether it is quiet: pure functions of what was seen and when.

A file is settled when it has not changed for the quiet period. All that are settled go into one event, once nothing
else is on its way; one that never comes to rest does not hold up the others for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_FILES = 50_000
"""No more go into one event: what is known of files on their way has its bounds."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a listing; ``age`` is how long ago it changed, where the storage's clock is this machine's."""

    path: str
    size: int
    modified: str
    age: float | None = None
    is_whole: bool = True
    """False as long as the marker that it needs is not there."""

    @property
    def signature(self) -> tuple[int, str, bool]:
        return self.size, self.modified, self.is_whole


@dataclass(frozen=True, slots=True)
class Pending:
    """A new file, and since when it is as it is."""

    found: Found
    since: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What goes into an event now, and after how many seconds to look again; None when there is nothing to wait for."""

    take: tuple[Found, ...] = ()
    wait: float | None = None


def observe(pending: Mapping[str, Pending], news: Iterable[Found], now: float) -> dict[str, Pending]:
    """What is on its way after another look, which found ``news``: files that no event and no baseline has."""
    seen = dict[str, Pending]()
    for found in news:
        before = pending.get(found.path)
        if before is not None and before.found.signature == found.signature:
            seen[found.path] = before
        else:
            seen[found.path] = Pending(found, now if found.age is None else now - found.age)
        if len(seen) >= MOST_FILES:
            break
    return seen


def decide(pending: Mapping[str, Pending], now: float, quiet: float) -> Decision:
    """Whether an event is due."""
    whole = [each for each in pending.values() if each.found.is_whole]
    settled = [each for each in whole if now - each.since >= quiet]
    moving = [each.since + quiet - now for each in whole if now - each.since < quiet]
    if moving and (not settled or now - min(each.since for each in settled) < quiet + patience(quiet)):
        return Decision(wait=min(max(moving), quiet))
    return Decision(tuple(sorted((each.found for each in settled), key=lambda found: found.path)))


def patience(quiet: float) -> float:
    """How long settled files wait for others that keep changing."""
    return max(10.0, 20 * quiet)
