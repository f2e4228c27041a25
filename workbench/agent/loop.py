"""The agent's loop: look at the store, let each job's controller decide, do it, wait for the next poke."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import sqlite3
import threading
import time
from typing import Any

from engines.compute.base import Engine
from engines.compute.process_identity import boot_id
from engines.compute.registry import engine
from engines.jobs import control, data_assets, submitted
from engines.jobs.collection import Outcome, collect, never_ran
from engines.jobs.control import Process
from engines.jobs.preparation import Cancelled, Prepared, prepare
from engines.jobs.registry import controller
from engines.jobs.symptoms.cause import Cause
from store import computes, database, jobs, plugins, queue
from store.data import watches
from store.errors import WorkbenchError
from store.jobs import Job
from store.layout import Layout
from workbench.agent.channel import Channel
from workbench.agent.endings import abandon, asked_to_end, cause_of, failure, give_up
from workbench.agent.ingester import Ingester
from workbench.agent.trouble import Laments, may_pass
from workbench.agent.watching import Watching
from workbench.agent.work import RETRY_SECONDS, Desk, sayer

log = logging.getLogger("workbench.agent")

IDLE_SECONDS = 60.0
"""An agent with nothing to watch over leaves after this long; a later command starts another."""
POLL_SECONDS = 1.0
"""How often running processes are looked at, should a shim have been killed before it could say so."""
IDLE_POLL_SECONDS = 2.0
"""How often an idle agent looks unasked: a poke may be lost, as when the runtime folder is cleared."""
MOST_RETRIES = 2
"""How often an attempt that did not begin is followed by another, lest one that never can is made for ever."""
STARTED = ("Preparing", "Running", "CancelRequested")
"""The states in which an attempt may have begun and not be over."""
UNCLAIMED_SECONDS = 30.0
"""A shim that has not claimed its attempt after this long never will."""


class Agent:
    """Converges one workspace. All that becomes of jobs is written by the thread that calls ``run``."""

    def __init__(self, layout: Layout, channel: Channel) -> None:
        self.layout, self.channel = layout, channel
        self.connection = database.connect(layout.database)
        self.home = identity(layout)
        self.laments = Laments()
        self.preparations = Desk("prepare", channel.wake, self.laments)
        self.collections = Desk("collect", channel.wake, self.laments)
        self.ingester = Ingester(layout, self.laments)
        self.watching = Watching(layout, self.laments, channel.wake)
        self.has_watches = False
        self.tokens: dict[str, str] = {}
        self.launched: dict[str, float] = {}
        self.killed: set[str] = set()
        self.unstarted: dict[str, float] = {}
        """Jobs whose attempt did not begin, and was revoked; and when to try again."""
        self.retries: dict[str, int] = {}
        self.recovered = False
        self.leaving = False
        self.boot = boot_mark()

    def run(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Listen and work until asked to leave, or until there is nothing to do for ``idle_seconds``."""
        self.channel.open()
        self.ingester.start()
        try:
            self.work(idle_seconds)
        finally:
            self.channel.deafen()  # first of all: who comes from now on starts another agent

    def work(self, idle_seconds: float) -> None:
        """Converge and wait, again and again."""
        last_busy = time.monotonic()
        while not self.leaving:
            if identity(self.layout) != self.home:
                log.error("the workspace %s was moved, replaced or deleted: leaving it alone", self.layout.root)
                self.leave()
            elif self.converge_or_wait():
                last_busy = time.monotonic()
                self.channel.wait(POLL_SECONDS)
            elif not self.has_watches and time.monotonic() - last_busy > idle_seconds:
                if self.nothing_came():
                    return
                last_busy = time.monotonic()
            else:
                self.channel.wait(min(idle_seconds / 2, IDLE_POLL_SECONDS))

    def nothing_came(self) -> bool:
        """Stop listening, unless work came meanwhile whose poke nobody would have heard."""
        self.channel.deafen()
        if jobs.count_unfinished(self.connection) == 0 and not watches.any_enabled(self.connection):
            return True
        log.info("work came while leaving: staying")
        self.channel.open()
        return False

    def converge_or_wait(self) -> bool:
        """Converge; a store that cannot be written now (a full disk) is tried again, and nothing is lost."""
        try:
            if not self.recovered:
                self.recover()
                self.recovered = True
            busy = self.converge()
            self.has_watches = self.watching.heed(watches.find(self.connection, enabled=True))
        except (database.StoreError, sqlite3.OperationalError) as error:
            self.laments.say("the store", error)
            return True
        self.laments.over("the store")
        return busy

    def leave(self) -> None:
        """Finish what is in hand and return from ``run``; processes go on, and the next agent adopts them."""
        self.leaving = True

    def close(self) -> None:
        """Give back threads and files."""
        self.watching.stop()
        self.preparations.close()
        self.collections.close()
        self.ingester.stop()
        self.connection.close()

    def converge(self) -> bool:
        """Decide and act until nothing more can be decided now; whether any job is under way."""
        while True:
            found = queue.attention(self.connection, self.capacity())
            acted = False
            for job in found.jobs:
                if self.leaving:
                    break
                acted |= self.attend(job, job.name in found.granted)
            self.ingester.watch({job.name for job in found.jobs if job.status in ("Running", "CancelRequested")})
            if not acted or self.leaving:
                return bool(found.jobs) or jobs.count_unfinished(self.connection) > 0

    def capacity(self) -> dict[str, int]:
        """The slots of each compute; none where its engine is missing or broken: its jobs wait until it works."""
        slots: dict[str, int] = {}
        for name in computes.names(self.connection):
            try:
                each = computes.get(self.connection, name)
                slots[name] = engine(each["type"]).capacity(each)
            except sqlite3.OperationalError:
                raise
            except Exception as error:  # noqa: BLE001  (an engine may be somebody else's)
                self.laments.say(f"compute {name}", error)
        return slots

    def attend(self, job: Job, granted: bool) -> bool:
        """Decide on one job and act; whether something was done. What goes wrong with one never stops the others."""
        if time.monotonic() < self.unstarted.get(job.name, 0.0):
            return False
        try:
            return self.act(job, granted)
        except (database.StoreError, sqlite3.OperationalError):
            raise
        except Exception as error:  # noqa: BLE001  (of an engine, a controller, the machine)
            return self.went_wrong(job, error)

    def act(self, job: Job, granted: bool) -> bool:
        """Do what the job's controller says; whether that was something."""
        if job.unreadable:
            return self.give_up(job)
        try:
            action = self.decide(job, granted)
            if action is not None:
                self.perform(job, action)
        except plugins.UNUSABLE as error:
            return self.wait_for_package(job, error)
        self.laments.over(f"job {job.name}")
        return action is not None

    def went_wrong(self, job: Job, error: Exception) -> bool:
        """End a job that cannot start; one that may have processes is looked at again at the next poll."""
        self.laments.say(f"job {job.name}", error)
        try:
            if may_pass(error) or not self.cannot_have_run(job.name):
                return False
            self.finish(job, never_ran(job, self.layout, "Failed", cause_of(error), sayer(self.layout, job)))
        except (database.StoreError, sqlite3.OperationalError):
            raise
        except Exception as another:  # noqa: BLE001  (it is as it was)
            self.laments.say(f"the end of job {job.name}", another)
            return False
        return True

    def wait_for_package(self, job: Job, error: WorkbenchError) -> bool:
        """A job whose package is missing or broken goes on when it is mended; one that is not wanted ends at once."""
        self.laments.say(f"job {job.name}", error)
        if job.wanted == "run" or not self.at_rest(job):
            return False
        if self.collections.state(job.name) is not control.Work.NONE:
            self.finish(job, self.outcome(job, canceled=True))
            return True
        if asked_to_end(job, self.layout):
            if job.status != "CancelRequested":
                self.record(job, "CancelRequested")
            return False
        if job.token is not None and job.status != "Finalizing":
            self.record(job, "Finalizing")
        say = sayer(self.layout, job)
        self.collections.begin(job.name, lambda _: abandon(job, self.layout, error, say))
        return False

    def give_up(self, job: Job) -> bool:
        """End a job whose row cannot be read, lest it holds up all others."""
        self.laments.say(f"job {job.name}", f"its row cannot be read: {job.unreadable}")
        if not self.at_rest(job):
            return False
        self.collections.take(job.name)
        self.finish(job, give_up(job, self.layout, sayer(self.layout, job)))
        return True

    def at_rest(self, job: Job) -> bool:
        """Whether no work for a job is under way; what prepares it is called off, and forgotten."""
        if self.preparations.state(job.name) in (control.Work.BUSY, control.Work.CALLED_OFF):
            self.preparations.call_off(job.name)
            return False
        self.preparations.take(job.name)
        self.tokens.pop(job.name, None)
        return self.collections.state(job.name) not in (control.Work.BUSY, control.Work.CALLED_OFF)

    def cannot_have_run(self, name: str) -> bool:
        """Whether no process of a job ever ran, and none can any more."""
        job = jobs.get(self.connection, name)
        return job.token is None or self.engine(job.compute).revoke(self.layout.job(name).attempt(job.attempt))

    def decide(self, job: Job, granted: bool) -> control.Action | None:
        """What the job's controller says to what is known of it."""
        facts = control.Facts(
            job=job,
            granted=granted,
            preparation=self.preparations.state(job.name),
            process=self.process(job),
            killed=job.name in self.killed,
            collection=self.collections.state(job.name),
        )
        return controller(job.type)(facts)

    def engine(self, compute: str) -> Engine:
        """The engine of a compute."""
        return engine(computes.get(self.connection, compute)["type"])

    def process(self, job: Job) -> Process:
        """What the engine says of the job's current attempt."""
        if job.token is None or job.name in self.unstarted:
            return Process.NONE
        if job.status not in STARTED:
            return Process.NONE
        attempt, executor = self.layout.job(job.name).attempt(job.attempt), self.engine(job.compute)
        state = executor.poll(attempt)
        again = self.retries.get(job.name, 0) < MOST_RETRIES
        if state.kind == "exited":
            began = state.record is None or state.record["outcome"] != "spawn_failed" or not executor.revoke(attempt)
            return Process.ENDED if began or not again else Process.NEVER
        if state.kind == "lost":
            return Process.LOST
        if state.kind == "not_started" and not job.token.startswith(self.boot):
            return Process.LOST  # of an earlier boot: whether it ran is not known, so it does not run again
        late = time.monotonic() - self.launched.get(job.name, 0.0) >= UNCLAIMED_SECONDS
        if state.kind == "not_started" and late and executor.revoke(attempt):
            return Process.NEVER if again else Process.LOST
        return Process.RUNNING

    def recover(self) -> None:
        """After a crash: an attempt that was committed and never claimed did not run, so its job may start again.

        And what submitters that were killed left is cleared.
        """
        if left := submitted.orphans(self.connection, self.layout):
            for name in submitted.clear(self.connection, self.layout, left):
                log.info("cleared what was left of job %s, which was never accepted", name)
        for job in jobs.unfinished(self.connection):
            if job.unreadable or job.token is None or job.status not in STARTED:
                continue
            if job.token.startswith(self.boot) and self.never_started(job):
                self.queue(job)

    def never_started(self, job: Job) -> bool:
        """Whether a job's attempt did not begin, and now cannot; no while its engine cannot be asked."""
        attempt = self.layout.job(job.name).attempt(job.attempt)
        try:
            executor = self.engine(job.compute)
            return executor.poll(attempt).kind == "not_started" and executor.revoke(attempt)
        except Exception as error:  # noqa: BLE001  (an engine may be somebody else's)
            self.laments.say(f"job {job.name}", error)
            return False

    def perform(self, job: Job, action: control.Action) -> None:
        """One action."""
        match action:
            case control.Queue():
                self.queue(job)
            case control.Prepare():
                self.prepare(job)
            case control.AbandonPreparation():
                self.preparations.call_off(job.name)
            case control.Launch():
                self.launch(job)
            case control.Adopt():
                self.record(job, "Running", "adopted", started_at=time.time())
            case control.Stop(at_once):
                self.stop(job, at_once)
            case control.Collect():
                self.collect(job)
            case control.Finish(canceled):
                self.finish(job, self.outcome(job, canceled))

    def record(self, job: Job, status: str, message: str | None = None, **facts: Any) -> None:
        """Write one fact."""
        with database.write(self.connection):
            jobs.record(self.connection, job.name, status, message, **facts)

    def queue(self, job: Job) -> None:
        """Have a job wait for its turn; after an attempt that never began, not at once."""
        if job.token is None:
            self.record(job, "Queued")
            return
        self.record(job, "Queued", "its process had not started; queued again", token=None, started_at=None)
        self.retries[job.name] = self.retries.get(job.name, 0) + 1
        self.unstarted[job.name] = time.monotonic() + RETRY_SECONDS

    def prepare(self, job: Job) -> None:
        """Begin to prepare a job in a thread."""
        if job.status != "Preparing":
            self.record(job, "Preparing")
        token = self.tokens[job.name] = f"{self.boot}{secrets.token_hex(12)}"

        def work(cancel: threading.Event) -> Prepared:
            return prepare(job, self.layout, token, sayer(self.layout, job), cancel.is_set)

        self.preparations.begin(job.name, work)

    def launch(self, job: Job) -> None:
        """Commit the attempt and its token, then start the processes: at most once, whatever is killed in between."""
        future = self.preparations.take(job.name)
        assert future is not None  # noqa: S101  (the controller saw it done)
        prepared: Prepared = future.result()
        attempt, token = job.attempt + 1, self.tokens.pop(job.name)
        executor = self.engine(job.compute)  # before the attempt is committed: its package may be gone
        self.record(
            job, "Preparing", "starting", attempt=attempt, token=token, inputs=prepared.inputs, outputs=prepared.outputs
        )
        if prepared.seen:
            from store.data import uses

            uses.saw(self.connection, job.name, prepared.seen)
        self.unstarted.pop(job.name, None)
        folder = self.layout.job(job.name).attempt(attempt)
        self.launched[job.name] = time.monotonic()
        try:
            executor.start(folder, prepared.task, prepared.environment)
        except WorkbenchError as error:
            if may_pass(error) and executor.revoke(folder):
                self.unstarted[job.name] = time.monotonic() + RETRY_SECONDS
            raise
        self.record(job, "Running", started_at=time.time())

    def stop(self, job: Job, at_once: bool) -> None:
        """End a job's processes."""
        attempt = self.layout.job(job.name).attempt(job.attempt)
        if at_once:
            self.engine(job.compute).kill(attempt)
            self.killed.add(job.name)
        else:
            self.engine(job.compute).cancel(attempt)
        if job.status != "CancelRequested":
            self.record(job, "CancelRequested")

    def collect(self, job: Job) -> None:
        """Begin to bring in what an ended job left."""
        if job.status != "Finalizing":
            self.record(job, "Finalizing")
        attempt = self.layout.job(job.name).attempt(job.attempt)
        executor = self.engine(job.compute)
        state = executor.poll(attempt)
        if state.record is None and job.token is not None:
            executor.kill_leftovers(job.token)
        say = sayer(self.layout, job)
        self.collections.begin(job.name, lambda off: collect(job, self.layout, state.record, say, cancelled=off.is_set))

    def outcome(self, job: Job, canceled: bool) -> Outcome:
        """How a job ended, from its collection or its preparation."""
        collected = self.collections.take(job.name)
        prepared = self.preparations.take(job.name)
        self.tokens.pop(job.name, None)
        if collected is not None:
            error = collected.exception()
            return collected.result() if error is None else failure(job, error)
        if canceled:
            cause = Cause("canceled", "cancelled before it started")
            return never_ran(job, self.layout, "Canceled", cause, sayer(self.layout, job))
        error = prepared.exception() if prepared is not None else None
        cause = cause_of(error) if error is not None else Cause("preparation_failed", "it could not be prepared")
        status = "Canceled" if isinstance(error, Cancelled) else "Failed"
        return never_ran(job, self.layout, status, cause, sayer(self.layout, job))

    def finish(self, job: Job, outcome: Outcome) -> None:
        """Write a job's end, and remove what it was lent: last, for one whose end is not written is prepared again."""
        with database.write(self.connection):
            jobs.record(self.connection, job.name, outcome.status, outcome.message, **outcome.facts)
            if outcome.status == "Completed":
                data_assets.register_outputs(self.connection, job, sayer(self.layout, job), outcome.made)
            try:
                submitted.discard(self.layout.job(job.name))
            except OSError as error:  # the job may have closed its folder
                log.error("what job %s was lent is still there: %s", job.name, error)
        self.launched.pop(job.name, None)
        self.unstarted.pop(job.name, None)
        self.retries.pop(job.name, None)
        self.killed.discard(job.name)


def identity(layout: Layout) -> tuple[int, int] | None:
    """Which file the workspace's database is; None when it is not there any more."""
    try:
        status = os.stat(layout.database)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def boot_mark() -> str:
    """What tells this boot of the machine from another: attempts carry it in their token."""
    return hashlib.sha256((boot_id() or "").encode()).hexdigest()[:8]
