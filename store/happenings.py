"""What happened to jobs and to watched data in one line of time, the newest first, a page at a time by key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from store import job_events, job_filter
from store.data import events
from store.data.events import DataEvent
from store.job_events import Event, EventFilter
from store.job_filter import FilterError

AnyEvent = Event | DataEvent


class Place(NamedTuple):
    """A place in the line: on one side the events of jobs and of data with ids below these, on the other the rest."""

    job: int
    data: int

    def at(self, event: AnyEvent, step: int = 0) -> Place:
        """The place just older than an event; with a ``step`` of 1 just newer."""
        return self._replace(**{"data" if isinstance(event, DataEvent) else "job": event.id + step})


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, and the place behind which the older ones are."""

    older: Place
    event: AnyEvent

    @property
    def newer(self) -> Place:
        """The place from which on the newer ones are."""
        return self.older.at(self.event, 1)


@dataclass(frozen=True, slots=True)
class HappeningFilter:
    """Which happenings: ``kind`` is ``job``, ``data`` or empty for both; states are those of jobs; every word is in
    the name or the message of the job, or in what there is of the data event."""

    events: EventFilter = field(default_factory=EventFilter)
    kind: str = ""


def page(
    connection: sqlite3.Connection,
    wanted: HappeningFilter,
    limit: int,
    *,
    before: Place | None = None,
    after: Place | None = None,
) -> list[Happening]:
    """Happenings older than a place, or next newer; without one the newest. Always the newest first."""
    at = after or before or _end(connection)
    jobs: Sequence[AnyEvent] = ()
    data: Sequence[AnyEvent] = ()
    if wanted.kind != "data":
        bound = {"after": at.job - 1} if after is not None else {"before": at.job}
        jobs = job_events.page(connection, wanted.events, limit, **bound)
    if wanted.kind != "job" and not wanted.events.statuses:
        bound = {"after": at.data - 1} if after is not None else {"before": at.data}
        data = events.page(connection, wanted.events.words, limit, **bound)
    merged = list(_merged(jobs, data))
    found: list[Happening] = []
    for event in merged[::-1][:limit] if after is not None else merged[:limit]:
        found.append(Happening(at.at(event), event))
        at = at.at(event, 1 if after is not None else 0)
    return found[::-1] if after is not None else found


def oldest(connection: sqlite3.Connection, wanted: HappeningFilter, limit: int) -> list[Happening]:
    """The first happenings that there are, the newest of them first."""
    return page(connection, wanted, limit, after=Place(0, 0))


def _end(connection: sqlite3.Connection) -> Place:
    """The place that everything that there is lies behind."""
    row = connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM job_event), (SELECT coalesce(max(id), 0) FROM data_event)"
    ).fetchone()
    return Place(row[0] + 1, row[1] + 1)


def _merged(jobs: Sequence[AnyEvent], data: Sequence[AnyEvent]) -> Iterator[AnyEvent]:
    """Two lists of events, the newest first, as one; each keeps its own order whatever the clock did."""
    job = found = 0
    while job < len(jobs) or found < len(data):
        if found == len(data) or (job < len(jobs) and jobs[job].at >= data[found].at):
            yield jobs[job]
            job += 1
        else:
            yield data[found]
            found += 1


def parse(text: str) -> HappeningFilter:
    """Understand ``type:data a word`` and ``state:failed``. Raises FilterError, with the nearest right word."""
    terms = job_filter.parse(text).terms
    kinds = [value for term in terms if term.key == "type" and not term.negated for value in term.values]
    if wrong := [kind for kind in kinds if kind not in ("job", "data")]:
        raise FilterError(f"no type of event {wrong[0]!r}", 1, "type:job and type:data are there.")
    statuses: list[str] = []
    words: list[str] = []
    for term in terms:
        if term.key not in ("", "state", "type") or term.negated:
            raise FilterError(
                "events are narrowed by state:, type: and by words",
                1,
                "state:failed,canceled, type:data and parts of names or messages.",
            )
        if term.key == "state":
            statuses += term.values
        elif not term.key:
            words += term.values
    kind = kinds[0] if len(set(kinds)) == 1 else ""
    return HappeningFilter(EventFilter(tuple(statuses), tuple(words)), kind)
