"""The store that runs inside jobs, held against MLflow's own store as the judge of what a call means."""

from __future__ import annotations

import ast
import math
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracked_jobs import MakeRun

from store.layout import Layout
from store.tracking import runs
from store.tracking.ingest import ingest
from workbench import journal as module
from workbench.journal import tracking_store

pytestmark = pytest.mark.slow  # MLflow's import alone takes a second

ROOT = Path(__file__).parents[2]

JOB, PLAIN = "calm_fox_1", "plain_run_1"
"""One run is logged to through the journal, the other by the same calls through MLflow's store."""


@pytest.fixture
def stores(tracked: Layout, new_run: MakeRun) -> Iterator[tuple[Any, Any]]:
    """Workbench's store and MLflow's own on the same database."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    new_run(JOB)
    new_run(PLAIN)
    address = f"workbench://{quote(str(tracked.root))}"
    ours, plain = tracking_store(f"{address}?job={JOB}"), tracking_store(address)
    assert type(plain) is SqlAlchemyStore
    yield ours, plain
    ours.engine.dispose()
    if ours._tail_sessions is not None:
        ours._tail_engine.dispose()


def ingest_all(layout: Layout, limit: int = 20_000) -> None:
    with closing(runs.connect(layout)) as connection:
        while not ingest(connection, JOB, layout.job(JOB).journal, limit_rows=limit).done:
            pass


def table(layout: Layout, name: str, run: str, column: str = "run_uuid") -> list[dict[str, object]]:
    """A run's rows in a table, without the run's id, in an order of their own; types count."""
    with closing(runs.connect(layout)) as connection:
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {name} WHERE {column} = ?", (run,))]
    return sorted(
        ({key: (type(value), value) for key, value in row.items() if key != column} for row in rows), key=repr
    )


def metric(key: object = "loss", value: object = 0.5, timestamp: object = 1_000, step: object = 0, **more: Any) -> Any:
    from mlflow.entities import Metric

    return Metric(key, value, timestamp, step, **more)  # type: ignore[arg-type]


def test_every_field_of_a_line(stores: tuple[Any, Any], tracked: Layout) -> None:
    ours, _ = stores
    model = ours.create_logged_model("0", "model")
    ours.log_metric(JOB, metric(value=0.1, timestamp=17, step=3))
    ours.log_metric(
        JOB, metric("a/b c", math.nan, 18, -4, model_id=model.model_id, dataset_name='d"', dataset_digest="é")
    )
    ours.log_batch(JOB, [metric(value=math.inf), metric(value=-math.inf)], [], [])
    assert tracked.job(JOB).journal.read_text().splitlines() == [
        '{"r":"calm_fox_1","k":"loss","v":0.1,"t":17,"s":3}',
        f'{{"r":"calm_fox_1","k":"a/b c","v":"NaN","t":18,"s":-4,"m":"{model.model_id}","d":"d\\"","g":"\\u00e9"}}',
        '{"r":"calm_fox_1","k":"loss","v":"Infinity","t":1000,"s":0}',
        '{"r":"calm_fox_1","k":"loss","v":"-Infinity","t":1000,"s":0}',
    ]
    assert tracked.job(JOB).journal.stat().st_mode & 0o777 == 0o600


KEYS = st.sampled_from(["loss", "val/acc", "ä b", "x:y"]) | st.text(
    st.characters(categories=["L", "N"]) | st.sampled_from("_-. /:"), min_size=1, max_size=250
)
INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-3, 3)
METRICS = st.tuples(
    KEYS,
    st.floats() | st.integers(-(10**300), 10**300) | st.sampled_from([0.0, -0.0, 1.0, np.float32(0.1), np.int64(3)]),
    st.integers(0, 2**63 - 1) | st.integers(0, 3) | st.just(np.int64(7)) | st.floats(0, 1e15),
    INTEGERS | st.sampled_from([True, 1.5, 2.0, Fraction(4)]),
)


def outcome(call: Any, *arguments: Any) -> tuple[str, str] | None:
    """The kind and code of the error that a call raises."""
    from mlflow.exceptions import MlflowException

    try:
        call(*arguments)
    except MlflowException as error:
        return error.error_code, error.message.partition("\n")[0]
    except (TypeError, ValueError, OverflowError) as error:
        return type(error).__name__, ""
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(METRICS, min_size=1, max_size=12), split=st.integers(1, 13), alone=st.booleans())
def test_what_is_logged_is_stored_as_mlflow_stores_it(
    batch: list[Any], split: int, alone: bool, stores: tuple[Any, Any], tracked: Layout
) -> None:
    """The same calls through both stores leave the same rows, types included, in every table of metrics."""
    ours, plain = stores
    with closing(runs.connect(tracked)) as connection:
        for name in ("metrics", "latest_metrics"):
            connection.execute(f"DELETE FROM {name}")
    # SQLite's driver takes numbers of other libraries for blobs or not at all: there we do better than MLflow.
    python = [tuple(number.item() if isinstance(number, np.generic) else number for number in each) for each in batch]
    python = [tuple(float(n) if isinstance(n, Fraction) else n for n in each) for each in python]
    # MLflow refuses a whole number that no float equals when it comes a second time.
    python = [(key, float(value) if type(value) is int else value, *rest) for key, value, *rest in python]
    if alone:
        refused = [
            (outcome(ours.log_metric, JOB, metric(*each)), outcome(plain.log_metric, PLAIN, metric(*same)))
            for each, same in zip(batch, python, strict=True)
        ]
    else:
        refused = [
            (
                outcome(ours.log_batch, JOB, [metric(*each) for each in batch], [], []),
                outcome(plain.log_batch, PLAIN, [metric(*each) for each in python], [], []),
            )
        ]
    assert [bool(a) for a, _ in refused] == [bool(b) for _, b in refused]
    ingest_all(tracked, split)
    for name in ("metrics", "latest_metrics"):
        assert table(tracked, name, JOB) == table(tracked, name, PLAIN)


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": None},
        {"key": ""},
        {"key": "a\nb"},
        {"key": "../up"},
        {"key": "/root"},
        {"key": "a//b"},
        {"key": "k" * 251},
        {"key": "q?"},
        {"value": None},
        {"value": "0.5"},
        {"value": True},
        {"timestamp": None},
        {"timestamp": -1},
        {"timestamp": "now"},
        {"step": None},
        {"step": "3"},
    ],
    ids=str,
)
def test_what_mlflow_refuses_is_refused_alike(
    arguments: dict[str, Any], stores: tuple[Any, Any], tracked: Layout
) -> None:
    ours, plain = stores
    ours.log_metric(JOB, metric())  # the name is known from now on
    bad = metric(**arguments)
    assert outcome(ours.log_metric, JOB, bad) == outcome(plain.log_metric, PLAIN, bad) is not None
    batch = [metric(), bad]
    assert outcome(ours.log_batch, JOB, batch, [], []) == outcome(plain.log_batch, PLAIN, batch, [], []) is not None
    assert tracked.job(JOB).journal.read_bytes().count(b"\n") == 1


def test_what_sqlite_cannot_keep_is_refused_at_once(stores: tuple[Any, Any]) -> None:
    ours, _ = stores
    for bad in ({"step": 2**63}, {"step": -(2**63) - 1}, {"timestamp": 2**63}, {"step": math.nan}, {"step": math.inf}):
        found = outcome(ours.log_metric, JOB, metric(**bad))
        assert found is not None
        assert found[0] == "INVALID_PARAMETER_VALUE"
        assert "64-bit" in found[1]


def test_batches_and_runs_are_checked_as_mlflow_does(stores: tuple[Any, Any]) -> None:
    from mlflow.entities import Param

    ours, plain = stores
    many = [metric(step=step) for step in range(1001)]
    twice = [Param("p", "1"), Param("p", "2")]
    for store, run in ((ours, JOB), (plain, PLAIN)):
        assert "at most 1000 metrics" in str(outcome(store.log_batch, run, many, [], []))
        assert "Duplicate parameter keys" in str(outcome(store.log_batch, run, [metric()], twice, []))
        assert outcome(store.log_batch, run, [], [], []) is None
        assert outcome(store.log_metric, "unknown", metric()) == (
            "RESOURCE_DOES_NOT_EXIST",
            "Run with id=unknown not found",
        )
        assert outcome(store.log_batch, "unknown", [], [], []) is not None
        assert outcome(store.log_batch, "no run id!", [metric()], [], []) is not None
        assert outcome(store.log_metric, run, metric(model_id="m-none")) is not None
        store.log_metric(run, metric())
        store.delete_run(run)
        assert "must be in the 'active' state" in str(outcome(store.log_metric, run, metric()))
        assert "must be in the 'active' state" in str(outcome(store.log_batch, run, [metric()], [], []))


def test_params_and_tags_of_a_batch_go_to_mlflow_and_a_clash_logs_no_metric(
    stores: tuple[Any, Any], tracked: Layout
) -> None:
    from mlflow.entities import Param, RunTag

    ours, plain = stores
    ours.log_batch(JOB, [metric()], [Param("depth", "3")], [RunTag("colour", "red")])
    assert outcome(ours.log_batch, JOB, [metric(step=1)], [Param("depth", "4")], []) is not None
    run = plain.get_run(JOB)
    assert run.data.params == {"depth": "3"}
    assert run.data.tags["colour"] == "red"
    assert tracked.job(JOB).journal.read_bytes().count(b"\n") == 1


def answers(store: Any, models: list[str]) -> dict[str, object]:
    """What a store says of the job's metrics, by every call that clients and MLflow's server make."""
    run = store.get_run(JOB)
    search = {
        text: [found.info.run_id for found in store.search_runs(["1"], text, 1, 100, ["metrics.loss DESC"])]
        for text in ("metrics.loss > 0.5", "metrics.`val/acc` <= 0", "metrics.loss != 3 and metrics.`nan` = 0", "")
    }

    def points(found: Any) -> list[str]:
        return [repr((m.key, m.value, m.timestamp, m.step)) for m in found]

    def bulk(found: Any) -> list[tuple[str, str]]:
        return [(m.run_id, repr((m.key, m.value, m.timestamp, m.step))) for m in found]

    first = store.get_metric_history(JOB, "loss", max_results=3)
    return {
        "run": {key: repr(value) for key, value in run.data.metrics.items()},
        "search": search,
        "found": [repr(sorted(found.data.metrics.items())) for found in store.search_runs(["1"], "", 1, 100)],
        "history": points(store.get_metric_history(JOB, "loss")),
        "page": points(first) + points(store.get_metric_history(JOB, "loss", 3, first.token) if first.token else []),
        "bulk": bulk(store.get_metric_history_bulk([JOB, PLAIN], "loss", 1000)),
        "interval": bulk(store.get_metric_history_bulk_interval([JOB], "loss", 4, None, None)),
        "steps": bulk(store.get_metric_history_bulk_interval_from_steps(JOB, "loss", [0, 1, 2], 1000)),
        "max": store.get_max_step_for_metric(JOB, "loss"),
        "models": [sorted(map(repr, store.get_logged_model(model).metrics or [])) for model in models],
        "best": [
            found.model_id
            for found in store.search_logged_models(
                ["1"], "metrics.loss > 0.1", None, 10, [{"field_name": "metrics.loss"}]
            )
        ],
    }


POINTS = st.tuples(
    st.sampled_from(["loss", "val/acc", "nan"]),
    st.sampled_from([0.0, 0.25, 0.7, 3.0, math.nan, math.inf]),
    st.integers(1, 3),
    st.integers(0, 3),
    st.sampled_from([None, 0, 1]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(points=st.lists(POINTS, min_size=1, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=3))
def test_reads_inside_the_job_are_the_same_before_and_after_ingestion(
    points: list[Any], cuts: list[int], stores: tuple[Any, Any], tracked: Layout
) -> None:
    """At every cut some of the journal is ingested; the job's store must not show the difference."""
    ours, plain = stores
    with closing(runs.connect(tracked)) as connection:
        for name in ("logged_model_metrics", "metrics", "latest_metrics"):
            connection.execute(f"DELETE FROM {name}")
    models = [ours.create_logged_model("1", f"model{number}").model_id for number in range(2)]
    seen: set[Any] = set()
    for index, (key, value, time, step, model) in enumerate(points):
        # MLflow refuses a second value for the same model, name, step and time.
        linked = model is not None and (key, time, step, model) not in seen
        seen.add((key, time, step, model))
        ours.log_metric(JOB, metric(key, value, time, step, model_id=models[model] if linked else None))
        if index in cuts:
            with closing(runs.connect(tracked)) as connection:
                ingest(connection, JOB, tracked.job(JOB).journal, limit_rows=2)
            answers(ours, models)
    before = answers(ours, models)
    ingest_all(tracked)
    assert before == answers(plain, models)
    assert before == answers(ours, models)


