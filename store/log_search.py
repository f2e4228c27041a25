"""Search in a log of any size, from a place in it in both directions, a bounded piece at a time."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator

from store.errors import UsageError
from store.log_lines import OpenLog
from store.log_text import plain, plain_text
from store.time_limit import TooSlowError, limited

PART = 1 << 16
"""Bytes. Small enough that a key does not wait for the search in one."""

MOST_KEPT = 1 << 19
"""Places that are remembered in each direction; further ones are counted."""

LINE_SECONDS, SCREEN_SECONDS = 0.05, 0.15
"""How long a regular expression may take for a line that is drawn, and for all on the screen when it is new."""

REGULAR = "re:"
"""What a text begins with that is a regular expression."""


class Pattern:
    """What is searched for: a text or, after ``re:``, a regular expression; without capitals, case does not matter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.regular = regular = text.startswith(REGULAR)
        self.too_slow = False
        """Whether it took too long for a line: then it is nowhere."""
        wanted = text.removeprefix(REGULAR) if regular else text
        self.any_case = not any(letter.isupper() for letter in (_without_escapes(wanted) if regular else wanted))
        try:
            self.expression = re.compile(
                wanted if regular else re.escape(wanted), (re.IGNORECASE if self.any_case else 0) | re.MULTILINE
            )
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"no regular expression: {error}") from error
        self._lowered = None if regular or not self.any_case else wanted.lower()
        self._plain = None if regular else wanted
        self._roughly: re.Pattern[str] | None = None
        self._by_line = regular and any(mark in wanted for mark in (r"\A", r"\Z"))

    @classmethod
    def of(cls, name: str, expression: re.Pattern[str], roughly: re.Pattern[str]) -> Pattern:
        """A ready expression; only where ``roughly`` is found too, it can be."""
        pattern = cls(REGULAR)
        pattern.text, pattern.expression, pattern._roughly = name, expression, roughly
        pattern.regular = False  # it is known to be quick
        return pattern

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is in a line, to be drawn; nowhere once that takes too long."""
        if not self.regular:
            return self._spans(text)
        return self._in_time(LINE_SECONDS, lambda: self._spans(text))

    def try_on(self, texts: Iterable[str]) -> None:
        """Look whether it takes too long for what is on the screen."""
        if self.regular:
            self._in_time(SCREEN_SECONDS, lambda: [span for text in texts for span in self._spans(text)])

    def _spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in self.expression.finditer(text) if match.end() > match.start()]

    def _in_time(self, seconds: float, work: Callable[[], list[tuple[int, int]]]) -> list[tuple[int, int]]:
        if self.too_slow:
            return []
        try:
            return limited(seconds, work)
        except TooSlowError:
            self.too_slow = True
            return []

    def found_in(self, line: str) -> bool:
        """Whether it is in a line."""
        return any(match.end() > match.start() for match in self.expression.finditer(line))

    def finder(self, text: str) -> Callable[[int], int]:
        """For many lines in one text: where it may be next, from a place on; -1 where it is no more."""
        if self._lowered is not None and text.isascii():
            lowered, wanted = text.lower(), self._lowered
            return lambda start: lowered.find(wanted, start)
        if self._plain is not None and not self.any_case:
            given = self._plain
            return lambda start: text.find(given, start)
        expression = self._roughly or self.expression

        def find(start: int) -> int:
            found = next((match for match in expression.finditer(text, start) if match.end() > match.start()), None)
            return found.start() if found else -1

        return (lambda start: start if start < len(text) else -1) if self._by_line else find


def _without_escapes(expression: str) -> str:
    """A regular expression without classes such as ``\\S``, whose capitals are not the text's."""
    return re.sub(r"\\.", "", expression)


def hits(pattern: Pattern, data: bytes, base: int) -> Iterator[int]:
    """Where lines are in which it is found; ``data`` is of whole lines and begins at ``base``."""
    if _shown_as_it_is(data):
        text = data.decode("ascii")
        find, at = pattern.finder(text), 0
        while (at := find(at)) >= 0:
            stop = text.find("\n", at)
            stop = len(text) if stop < 0 else stop
            if pattern.found_in(text[text.rfind("\n", 0, at) + 1 : stop].rstrip("\r")):
                yield base + at
            at = stop + 1
    elif pattern.finder(_lines_and_states(data))(0) >= 0:
        for line in data.split(b"\n"):
            if pattern.found_in(plain(line)):
                yield base
            base += len(line) + 1


Find = Callable[[Pattern, bytes, int], Iterable[int]]


