"""Real processes that log as jobs do: MLflow's public calls only, found by their environment variables."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import venv
from contextlib import closing
from pathlib import Path

import pytest
from tracked_jobs import MakeRun, RunJob, StartJob, job_environment

from store.layout import Layout
from store.tracking import runs
from store.tracking.ingest import Progress, ingest
from store.tracking.metrics import last_metrics
from store.tracking.plugin import write_plugin

pytestmark = pytest.mark.slow

JOB = "calm_fox_1"


def ingest_all(layout: Layout, job: str = JOB) -> Progress:
    with closing(runs.connect(layout)) as connection:
        total = Progress(0, False)
        while not total.done:
            step = ingest(connection, job, layout.job(job).journal)
            total = Progress(
                total.rows + step.rows, step.done, total.malformed + step.malformed, total.dropped + step.dropped
            )
    return total


def query(layout: Layout, sql: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(layout.mlflow_database)) as connection:
        return connection.execute(sql, values).fetchall()


FIT = """
import json, sys, warnings
import mlflow, numpy, pandas
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
mlflow.autolog(log_datasets=True)
x, y = load_iris(return_X_y=True)
with mlflow.start_run() as run:
    assert run.info.run_id == "calm_fox_1"
    model = LogisticRegression(max_iter=50).fit(x, y)
    accuracy_score(y, model.predict(x))
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"a": numpy.float32(0.5), "b": float("nan"), "c": float("inf")}, step=2)
    info = mlflow.sklearn.log_model(model, name="second", registered_model_name="iris")
    data = mlflow.data.from_pandas(pandas.DataFrame({"x": [1.0]}), name="frame")
    mlflow.log_metric("by_hand", 0.75, model_id=info.model_id, dataset=data)
    with mlflow.start_run(run_name="inner", nested=True) as inner:
        mlflow.log_metric("loss", 9.0)
    with open("note.txt", "w") as file:
        file.write("hello")
    mlflow.log_artifact("note.txt")
    client = mlflow.MlflowClient()
    print(json.dumps({
        "inside": client.get_run("calm_fox_1").data.metrics,
        "history": [point.value for point in client.get_metric_history("calm_fox_1", "loss")],
        "inner": inner.info.run_id,
        "model": info.model_id,
        "linked": {m.key: m.value for m in mlflow.get_logged_model(info.model_id).metrics},
        "found": list(mlflow.search_runs(search_all_experiments=True, filter_string="metrics.loss < 1")["run_id"]),
    }))
"""


def test_an_unmodified_script_with_autologging_lands_in_its_job_s_run(tracked: Layout, run_job: RunJob) -> None:
    printed = json.loads(run_job(JOB, FIT).splitlines()[-1])
    assert printed["history"] == [1 / (step + 1) for step in range(5)]
    assert printed["found"] == [JOB]
    assert printed["linked"]["by_hand"] == 0.75
    assert {"loss", "a", "b", "c", "by_hand", "training_accuracy_score"} <= set(printed["inside"])

    found = ingest_all(tracked)
    assert (found.malformed, found.dropped) == (0, 0)
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tracked.mlflow_database}")
    run = client.get_run(JOB)
    assert {key: repr(value) for key, value in run.data.metrics.items()} == {
        key: repr(value) for key, value in printed["inside"].items()
    }
    assert run.data.params["max_iter"] == "50"
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri == tracked.artifacts(JOB).as_uri()
    assert (tracked.artifacts(JOB) / "note.txt").read_text() == "hello"
    inner = client.get_run(printed["inner"])
    assert inner.data.metrics == {"loss": 9.0}
    assert inner.data.tags["mlflow.parentRunId"] == JOB
    assert inner.data.tags["workbench.job"] == JOB
    model = client.get_logged_model(printed["model"])
    assert {m.key: m.value for m in model.metrics or []} == printed["linked"]
    assert ("by_hand", 0.75, "frame", JOB) in [(m.key, m.value, m.dataset_name, m.run_id) for m in model.metrics or []]
    models = tracked.blobstore / "mlflow" / run.info.experiment_id / "models"
    assert (models / printed["model"] / "artifacts" / "MLmodel").is_file()
    # What autologging measured is linked to the model that it logged.
    auto = query(tracked, "SELECT DISTINCT metric_name FROM logged_model_metrics WHERE model_id != ?", printed["model"])
    assert ("training_accuracy_score",) in auto
    assert client.get_registered_model("iris").latest_versions[0].run_id == JOB
    with closing(runs.connect(tracked)) as connection:
        assert last_metrics(connection, JOB)["training_accuracy_score"] == run.data.metrics["training_accuracy_score"]


def test_mlflow_imports_without_a_word_and_knows_the_scheme(tracked: Layout, run_job: RunJob) -> None:
    """MLflow loads the entry point while it imports itself; a circle would end in a warning and no store."""
    code = """