def test_no_second_set_of_connections_without_a_tail(stores: tuple[Any, Any], tracked: Layout) -> None:
    ours, _ = stores
    ours.get_run(JOB)
    assert ours._tail_sessions is None
    ours.log_metric(JOB, metric(value=0.7))
    assert ours.get_run(JOB).data.metrics == {"loss": 0.7}
    ingest_all(tracked)
    assert ours.get_run(JOB).data.metrics == {"loss": 0.7}
    engine, ours._tail_engine = ours._tail_engine, None  # using it would raise now
    ours._tail_sessions = lambda **_: pytest.fail("the tail was asked for though all is in")
    assert ours.get_run(JOB).data.metrics == {"loss": 0.7}
    engine.dispose()
    ours._tail_sessions = None


def test_a_failed_read_does_not_spoil_the_next(stores: tuple[Any, Any]) -> None:
    """MLflow rolls a failed session back, and with it what the overlay had taken in."""
    ours, _ = stores
    ours.log_metric(JOB, metric(value=0.7))
    assert outcome(ours.get_run, "unknown") is not None
    assert ours.get_run(JOB).data.metrics == {"loss": 0.7}
    ours.log_metric(JOB, metric(value=0.9, step=1))
    assert outcome(ours.get_run, "unknown") is not None
    assert ours.get_run(JOB).data.metrics == {"loss": 0.9}
    assert len(ours.get_metric_history(JOB, "loss")) == 2


