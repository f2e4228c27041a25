"""The controller of command jobs is a function: every state and wish has one answer."""

from __future__ import annotations

import dataclasses

import pytest

from engines.jobs import command, control
from engines.jobs.control import Facts, Process, Work
from store.jobs import COLUMNS, Job

BLANK = Job(**{**dict.fromkeys(COLUMNS), "name": "j", "type": "command", "wanted": "run", "status": "NotStarted"})  # type: ignore[arg-type]


def decide(status: str, wanted: str = "run", **facts: object) -> control.Action | None:
    job = dataclasses.replace(BLANK, status=status, wanted=wanted)
    return command.decide(Facts(job, **facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "wanted", "facts", "action"),
    [
        ("NotStarted", "run", {}, control.Queue()),
        ("Queued", "run", {}, None),
        ("Queued", "run", {"granted": True}, control.Prepare()),
        ("Queued", "cancel", {"granted": True}, control.Finish(canceled=True)),
        ("Preparing", "run", {}, control.Prepare()),
        ("Preparing", "cancel", {}, control.Finish(canceled=True)),
        ("Preparing", "run", {"preparation": Work.BUSY}, None),
        ("Preparing", "cancel", {"preparation": Work.BUSY}, control.AbandonPreparation()),
        ("Preparing", "cancel", {"preparation": Work.CALLED_OFF}, None),
        ("Preparing", "run", {"preparation": Work.DONE}, control.Launch()),
        ("Preparing", "cancel", {"preparation": Work.DONE}, control.Finish(canceled=True)),
        ("Preparing", "run", {"preparation": Work.FAILED}, control.Finish()),
        ("Preparing", "run", {"process": Process.RUNNING}, control.Adopt()),
        ("Preparing", "cancel", {"process": Process.RUNNING}, control.Adopt()),
        ("Preparing", "run", {"process": Process.ENDED}, control.Collect()),
        ("Preparing", "run", {"process": Process.NEVER}, control.Queue()),
        ("Running", "run", {"process": Process.NEVER}, control.Queue()),
        ("CancelRequested", "cancel", {"process": Process.NEVER}, control.Queue()),
        ("Running", "run", {"process": Process.RUNNING}, None),
        ("Running", "cancel", {"process": Process.RUNNING}, control.Stop(at_once=False)),
        ("Running", "kill", {"process": Process.RUNNING}, control.Stop(at_once=True)),
        ("CancelRequested", "kill", {"process": Process.RUNNING, "killed": True}, None),
        ("CancelRequested", "cancel", {"process": Process.RUNNING}, None),
        ("CancelRequested", "kill", {"process": Process.RUNNING}, control.Stop(at_once=True)),
        ("Running", "run", {"process": Process.ENDED}, control.Collect()),
        ("Running", "run", {"process": Process.LOST}, control.Collect()),
        ("CancelRequested", "cancel", {"process": Process.ENDED}, control.Collect()),
        ("Finalizing", "run", {}, control.Collect()),
        ("Finalizing", "run", {"collection": Work.BUSY}, None),
        ("Finalizing", "run", {"collection": Work.DONE}, control.Finish()),
        ("Finalizing", "run", {"collection": Work.FAILED}, control.Finish()),
        ("Completed", "run", {}, None),
        ("Failed", "cancel", {}, None),
        ("Canceled", "kill", {}, None),
    ],
)
def test_decision(status: str, wanted: str, facts: dict[str, object], action: control.Action | None) -> None:
    assert decide(status, wanted, **facts) == action


def test_the_same_facts_give_the_same_decision() -> None:
    for status in ("NotStarted", "Queued", "Preparing", "Running", "CancelRequested", "Finalizing"):
        for process in Process:
            for work in Work:
                first = decide(status, process=process, preparation=work, collection=work)
                assert first == decide(status, process=process, preparation=work, collection=work)
