"""New files that could not be fetched or read: each is tried again after growing pauses, and holds up no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from store.data.sightings import Found

FIRST_SECONDS = 2.0
MOST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file as it was, how often it was refused, and until when it is let be."""

    found: Found
    times: int
    until: float


class Refusals:
    """The files of a watch that could not be had. What changed since is another file, and tried at once."""

    def __init__(self) -> None:
        self.known: dict[str, Refusal] = {}

    def add(self, found: Found, now: float) -> int:
        """Let a file be for a while; how often it was refused by now."""
        before = self.known.get(found.path)
        times = 1 if before is None or before.found.signature != found.signature else before.times + 1
        pause = min(FIRST_SECONDS * 2 ** min(times - 1, 30), MOST_SECONDS)
        self.known[found.path] = Refusal(found, times, now + pause)
        return times

    def due(self, news: Iterable[Found], now: float) -> Iterator[Found]:
        """The new files of a listing without those that are let be; those that it has no more are forgotten."""
        kept = dict[str, Refusal]()
        for found in news:
            before = self.known.get(found.path)
            if before is not None and before.found.signature == found.signature:
                kept[found.path] = before
                if now < before.until:
                    continue
            yield found
        self.known = kept

    def wait(self, now: float) -> float | None:
        """Seconds until the next one is tried again; None when there is none."""
        soonest = min((each.until for each in self.known.values()), default=None)
        return None if soonest is None else max(0.0, soonest - now)
