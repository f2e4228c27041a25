"""Accepting a job: what is refused leaves no trace, and what is accepted is whole, also when two want one name."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from engines.jobs import submission, submitted
from engines.jobs.submission import Submission
from store import database, jobs
from store.errors import ConflictError, DocumentError, MachineError
from store.layout import Layout
from tests.conftest import Cli
from workbench.agent import start
from workbench.cli.main import exit_code
from workbench.cli.options import Session
from workbench.cli.submitting import submit, submit_again

CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted((Path(__file__).parent / "specs" / "data" / "broken").glob("*.yml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def of_kind(*kinds: str) -> list[Any]:
    """The broken documents of some kinds."""
    return [case for case in CASES if case.values[0].get("kind", "job").partition(".")[0] in kinds]


NEEDS_THE_WORKSPACE = {
    "a compute that is not there": "command: echo\ncompute: cpu-cluster\n",
    "more instances than there is room for": "command: echo\nresources: {instance_count: 99999}\n",
    "an environment that is not there": "command: echo\nenvironment: azureml:nothing@latest\n",
    "a parent that is not there": "command: echo\nparent_job_name: nobody\n",
    "an input that is not there": "command: echo\ninputs: {d: {type: uri_file, path: nowhere.csv}}\n",
    "an input with a name that cannot be": f"command: echo\ninputs: {{d: {{type: uri_file, path: {'a' * 300}}}}}\n",
    "an input that is a device": "command: echo\ninputs: {d: {type: uri_file, path: /dev/null}}\n",
    "code of another machine": "command: echo\ncode: git+https://example.org/r\n",
    "code that is an asset": "command: echo\ncode: azureml:c:1\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "documents"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text("print(1)\n")
    (folder / "iris.csv").write_text("1,2\n")
    (folder / "conda.yml").write_text("dependencies: [pip]\n")
    (folder / "environment.yml").write_text("name: e\nimage: ubuntu\n")
    (folder / "bad-environment.yml").write_text("name: e\nimge: ubuntu\n")
    monkeypatch.chdir(folder)
    return folder


def traces(layout: Layout) -> dict[str, str]:
    """Every file of a workspace by its content, the databases by theirs: a journal that comes and goes is no trace."""
    found = {}
    for path in sorted(layout.root.rglob("*")):
        name = str(path.relative_to(layout.root))
        if path.is_dir():
            found[name] = "folder"
        elif ".db" not in path.name:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for file in (layout.database, layout.mlflow_database):
        connection = database.open_unchecked(file)
        found[file.name] = hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()
        connection.close()
    return found


@pytest.mark.parametrize("case", of_kind("job"))
def test_a_broken_document_leaves_no_trace(case: dict[str, Any], folder: Path, layout: Layout) -> None:
    (folder / "d.yml").write_text(case["document"], encoding="utf-8")
    before = traces(layout)
    with pytest.raises(DocumentError):
        submit(Session(str(layout.root)), Path("d.yml"), case.get("set", ()), **case.get("flags", {}))
    assert traces(layout) == before


@pytest.mark.parametrize("case", of_kind("compute", "environment"))
def test_a_broken_compute_or_environment_leaves_no_trace(case: dict[str, Any], folder: Path, layout: Layout) -> None:
    (folder / "d.yml").write_text(case["document"], encoding="utf-8")
    before = traces(layout)
    overrides = [f"--set={override}" for override in case.get("set", ())]
    noun = case["kind"].partition(".")[0]
    assert exit_code(["--workspace", str(layout.root), noun, "create", "--file", "d.yml", *overrides]) == 2
    assert traces(layout) == before


@pytest.mark.parametrize("case", of_kind("workspace"))
def test_a_broken_workspace_is_not_made(case: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    (folder / "d.yml").write_text(case["document"], encoding="utf-8")
    assert exit_code(["workspace", "create", str(tmp_path / "new"), "--file", "d.yml"]) == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("document", NEEDS_THE_WORKSPACE.values(), ids=NEEDS_THE_WORKSPACE)
def test_a_document_that_does_not_fit_the_workspace_leaves_no_trace(
    document: str, folder: Path, layout: Layout
) -> None:
    (folder / "d.yml").write_text("code: src\n" + document)
    before = traces(layout)
    with pytest.raises(DocumentError):
        submit(Session(str(layout.root)), Path("d.yml"), ())
    assert traces(layout) == before


@pytest.mark.parametrize("document", NEEDS_THE_WORKSPACE.values(), ids=NEEDS_THE_WORKSPACE)
def test_a_document_that_fits_no_new_workspace_makes_none(document: str, folder: Path, tmp_path: Path) -> None:
    (folder / "d.yml").write_text(document)
    with pytest.raises(DocumentError):
        submit(Session(str(tmp_path / "new")), Path("d.yml"), ())
    assert not (tmp_path / "new").exists()


def test_faults_of_the_dialect_and_of_the_workspace_come_together(folder: Path, layout: Layout) -> None:
    (folder / "d.yml").write_text(
        "command: echo ${{inputs.x}} ${{inputs.bad}}\n"
        "bogus: 1\n"
        "compute: nope\n"
        "limits: {timeout: soon}\n"
        "inputs:\n"
        "  d: {type: uri_file, path: none.csv}\n"
        "  good: {type: uri_file, path: iris.csv}\n"
        "  bad: {type: uri_fil, path: iris.csv}\n"
    )
    with pytest.raises(DocumentError) as caught:
        submit(Session(str(layout.root)), Path("d.yml"), ())
    assert [(fault.line, fault.path) for fault in caught.value.faults] == [
        (1, "command"),
        (2, "bogus"),
        (3, "compute"),
        (4, "limits.timeout"),
        (6, "inputs.d.path"),
        (8, "inputs.bad.type"),
    ]


def test_commands_that_read_make_no_workspace(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (folder / "d.yml").write_text("command: echo\ninputs: {d: {type: uri_file, path: nowhere.csv}}\n")
    elsewhere = {"WORKBENCH_WORKSPACE": str(tmp_path / "new")}
    listed = json.loads(cli("compute", "list", env=elsewhere).stdout)
    assert [compute["name"] for compute in listed] == ["local"]
    assert json.loads(cli("compute", "show", "local", env=elsewhere).stdout)["type"] == "local"
    assert "sklearn-1.5" in cli("environment", "list", env=elsewhere).stdout
    assert cli("environment", "show", "sklearn-1.5", env=elsewhere).returncode == 0
    assert "nowhere.csv" in cli("job", "validate", "d.yml", env=elsewhere).stderr
    assert not (tmp_path / "new").exists()


def test_of_many_that_want_one_name_one_has_it_with_its_own_environment(
    folder: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Submission({"type": "command", "command": "echo", "name": "mine"}, "d.yml")

    def attempt(_: int) -> str | None:
        try:
            return submission.submit(database.connect(layout.database), layout, wanted)
        except ConflictError:
            return None

    monkeypatch.setenv("http_proxy", "http://proxy.invalid")
    with ThreadPoolExecutor(8) as pool:
        accepted = [name for name in pool.map(attempt, range(24)) if name]
    assert accepted == ["mine"]
    kept = json.loads(layout.job("mine").submitted_environment.read_text())
    assert kept["http_proxy"] == "http://proxy.invalid"


def test_a_name_taken_in_the_last_moment_costs_its_owner_nothing(folder: Path, layout: Layout) -> None:
    connection = database.connect(layout.database)
    wanted = Submission({"type": "command", "command": "echo", "name": "mine"}, "d.yml")
    checked = submission.check(connection, layout, wanted)
    code = submission.Code(None, None)
    submission.accept(connection, layout, wanted, checked, code, "mine")
    kept = layout.job("mine").submitted_environment.read_text()
    os.environ["LC_LATER"] = "x"
    try:
        with pytest.raises(ConflictError):
            submission.accept(connection, layout, wanted, checked, code, "mine")
    finally:
        del os.environ["LC_LATER"]
    assert layout.job("mine").submitted_environment.read_text() == kept


def test_a_job_that_cannot_be_written_leaves_nothing(folder: Path, layout: Layout) -> None:
    (layout.jobs / "mine").write_text("in the way of its folder")
    wanted = Submission({"type": "command", "command": "echo", "name": "mine"}, "d.yml")
    with pytest.raises(MachineError, match="mine"):
        submission.submit(database.connect(layout.database), layout, wanted)
    assert not jobs.exists(database.connect(layout.database), "mine")


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    return subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def test_a_rerun_tells_the_commit_that_its_code_came_from(folder: Path, layout: Layout) -> None:
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    first = git("rev-parse", "HEAD")
    (folder / "d.yml").write_text("command: python train.py\ncode: src/train.py\n")
    session = Session(str(layout.root))
    name = submit(session, Path("d.yml"), ())
    (folder / "src" / "train.py").write_text("print(2)\n")
    git("commit", "-qam", "two")
    again = submit_again(session, jobs.get(session.connection, name), ())
    anew = submit_again(session, jobs.get(session.connection, name), (f"code={folder}/src",))
    commits = [jobs.get(session.connection, each).source["git"]["commit"] for each in (name, again, anew)]
    assert commits == [first, first, git("rev-parse", "HEAD")]


@pytest.mark.parametrize("key", ["plain", "k.x", 'q"u', "[0]", "$"])
def test_any_tag_can_be_looked_for(folder: Path, layout: Layout, key: str) -> None:
    connection = database.connect(layout.database)
    document = {"type": "command", "command": "echo", "name": "tagged", "tags": {key: "v"}}
    submission.submit(connection, layout, Submission(document, "d.yml"))
    for tags, found in (({key: "v"}, 1), ({key: None}, 1), ({key: "w"}, 0), ({"other": None}, 0)):
        assert len(jobs.find(connection, jobs.Filter(tags=tags), 10)) == found


def test_a_parent_that_the_document_names_has_the_job_as_its_child(folder: Path, layout: Layout) -> None:
    connection = database.connect(layout.database)
    parent = submission.submit(connection, layout, Submission({"type": "command", "command": "echo"}, "d.yml"))
    document = {"type": "command", "command": "echo", "parent_job_name": parent}
    child = submission.submit(connection, layout, Submission(document, "d.yml"))
    assert [job.name for job in jobs.find(connection, jobs.Filter(parent_job_name=parent), 10)] == [child]


def test_what_goes_with_a_job_is_on_the_disk_before_the_job_is_accepted(
    folder: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut leaves no accepted job without its code or its variables."""
    steps: list[str | tuple[int, int]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        status = os.fstat(descriptor)
        steps.append((status.st_dev, status.st_ino))

    monkeypatch.setattr(os, "fsync", watched)
    (folder / "job.yml").write_text("command: python train.py\ncode: src\n")
    session = Session(str(layout.root))
    session.connection.set_trace_callback(steps.append)
    name = submit(session, folder / "job.yml", ())
    session.connection.set_trace_callback(None)
    flushed = steps[: steps.index("COMMIT")]
    snapshot = layout.snapshots / str(jobs.get(session.connection, name).snapshot)
    files = (*snapshot.rglob("*"), layout.job(name).submitted_environment)
    folders = (snapshot, layout.snapshots, layout.filestore, layout.job(name).root, layout.jobs)
    assert [path for path in (*files, *folders) if (path.stat().st_dev, path.stat().st_ino) not in flushed] == []


KILLED = """
import os, signal, sys
from pathlib import Path
from engines.jobs import submitted
from store import database, jobs
from store.layout import Layout

layout = Layout(Path(sys.argv[1]))

def keep(name):
    submitted.keep(layout, name, {"SECRET": "s"})
    os.kill(os.getpid(), signal.SIGKILL)

jobs.submit(database.connect(layout.database), jobs.NewJob({"command": "true"}, {}, "local", name="killed"), keep)
"""


@pytest.fixture
def killed(layout: Layout) -> Path:
    """The folder that a submitter left when it was killed between its variables and its job."""
    done = subprocess.run([sys.executable, "-c", KILLED, layout.root])
    assert done.returncode == -signal.SIGKILL
    assert layout.job("killed").submitted_environment.exists()
    return layout.job("killed").root


def test_an_agent_clears_what_a_killed_submitter_left(layout: Layout, killed: Path) -> None:
    (layout.jobs / "notes").mkdir()
    (layout.jobs / "notes" / "mine.txt").touch()
    start.ensure(layout)
    deadline = time.monotonic() + 20
    while "cleared what was left of job killed" not in layout.agent_log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not killed.exists()
    assert (layout.jobs / "notes" / "mine.txt").exists(), "it is somebody's"


def test_the_variables_of_a_submission_under_way_are_not_cleared(layout: Layout, killed: Path) -> None:
    mine, another = database.connect(layout.database), database.connect(layout.database)
    seen: list[str] = []

    def keep(name: str) -> None:
        submitted.keep(layout, name, {"LENT": "yes"})
        seen.extend(submitted.orphans(another, layout))

    jobs.submit(mine, jobs.NewJob({"command": "true"}, {}, "local", name="slow"), keep)
    assert sorted(seen) == ["killed", "slow"]
    assert submitted.clear(another, layout, seen) == ["killed"]
    assert layout.job("slow").submitted_environment.exists()