import sys, warnings
warnings.simplefilter("error")
import workbench.journal
assert "mlflow" not in sys.modules
import mlflow
warnings.simplefilter("default")
from mlflow.tracking._tracking_service.utils import _tracking_store_registry
print(_tracking_store_registry._registry["workbench"].__module__, "sqlalchemy" in sys.modules)
print(type(mlflow.MlflowClient()._tracking_client.store).__name__)
"""
    assert run_job(JOB, code) == "workbench.journal False\nJournalStore\n"


LOG_MANY = """
import sys
import mlflow
run = mlflow.start_run()
sys.stdin.readline()
for step in range(int(sys.argv[1])):
    if step % 10:
        mlflow.log_metric("m" + sys.argv[2], step / 3, step=step)
    else:
        mlflow.log_metrics({"m" + sys.argv[2]: step / 3, "also": 1.0}, step=step)
    if step == 50:
        mlflow.log_param("p" + sys.argv[2], step)
"""


def test_six_processes_log_at_once_into_one_job_and_into_their_own(
    tracked: Layout, new_run: MakeRun, start_job: StartJob
) -> None:
    """Three processes share a journal, as a distributed job's do; all is ingested while they write."""
    new_run(JOB)
    jobs = [JOB, JOB, JOB, "other_1", "other_2", "other_3"]
    count = 1_500
    processes = [start_job(job, LOG_MANY, str(count), str(number)) for number, job in enumerate(jobs)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    malformed = 0
    while any(process.poll() is None for process in processes):
        malformed += sum(ingest_all(tracked, job).malformed for job in set(jobs))
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    malformed += sum(ingest_all(tracked, job).malformed for job in set(jobs))
    assert malformed == 0
    for number, job in enumerate(jobs):
        found = query(
            tracked, "SELECT step, value FROM metrics WHERE run_uuid = ? AND key = ? ORDER BY step", job, f"m{number}"
        )
        assert found == [(step, step / 3) for step in range(count)]
        assert query(tracked, "SELECT value FROM params WHERE run_uuid = ? AND key = ?", job, f"p{number}") == [("50",)]
    assert query(tracked, "PRAGMA integrity_check") == [("ok",)]


FORK = """
import os
import mlflow
mlflow.start_run()
client = mlflow.MlflowClient()
mlflow.log_metric("before", 1.0)
assert mlflow.get_run("calm_fox_1").data.metrics == {"before": 1.0}

def work(number):
    for step in range(300):
        client.log_metric("calm_fox_1", f"child{number}", step / 2, step=step)
    client.log_param("calm_fox_1", f"param{number}", number)
    assert len(client.get_metric_history("calm_fox_1", f"child{number}")) == 300
    os._exit(0)

children = []
for number in range(4):
    child = os.fork()
    if not child:
        work(number)
    children.append(child)
for step in range(300):
    mlflow.log_metric("parent", step, step=step)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
print(sorted(mlflow.get_run("calm_fox_1").data.metrics.items()))
"""


def test_forked_children_write_and_read_on(tracked: Layout, run_job: RunJob) -> None:
    expected = [("before", 1.0), *((f"child{number}", 149.5) for number in range(4)), ("parent", 299.0)]
    assert run_job(JOB, FORK).strip() == str(expected)
    assert ingest_all(tracked) == Progress(1 + 5 * 300, True)
    assert query(tracked, "SELECT count(*) FROM params") == [(4,)]


KILLED = """
import json, os, random, signal
import mlflow
from mlflow.entities import Metric
mlflow.start_run()
client = mlflow.MlflowClient()
chance = random.Random(5)
finished = []
for child in range(15):
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        step = 0
        while True:
            client.log_batch("calm_fox_1", [Metric(f"k{child}.{i}", step, 1, step) for i in range(300)])
            os.write(writer, b".")
            step += 1
    os.close(writer)
    done = sum(len(os.read(reader, 1)) for _ in range(1 + chance.randrange(20)))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    finished.append(done + len(os.read(reader, 100_000)))
    os.close(reader)
print(json.dumps(finished))
"""


def test_what_was_logged_before_a_kill_is_kept(tracked: Layout, run_job: RunJob) -> None:
    """Processes are killed while they write; each leaves at most one torn line, and the next writes on."""
    finished = json.loads(run_job(JOB, KILLED))
    found = ingest_all(tracked)
    assert found.malformed <= len(finished)
    for child, calls in enumerate(finished):
        counts = dict(
            query(tracked, "SELECT key, count(*) FROM metrics WHERE key GLOB ? AND step < ? GROUP BY key",
                  f"k{child}.*", calls)
        )  # fmt: skip
        assert len(counts) == 300
        assert set(counts.values()) == {calls}


FULL = """
import resource, sys
import mlflow
mlflow.start_run()
mlflow.log_metric("first", 1.0)
length = len(open("metrics.jsonl").read())
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (length + 20, hard))
for attempt in range(2):
    try:
        mlflow.log_metric("second", 2.0)
    except mlflow.MlflowException as error:
        print(error.message.rpartition(": ")[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
mlflow.log_metric("third", 3.0)
"""


def test_a_full_disk_is_said_and_costs_no_other_line(tracked: Layout, run_job: RunJob) -> None:
    """A limit on the file's size cuts a write short as a full disk does."""
    assert run_job(JOB, FULL) == "File too large\nFile too large\n"
    found = ingest_all(tracked)
    assert (found.rows, found.malformed) == (2, 1)
    assert {row[0] for row in query(tracked, "SELECT key FROM metrics")} == {"first", "third"}


LEFT_OPEN = """
import mlflow
with mlflow.start_run():
    mlflow.log_metric("loss", 1.0)
mlflow.start_run(run_name="second")
mlflow.start_run(run_name="inner", nested=True)
with mlflow.start_run(run_name="done", nested=True):
    pass
mlflow.log_metric("loss", 2.0)
print("logged", flush=True)
input()
"""


def test_a_killed_job_leaves_no_run_that_runs(tracked: Layout, start_job: StartJob, new_run: MakeRun) -> None:
    """Neither its own nor those that its process made; runs of other jobs stay as they are."""
    new_run("other_1")
    process = start_job(JOB, LEFT_OPEN)
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    process.kill()
    process.wait()
    assert ingest_all(tracked) == Progress(2, True)
    with closing(runs.connect(tracked)) as connection:
        runs.finish_run(connection, JOB, "KILLED", 5_000_000_000_000)
    found = query(tracked, "SELECT name, status, end_time = 5000000000000 FROM runs ORDER BY name")
    assert found == [
        (JOB, "KILLED", 1),
        ("done", "FINISHED", 0),
        ("inner", "KILLED", 1),
        ("other_1", "RUNNING", None),
        ("second", "KILLED", 1),
    ]
    plan = query(
        tracked,
        "EXPLAIN QUERY PLAN SELECT run_uuid FROM tags WHERE key = 'workbench.job' AND value = ?",
        JOB,
    )
    assert "workbench_runs_of_job" in str(plan)


ENDED_EARLY = """
import multiprocessing, sys
import mlflow
from sklearn.linear_model import LogisticRegression

def work():
    mlflow.log_metric("spawned", 1.0)

if __name__ == "__main__":
    mlflow.sklearn.autolog(log_models=False)
    for depth in (10, 20):
        LogisticRegression(max_iter=depth).fit([[0.0], [1.0], [2.0]], [0, 1, 1])
    assert mlflow.active_run() is None
    mlflow.log_metric("after", 1.0)
    mlflow.end_run()
    mlflow.log_param("also", "after")
    mlflow.end_run()
    for number in range(2):
        with mlflow.start_run(run_name=f"mine {number}"):
            mlflow.log_param("number", number)
            mlflow.log_metric("loss", number)
    child = multiprocessing.get_context("spawn").Process(target=work)
    child.start()
    child.join()
    mlflow.set_experiment("another")
    mlflow.log_metric("elsewhere", 1.0)
"""


def test_logging_without_a_run_goes_on_in_the_job_s_run(tracked: Layout, run_job: RunJob, tmp_path: Path) -> None:
    """After autologging has ended it, after ``end_run``, and in a child process; a run that is asked for is new."""
    (tmp_path / "train.py").write_text(ENDED_EARLY)
    run_job(JOB, "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')", str(tmp_path / "train.py"))
    ingest_all(tracked)
    with closing(runs.connect(tracked)) as connection:
        found = {str(row[0]): str(row[1]) for row in connection.execute("SELECT run_uuid, name FROM runs")}
        assert {"after", "spawned", "training_score"} <= set(last_metrics(connection, JOB))
        assert "loss" not in last_metrics(connection, JOB)
        params = runs.params(connection, JOB)
        assert (params["also"], params["max_iter"]) == ("after", "10")
        names = {name: runs.params(connection, run) for run, name in found.items() if run != JOB}
        assert (names["mine 0"], names["mine 1"]) == ({"number": "0"}, {"number": "1"})
        (second,) = (each for each in names.values() if "max_iter" in each)
        assert second["max_iter"] == "20"
        assert len(found) == 5
        elsewhere = connection.execute("SELECT run_uuid FROM metrics WHERE key = 'elsewhere'").fetchone()[0]
        assert elsewhere != JOB
        assert set(connection.execute("SELECT value FROM tags WHERE key = 'workbench.job'").fetchone()) == {JOB}
        assert connection.execute("SELECT status FROM runs WHERE run_uuid = ?", (JOB,)).fetchone()[0] == "FINISHED"


def test_the_asynchronous_way_and_spans(tracked: Layout, run_job: RunJob) -> None:
    """Logging in MLflow's background thread, and traces, which go to MLflow's store as they are."""
    code = """
import mlflow
mlflow.start_run()
for step in range(100):
    mlflow.log_metric("loss", step, step=step, synchronous=False)
mlflow.flush_async_logging()
assert mlflow.get_run("calm_fox_1").data.metrics == {"loss": 99.0}
with mlflow.start_span("work"):
    pass
mlflow.flush_trace_async_logging()
print(len(mlflow.search_traces(return_type="list")))
"""
    assert run_job(JOB, code) == "1\n"
    assert ingest_all(tracked).rows == 100


def test_the_plugin_serves_an_environment_without_workbench(tracked: Layout, new_run: MakeRun, tmp_path: Path) -> None:
    """A venv that has MLflow from elsewhere and neither our checkout nor our distribution."""
    new_run(JOB)
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (site / "elsewhere.pth").write_text("\n".join(packages))
    code = """
import importlib.util, workbench, mlflow
assert importlib.util.find_spec("store") is None, "the checkout is in the way"
mlflow.log_metric("loss", 0.5)
print(workbench.journal.__file__)
"""
    python = tmp_path / "venv" / "bin" / "python"
    ran = subprocess.run(
        [python, "-c", code], env=job_environment(tracked, JOB), cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()).is_relative_to(write_plugin(tracked.root / "plugin"))
    assert ingest_all(tracked).rows == 1
