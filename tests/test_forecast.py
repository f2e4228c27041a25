"""How long jobs take and when queued ones start, against cases worked by hand; and how far a job is."""

from __future__ import annotations

from typing import Any

import pytest

from store.forecast import Occupant, Queued, expected, remaining, starts
from store.job_progress import Progress, planned_steps, progress


def test_a_run_takes_what_earlier_ones_took_and_no_outlier_spoils_it() -> None:
    assert expected([60.0, 62.0, 7200.0]) == 62.0
    assert expected([]) is None


@pytest.mark.parametrize(
    ("elapsed", "durations", "left"),
    [
        (20.0, [60.0, 60.0, 60.0], 40.0),
        (70.0, [60.0, 100.0, 200.0], 80.0),  # half of those that got so far took 150
        (500.0, [60.0, 100.0, 200.0], None),
        (5.0, [], None),
    ],
)
def test_what_is_left_comes_from_the_runs_that_got_so_far(elapsed: float, durations: Any, left: float | None) -> None:
    assert remaining(elapsed, durations) == left


def test_a_free_slot_is_taken_at_once() -> None:
    assert starts(2, [Occupant(1, 30.0)], [Queued("a", 1, 10.0)]) == {"a": 0.0}


def test_the_queue_goes_through_the_slots_in_order() -> None:
    # Two slots, both taken until 30 and 50: a from 30 to 40, b from 40 to 140, c from 50 on.
    queue = [Queued("a", 1, 10.0), Queued("b", 1, 100.0), Queued("c", 1, None)]
    assert starts(2, [Occupant(1, 30.0), Occupant(1, 50.0)], queue) == {"a": 30.0, "b": 40.0, "c": 50.0}


def test_a_wide_job_holds_back_those_behind_it() -> None:
    # Four slots, two taken until 60. The wide one waits for both; the narrow one behind it fits now, and may not.
    queue = [Queued("wide", 4, 20.0), Queued("narrow", 1, 5.0)]
    assert starts(4, [Occupant(2, 60.0)], queue) == {"wide": 60.0, "narrow": 80.0}


def test_behind_a_job_of_unknown_length_nothing_is_known() -> None:
    # One slot: a starts at 10 and takes nobody knows how long.
    queue = [Queued("a", 1, None), Queued("b", 1, 5.0), Queued("c", 1, 5.0)]
    assert starts(1, [Occupant(1, 10.0)], queue) == {"a": 10.0, "b": None, "c": None}
    assert starts(1, [Occupant(1, None)], [Queued("a", 1, 5.0)]) == {"a": None}


def test_a_job_that_never_fits_has_no_start() -> None:
    assert starts(2, [], [Queued("huge", 3, 5.0), Queued("b", 1, 5.0)]) == {"huge": None, "b": None}


@pytest.mark.parametrize(
    ("document", "steps"),
    [
        ({"inputs": {"epochs": 10, "lr": 0.1}, "command": "python train.py"}, 10),
        ({"inputs": {"num-epochs": "12"}}, 12),
        ({"inputs": {"max_steps": 500, "epochs": 3}}, 3),
        ({"inputs": {"epochs": {"type": "integer", "default": 7}}}, 7),
        ({"command": "python train.py --epochs 20 --lr 0.1"}, 20),
        ({"command": "python train.py --max-steps=300"}, 300),
        ({"command": "python train.py trainer.max_epochs=9"}, None),
        ({"command": "python train.py --epochs ${{inputs.epochs}}", "inputs": {"epochs": 4}}, 4),
        ({"inputs": {"epochs": True}}, None),
        ({"inputs": {"epochs": 0}}, None),
        ({"inputs": {"data": {"type": "uri_file", "path": "x"}}}, None),
        ({}, None),
    ],
)
def test_planned_steps(document: dict[str, Any], steps: int | None) -> None:
    assert planned_steps(document) == steps


def test_progress_counts_steps_from_nought_and_from_one() -> None:
    document = {"inputs": {"epochs": 10}}
    assert progress(document, 50.0, [], first_step=1, last_step=5) == Progress(0.5, 5, 10, 50.0)
    assert progress(document, 50.0, [], first_step=0, last_step=4) == Progress(0.5, 5, 10, 50.0)


def test_steps_beyond_the_plan_count_something_else() -> None:
    # Batches were logged where epochs were planned: the time that earlier runs took tells more.
    found = progress({"inputs": {"epochs": 10}}, 30.0, [120.0], first_step=0, last_step=700)
    assert found == Progress(0.25, remaining=90.0) and found.estimated


def test_progress_without_steps_or_earlier_runs_is_unknown() -> None:
    assert progress({}, 30.0, []) == Progress()
    assert progress({}, None, [60.0]) == Progress()


def test_a_run_longer_than_all_before_is_said_to_be() -> None:
    assert progress({}, 90.0, [60.0, 70.0]) == Progress(overdue=True)
