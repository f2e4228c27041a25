"""What a failed job tells its user on the terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from engines.jobs.explain import explain
from engines.jobs.input_contents import Content
from engines.jobs.report import report
from store import snapshots
from store.jobs import Job
from store.layout import Layout
from tests.stored_jobs import stored_job

LOG = """epoch 1
epoch 2
Traceback (most recent call last):
  File "{work}/train.py", line 3, in <module>
    main()
  File "{work}/train.py", line 2, in main
    raise ValueError("loss is nan")
ValueError: loss is nan
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "ws").mkdir()
    return Layout(tmp_path / "ws")


def failed(layout: Layout, folder: Path, rate: float) -> tuple[Job, Job]:
    """A job that failed, and the one before it that did not."""
    code = folder / "src"
    code.mkdir()
    (code / "train.py").write_text("rate = 1\n")
    before = snapshots.take(code, layout).hash
    (code / "train.py").write_text('def main():\n    raise ValueError("loss is nan")\nmain()\n')
    after = snapshots.take(code, layout).hash
    file = folder / "job.yml"
    file.write_text("command: python train.py")
    document = {"command": "python train.py", "code": str(code), "inputs": {"rate": rate}}
    job = stored_job(document=document, snapshot=after, source={"file": str(file)})
    log = layout.job(job.name).log
    log.parent.mkdir(parents=True)
    log.write_text(LOG.format(work=layout.job(job.name).working_copy))
    cause = explain({"outcome": "exited", "exit_code": 1}, job, layout)
    job = stored_job(document=document, snapshot=after, source={"file": str(file)}, cause=cause.document())
    good = stored_job("calm_fox_1", id=1, document={**document, "inputs": {"rate": 0.1}}, snapshot=before)
    return job, good


def test_the_whole_report(layout: Layout, tmp_path: Path) -> None:
    job, good = failed(layout, tmp_path, rate=10.0)
    work = layout.job(job.name).working_copy
    told = "\n".join(report(job, good, layout, here=tmp_path))
    assert (
        told
        == f"""\
ValueError: loss is nan
    src/train.py:2, in main
        raise ValueError("loss is nan")

The last lines of its log:
  | epoch 1
  | epoch 2
  | Traceback (most recent call last):
  |   File "{work}/train.py", line 3, in <module>
  |     main()
  |   File "{work}/train.py", line 2, in main
  |     raise ValueError("loss is nan")
  | ValueError: loss is nan

calm_fox_1, the last job of 'iris' that completed, differs from this one:
  inputs.rate: 0.1 -> 10.0
  code: train.py changed (3 lines more, 1 line less)
      @@ -1 +1,3 @@
      -rate = 1
      +def main():
      +    raise ValueError("loss is nan")
      +main()

Next:
  workbench job stream brave_owl_1   the whole log
  workbench job show brave_owl_1     everything that is known of it
  workbench run job.yml              run its file again, as it is now"""
    )


def test_without_the_log_where_it_was_just_shown(layout: Layout, tmp_path: Path) -> None:
    job, _ = failed(layout, tmp_path, rate=1.0)
    told = "\n".join(report(job, None, layout, here=tmp_path, with_log=False))
    assert "epoch" not in told
    assert "job stream" not in told
    assert "workbench job show brave_owl_1" in told


def test_from_another_folder_paths_still_lead_there(layout: Layout, tmp_path: Path) -> None:
    job, _ = failed(layout, tmp_path, rate=1.0)
    assert f"    {tmp_path}/src/train.py:2, in main" in report(job, None, layout, here=Path("/usr/lib"))
    assert f"workbench run {tmp_path}/job.yml" in "\n".join(report(job, None, layout, here=Path("/usr/lib")))


def test_what_was_set_is_set_again(layout: Layout, tmp_path: Path) -> None:
    file = tmp_path / "job.yml"
    file.write_text("command: python train.py")

    def last_line(*overrides: str) -> str:
        source = {"file": str(file), "overrides": list(overrides)}
        return report(stored_job(source=source), None, layout, here=tmp_path)[-1]

    told = last_line("inputs.text=a b", "environment_variables.API_TOKEN=s3cret")
    assert "workbench run job.yml --set 'inputs.text=a b' --set environment_variables.API_TOKEN=..." in told
    assert "workbench job rerun brave_owl_1" in last_line(f"inputs.text={'x' * 200}")


def test_changed_data_is_told_in_words(layout: Layout) -> None:
    document = {"inputs": {"data": {"type": "uri_file", "path": "/data/a.csv"}}}
    job, good = (
        stored_job(document=document, source={"input_contents": {"data": asdict(Content(1, size, 1))}})
        for size in (998, 1204)
    )
    told = report(job, good, layout)
    assert "  inputs.data: same path, changed since: 1,204 bytes then, 998 bytes now" in told


def test_nothing_differs(layout: Layout) -> None:
    told = "\n".join(report(stored_job(), stored_job("old"), layout))
    assert "had the same inputs, command, environment and code" in told
    assert "workbench job rerun brave_owl_1" in told


def test_a_job_without_a_cause(layout: Layout) -> None:
    assert report(stored_job(), None, layout)[0] == "The job failed."


def test_an_exceptions_words_are_said_once_and_not_at_length(layout: Layout) -> None:
    said = {"type": "MemoryError", "message": f"Unable to allocate {'9' * 400} GiB"}
    cause = {"code": "memory", "message": f"Too much. {said['message']}", "exception": said}
    assert "MemoryError" not in "\n".join(report(stored_job(cause=cause), None, layout))
    cause["message"] = "Too much."
    shown = [line for line in report(stored_job(cause=cause), None, layout) if "999" in line]
    assert sum(map(len, shown)) < 310 and shown[-1].endswith("…")


def test_the_log_of_the_process_that_failed(layout: Layout) -> None:
    job = stored_job()
    folder = layout.job(job.name)
    logs = [folder.user_logs / "std_log_process_0.txt", folder.user_logs / "std_log_process_1.txt"]
    folder.user_logs.mkdir(parents=True)
    for number, log in enumerate(logs):
        log.write_text(f"from {number}\n")
    task = {"processes": [{"log": str(log)} for log in logs]}
    folder.attempt(1).mkdir(parents=True)
    (folder.attempt(1) / "task.json").write_text(json.dumps(task))
    cause = explain({"outcome": "exited", "exit_code": 1, "failed_process": 1}, job, layout)
    assert cause.log_tail == ["from 1"]
    assert cause.message.startswith("Process 1 of 2")


def test_the_tracking_server_is_no_process_of_the_job(layout: Layout) -> None:
    job = stored_job()
    folder = layout.job(job.name)
    for log in (folder.log, folder.tracking_log):
        log.parent.mkdir(parents=True)
        log.write_text(f"from {log.name}\n")
    folder.attempt(1).mkdir(parents=True)
    task = {"processes": [{"log": str(folder.log)}, {"log": str(folder.tracking_log)}]}
    (folder.attempt(1) / "task.json").write_text(json.dumps(task))
    theirs, ours = (
        explain({"outcome": "exited", "exit_code": 1, "failed_process": rank}, job, layout) for rank in (0, 1)
    )
    assert (theirs.message.partition(" left")[0], theirs.log_tail) == ("The job", ["from std_log.txt"])
    assert ours.message.startswith("The job's tracking server left with exit code 1")
    assert ours.log_tail == ["from tracking_server.log"]
