"""Jobs side by side, and repeated runs as mean and spread: pure functions against cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from engines.jobs.comparison import Row, Subject, best, compare, compare_snapshots
from engines.jobs.repeats import Spread, group_by, group_repeats, grouped_row, mean_curve, spread
from tests.stored_jobs import stored_job


def subject(name: str, parameters: dict[str, str], metrics: dict[str, float] | None = None, **columns: Any) -> Subject:
    document = {"command": "python train.py", "name": name, **columns.pop("document", {})}
    return Subject(stored_job(name, document=document, **columns), parameters, metrics or {})


def row(rows: list[Row], section: str, name: str) -> Row:
    return next(each for each in rows if (each.section, each.name) == (section, name))


def test_what_differs_is_told_from_what_does_not() -> None:
    rows = compare(
        [
            subject("a", {"lr": "0.1", "depth": "3"}, {"accuracy": 0.9, "loss": 0.2, "system/cpu": 1.0}),
            subject("b", {"lr": "0.2", "depth": "3"}, {"accuracy": 0.8}),
        ]
    )
    assert row(rows, "parameters", "lr") == Row("parameters", "lr", ("0.1", "0.2"), True)
    assert not row(rows, "parameters", "depth").differs
    assert row(rows, "metrics", "accuracy").best == {0}
    assert row(rows, "metrics", "loss").numbers == (0.2, None)
    assert not row(rows, "metrics", "loss").best
    assert all(each.name != "system/cpu" for each in rows)


def test_sections_come_in_the_order_of_asking() -> None:
    rows = compare(
        [
            subject("a", {"lr": "1"}, {"loss": 1.0}, document={"tags": {"t": 1}, "inputs": {"data": {"path": "./x"}}}),
            subject("b", {"lr": "2"}, {"loss": 2.0}, document={"tags": {"t": 2}, "inputs": {"data": {"path": "./y"}}}),
        ]
    )
    assert list(dict.fromkeys(each.section for each in rows)) == [
        *("parameters", "metrics", "run", "inputs", "tags", "command", "compute"),
    ]  # fmt: skip


def test_a_literal_that_is_a_parameter_is_told_once() -> None:
    rows = compare([subject("a", {"lr": "1"}, document={"inputs": {"lr": 1}}), subject("b", {"lr": "2"})])
    assert [each.section for each in rows if each.name == "lr"] == ["parameters", "inputs"]
    rows = compare([subject("a", {"lr": "1"}, document={"inputs": {"lr": 1}})] * 2)
    assert [each.section for each in rows if each.name == "lr"] == ["parameters"]


def test_an_input_of_a_job_that_runs_is_the_parameter_that_it_becomes() -> None:
    given = {"document": {"inputs": {"lr": 0.1}}}
    ended = subject("a", {"lr": "0.1"}, status="Completed", **given)
    rows = compare([ended, subject("b", {}, status="Running", **given)])
    assert [(each.section, each.values, each.differs) for each in rows if each.name == "lr"] == [
        ("parameters", ("0.1", "0.1"), False)
    ]
    rows = compare([ended, subject("b", {}, status="Completed", **given)])
    assert row(rows, "parameters", "lr").values == ("0.1", None)


def test_a_secret_differs_without_being_shown() -> None:
    rows = compare(
        [
            subject("a", {}, document={"environment_variables": {"API_KEY": "one"}}),
            subject("b", {}, document={"environment_variables": {"API_KEY": "two"}}),
        ]
    )
    found = row(rows, "environment_variables", "API_KEY")
    assert found.differs and set(found.values) == {"(hidden)"}


def test_the_best_is_marked_where_it_is_known_what_is_better() -> None:
    assert best([1.0, 2.0, 2.0, None], True) == {1, 2}
    assert best([1.0, 2.0, math.nan], False) == {0}
    assert not best([1.0, 2.0], None)
    assert not best([1.0, 1.0], True)
    assert not best([1.0], True)


def test_what_no_two_runs_have_alike_differs_by_more_than_its_noise_alone() -> None:
    memory = [380_000_000, 381_000_000, 379_500_000]
    rows = compare([subject(name, {}, peak_memory_bytes=each) for name, each in zip("abc", memory, strict=True)])
    assert not row(rows, "run", "peak memory").differs
    rows = compare(
        [subject(name, {}, peak_memory_bytes=each) for name, each in zip("abc", [*memory[:2], None], strict=True)]
    )
    assert row(rows, "run", "peak memory").differs
    rows = compare([subject("a", {}, peak_memory_bytes=380_000_000), subject("b", {}, peak_memory_bytes=420_000_000)])
    assert row(rows, "run", "peak memory").differs


def test_code_is_held_against_the_first(tmp_path: Path) -> None:
    for name, files in {"one": {"a.py": "x = 1\ny = 2\n", "b.py": ""}, "two": {"a.py": "x = 1\ny = 3\n"}}.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    jobs = [stored_job("a", snapshot="one"), stored_job("b", snapshot="two"), stored_job("c", snapshot="one")]
    rows = compare_snapshots(jobs, tmp_path)
    assert row(rows, "code", "a.py").values == ("base", "+1 -1", "as the base")
    assert row(rows, "code", "a.py").details[1][-2:] == ("-y = 2", "+y = 3")
    assert row(rows, "code", "b.py").values == ("base", "gone", "as the base")
    same = compare_snapshots([jobs[0], jobs[2]], tmp_path)
    assert [(each.name, each.differs) for each in same] == [("files", False)]


def test_a_spread_is_the_samples_own() -> None:
    found = spread([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, None, math.nan])
    assert found is not None and found.mean == 5.0 and found.count == 8
    assert found.deviation == pytest.approx(math.sqrt(32 / 7))
    single = spread([3.0])
    assert single is not None and single.deviation is None
    assert spread([None, math.inf]) is None


def test_runs_that_differ_in_their_seed_alone_are_repeats() -> None:
    subjects = [
        subject(name, {"lr": lr, "seed": seed, "cv_fold": seed, "seeding": "on"}, {"accuracy": accuracy})
        for name, lr, seed, accuracy in (("a", "1", "1", 0.5), ("b", "2", "1", 0.9), ("c", "1", "2", 0.7))
    ]
    groups = group_repeats(subjects)
    assert [group.members for group in groups] == [(0, 2), (1,)]
    assert [group.title for group in groups] == ["lr=1", "lr=2"]
    rows = compare(subjects)
    told, spreads = grouped_row(row(rows, "metrics", "accuracy"), groups)
    assert told.numbers == (pytest.approx(0.6), 0.9) and told.best == {1}
    assert spreads[0] is not None and spreads[0].deviation == pytest.approx(math.sqrt(0.02))
    seeds, _ = grouped_row(row(rows, "parameters", "seed"), groups)
    assert seeds.values == ("1, 2", "1")


def test_another_seeding_is_no_repeat() -> None:
    groups = group_repeats([subject("a", {"reseed_every": "1"}), subject("b", {"reseed_every": "2"})])
    assert len(groups) == 2


def test_runs_are_grouped_by_a_value_too() -> None:
    groups = group_by([subject("a", {"lr": "1"}), subject("b", {}), subject("c", {"lr": "1"})], "lr")
    assert [(group.members, group.title) for group in groups] == [((0, 2), "lr=1"), ((1,), "lr=not given")]


def test_the_mean_of_curves_is_taken_where_all_have_points() -> None:
    curves = [[(0, 1.0), (1, 2.0), (2, 3.0)], [(0, 3.0), (1, 4.0)], [], [(0, 2.0), (1, math.nan)]]
    assert mean_curve(curves) == [(0, Spread(2.0, 1.0, 3)), (2, Spread(3.0, None, 1))]