def _shown_as_it_is(data: bytes) -> bool:
    """Whether each line is shown as it stands, and a byte is a character."""
    if not data.isascii() or b"\x1b" in data or b"\x08" in data:
        return False
    return b"\r" not in data or data.count(b"\r") == data.count(b"\r\n")


def _lines_and_states(data: bytes) -> str:
    """All that each line ever showed, each state as a line."""
    return plain_text(data.replace(b"\r", b"\n").replace(b"\x08", b"\n"), keep="\n")


class Search:
    """Looks further with every ``step``: forwards and backwards in turn, as long as there is something left."""

    def __init__(self, pattern: Pattern, origin: int, find: Find = hits) -> None:
        """``find`` is what finds the pattern in a part."""
        self.pattern = pattern
        self._find = find
        self.low = self.high = origin
        """What lies between was searched."""
        self.count = 0
        """Lines in which it was found."""
        self.size = 0
        self._after = array("Q")
        self._before = array("Q")
        """Those before the origin, the nearest first."""
        self._unfinished: tuple[int, int] | None = None
        """Where the last line begins that had no end yet, and how many of the places are in it."""
        self._backwards = False

    @property
    def complete(self) -> bool:
        """Whether all of the log was searched, as large as it was at the last step."""
        return self.low == 0 and self.high >= self.size

    def step(self, log: OpenLog) -> bool:
        """Search a part more; False when there is nothing left."""
        self.size = log.size
        self._backwards = not self._backwards if self.low > 0 and self.high < log.size else self.low > 0
        if self._backwards:
            self._step_back(log)
        elif self.high < log.size:
            self._step_on(log)
        return not self.complete

    def _step_on(self, log: OpenLog) -> None:
        if self._unfinished is not None:  # it has gone on: what was found in it is looked for again
            self.high, found = self._unfinished
            self._unfinished = None
            self.count -= found
            while self._after and self._after[-1] >= self.high:
                self._after.pop()
        data = log.read(self.high, self.high + PART)
        at_end = self.high + len(data) >= log.size
        last = data.rfind(b"\n") + 1
        whole = last if last and not at_end else len(data)
        unfinished = last if at_end and last < len(data) else None
        for place in self._find(self.pattern, data[: last if unfinished is not None else whole], self.high):
            self._keep(self._after, place)
        if unfinished is not None:
            before = self.count
            for place in self._find(self.pattern, data[unfinished:], self.high + unfinished):
                self._keep(self._after, place)
            self._unfinished = (self.high + unfinished, self.count - before)
        self.high += whole
        if not data:
            self.high = log.size

    def _step_back(self, log: OpenLog) -> None:
        start = max(0, self.low - PART)
        data = log.read(start, self.low)
        first = data.find(b"\n") + 1 if start else 0
        cut = first if first < len(data) else 0
        for place in reversed(list(self._find(self.pattern, data[cut:], start + cut))):
            self._keep(self._before, place)
        self.low = start + cut

    def _keep(self, places: array[int], place: int) -> None:
        self.count += 1
        if len(places) < MOST_KEPT:
            places.append(place)

    def next_after(self, place: int) -> int | None:
        """The first line in which it was found that begins at a place or after it."""
        if self._before and place <= self._before[0]:
            # the nearest is first: they descend
            index = bisect_right(self._before, -place, key=lambda each: -each) - 1
            return self._before[index]
        index = bisect_left(self._after, place)
        return self._after[index] if index < len(self._after) else None

    def last_before(self, place: int) -> int | None:
        """The last line in which it was found that begins before a place."""
        index = bisect_left(self._after, place) - 1
        if index >= 0:
            return self._after[index]
        index = bisect_right(self._before, -place, key=lambda each: -each)
        return self._before[index] if index < len(self._before) else None

    def first(self) -> int | None:
        """The first that is known."""
        return self._before[-1] if self._before else (self._after[0] if self._after else None)

    def last(self) -> int | None:
        """The last that is known."""
        return self._after[-1] if self._after else (self._before[0] if self._before else None)

    @property
    def forgetful(self) -> bool:
        """Whether more was found than is remembered."""
        return MOST_KEPT in (len(self._after), len(self._before))

    def rank(self, place: int) -> int | None:
        """Which of those found it is, from 1; None while that is not known."""
        if self.low > 0 or len(self._before) == MOST_KEPT:
            return None
        index = bisect_left(self._after, place)
        if index < len(self._after) and self._after[index] == place:
            return len(self._before) + index + 1
        index = bisect_left(self._before, -place, key=lambda each: -each)
        found = index < len(self._before) and self._before[index] == place
        return len(self._before) - index if found else None