def test_a_journal_put_in_another_s_place_is_shown_alone(stores: tuple[Any, Any], tracked: Layout) -> None:
    ours, _ = stores
    for step in range(5):
        ours.log_metric(JOB, metric(step=step))
    assert len(ours.get_metric_history(JOB, "loss")) == 5
    journal = tracked.job(JOB).journal
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[3])
    assert [point.step for point in ours.get_metric_history(JOB, "loss")] == [3]


def test_threads_write_whole_lines_and_read_them(stores: tuple[Any, Any], tracked: Layout) -> None:
    ours, _ = stores
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(200):
                ours.log_metric(JOB, metric(f"k{number}", step / 3, step=step))
                if step % 50 == 0:
                    assert ours.get_metric_history(JOB, f"k{number}")[-1].step == step
        except BaseException as error:  # noqa: BLE001  (shown by the assertion below)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    ingest_all(tracked)
    with closing(sqlite3.connect(tracked.mlflow_database)) as connection:
        counts = connection.execute("SELECT key, count(*), max(step) FROM metrics GROUP BY key").fetchall()
    assert counts == [(f"k{number}", 200, 199) for number in range(6)]


def test_names_are_not_remembered_without_end(stores: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _ = stores
    monkeypatch.setattr(module, "REMEMBERED_NAMES", 3)
    for number in range(10):
        ours.log_metric(JOB, metric(f"k{number}"))
    assert len(ours._heads) == 3
    assert len(ours.get_run(JOB).data.metrics) == 10


def test_an_address_without_a_workspace_is_an_error_that_names_it(tracked: Layout) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="/nowhere/at all is no Workbench workspace"):
        tracking_store("workbench:///nowhere/at%20all?job=x")


def test_a_journal_that_cannot_be_written_is_an_error_that_names_it(tracked: Layout, new_run: MakeRun) -> None:
    from mlflow.exceptions import MlflowException

    new_run(JOB).mkdir()
    store: Any = tracking_store(f"workbench://{quote(str(tracked.root))}?job={JOB}")
    with pytest.raises(MlflowException, match=r"metrics\.jsonl: Is a directory"):
        store.log_metric(JOB, metric())


def test_the_store_loads_nothing_of_ours_but_its_own_files() -> None:
    code = "import sys; before = set(sys.modules); import workbench.journal; print(sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in ast.literal_eval(ran.stdout)}
    assert loaded - set(sys.stdlib_module_names) == {"workbench"}
    assert {name for name in ast.literal_eval(ran.stdout) if name.startswith("workbench")} == {
        "workbench",
        "workbench.journal",
        "workbench.journal_lines",
        "workbench.run_context",
    }


def test_the_two_files_run_on_the_oldest_python_that_mlflow_runs_on() -> None:
    vermin = pytest.importorskip("vermin")
    assert vermin
    files = [ROOT / "workbench" / "journal.py", ROOT / "workbench" / "journal_lines.py"]
    ran = subprocess.run(
        [sys.executable, "-c", "import vermin; vermin.main()", "--target=3.10-", "--violations", *files],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
