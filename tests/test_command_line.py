"""What every command keeps to: streams, colours, exit codes, forms of output, completion."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engines.jobs.submission import Submission, submit
from store import database, jobs
from store import workspace as workspaces
from store.layout import Layout
from tests.conftest import ROOT, Cli
from workbench.cli import output

Shell = Callable[[str], subprocess.CompletedProcess[str]]
Terminal = Callable[..., str]


@pytest.fixture
def shell(layout: Layout, tmp_path: Path) -> Shell:
    """Run a line of bash, in which ``$workbench`` is the program."""
    program = f"{shlex.quote(sys.executable)} -m workbench.cli.main"

    def run(line: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "WORKBENCH_WORKSPACE": str(layout.root), "workbench": program}
        return subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path
        )

    return run


@pytest.fixture
def terminal(layout: Layout) -> Terminal:
    """Run ``workbench ...`` on a terminal of 80 columns; what it wrote there."""

    def run(*arguments: str, **variables: str) -> str:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli.main", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root), "TERM": "xterm-256color", **variables},
        )
        os.close(theirs)
        written = b""
        try:
            while data := os.read(ours, 65536):
                written += data
        except OSError:  # Linux's way of saying that the other side is closed
            pass
        os.close(ours)
        assert process.wait(60) in (0, 1, 2)
        return written.decode().replace("\r\n", "\n")

    return run


@pytest.fixture
def some_jobs(layout: Layout) -> list[str]:
    """Jobs that ended, without an agent."""
    connection = database.connect(layout.database)
    made = []
    for status, cause in (("Completed", "completed"), ("Canceled", "canceled"), ("Failed", "exception")):
        document = {"type": "command", "command": "echo [bold]", "experiment_name": "mnist"}
        name = submit(connection, layout, Submission(document, "d.yml"))
        with database.write(connection):
            now = time.time()
            jobs.record(
                connection, name, status, started_at=now - 75, ended_at=now, cause={"code": cause, "message": "m"}
            )
        made.append(name)
    return made


def test_streams_that_the_parent_closed_do_no_harm(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: echo line\n")
    assert shell("$workbench run job.yml 2>&-").stdout == "line\n"
    for line in ("$workbench run job.yml >&-", "$workbench run job.yml <&- >&- 2>&-", "$workbench job list >&-"):
        done = shell(line)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "Traceback" not in done.stderr
    assert shell("$workbench doctor -o json --query \"[?level=='error']\"").stdout == "[]\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has /dev/full")
def test_a_full_disk_behind_stdout_is_said_and_the_job_goes_on(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: echo line\n")
    done = shell("$workbench run job.yml --name mine >/dev/full")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr and "workbench job stream mine" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert shell("$workbench job stream mine").stdout == "line\n"
    done = shell("$workbench job list >/dev/full")
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


def test_nobody_reading_stderr_changes_no_outcome(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "job.yml").write_text(f"command: echo one; cat {tmp_path}/gate\n")
    done = shell("{ $workbench run job.yml 2>&3; echo $? >code; } 3> >(head -n 1 >first; echo two >gate)")
    assert done.stdout == "one\ntwo\n"
    assert (tmp_path / "code").read_text() == "0\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has /dev/full")
def test_a_full_disk_behind_stderr_changes_no_outcome(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: echo line\n")
    done = shell("$workbench run job.yml 2>/dev/full")
    assert (done.returncode, done.stdout) == (0, "line\n")


def test_a_job_that_another_cancels_is_no_interruption(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "job.yml").write_text(f"command: echo >{tmp_path}/gate; sleep 60\n")
    done = shell("$workbench run job.yml --name mine & cat gate; $workbench job cancel mine; wait $!")
    assert done.returncode == 1
    assert "mine Canceled" in done.stderr


def test_ctrl_c_at_the_terminal_does_not_reach_a_run_in_the_background(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    os.mkfifo(tmp_path / "begun")
    (tmp_path / "job.yml").write_text(f"command: echo >{tmp_path}/begun; cat {tmp_path}/gate\n")
    done = shell("$workbench run job.yml & cat begun; kill -INT $!; echo through >gate; wait $!")
    assert (done.returncode, done.stdout.strip()) == (0, "through"), done.stderr


def test_a_folder_up_the_tree_becomes_the_workspace(tmp_path: Path) -> None:
    (tmp_path / ".workbench").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert workspaces.locate(None, tmp_path / "a" / "b").layout.root == (tmp_path / ".workbench").resolve()
    (tmp_path / "a" / ".workbench").mkdir()
    (tmp_path / "a" / ".workbench" / "settings.ini").touch()
    assert workspaces.locate(None, tmp_path / "a" / "b").layout.root == (tmp_path / ".workbench").resolve()
    workspaces.create(Layout(tmp_path / "a" / "b" / ".workbench"), {"name": "near"}, lambda _: None)
    found = workspaces.locate(None, tmp_path / "a" / "b")
    assert (found.layout.root, found.origin) == ((tmp_path / "a" / "b" / ".workbench").resolve(), "folder")


def test_no_colour_where_none_is_wanted(terminal: Terminal, tmp_path: Path, some_jobs: list[str]) -> None:
    (tmp_path / "job.yml").write_text("command: 'true'\n")
    commands = (["run", str(tmp_path / "job.yml")], ["job", "list"], ["job", "show", some_jobs[0]], ["doctor"])
    for arguments in commands:
        assert "\x1b[" in terminal(*arguments)
        assert "\x1b[" not in terminal(*arguments, NO_COLOR="1")
        assert "\x1b[" not in terminal(*arguments, TERM="dumb")


def test_the_list_of_jobs_fits_80_columns(terminal: Terminal, some_jobs: list[str]) -> None:
    lines = terminal("job", "list", NO_COLOR="1").splitlines()
    assert len(lines) == 1 + len(some_jobs), "a row takes one line"
    assert lines[0].split() == ["name", "status", "experiment", "duration", "age", "cause"]
    assert max(map(len, lines)) <= 80
    assert lines[1].endswith(" exception")


def test_what_users_wrote_is_no_markup(terminal: Terminal, some_jobs: list[str]) -> None:
    assert "echo [bold]" in terminal("job", "show", some_jobs[0])


def test_json_holds_no_numbers_that_json_does_not_know() -> None:
    value = {"a": float("nan"), "b": [float("inf"), {"c": -float("inf")}], "d": 0.5, "e": None}
    text = output.as_json(value)
    read = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert read == {"a": "NaN", "b": ["Infinity", {"c": "-Infinity"}], "d": 0.5, "e": None}


def test_a_single_value_is_itself_in_every_form_for_scripts(cli: Cli, some_jobs: list[str]) -> None:
    printed = {
        form: cli("job", "show", some_jobs[0], "--query", "status", "-o", form).stdout
        for form in ("json", "yaml", "tsv", "table")
    }
    assert printed == {"json": '"Completed"\n', **dict.fromkeys(("yaml", "tsv", "table"), "Completed\n")}


def test_the_keys_of_jobs_are_those_of_the_documentation(cli: Cli, some_jobs: list[str]) -> None:
    text = (ROOT / "docs" / "jobs.md").read_text().partition("## What `-o json` holds")[2]
    of_list, of_show = (
        {key for cell in re.findall(r"^\| (`[^|]+`) \|", part, re.MULTILINE) for key in re.findall(r"`(\w+)`", cell)}
        for part in text.split("`job show -o json` has these")
    )
    assert set(json.loads(cli("job", "list").stdout)[0]) == of_list
    assert set(json.loads(cli("job", "show", some_jobs[0]).stdout)) == of_list | of_show | {"command"}


def test_the_cause_has_one_shape_everywhere(cli: Cli, some_jobs: list[str]) -> None:
    listed = {each["name"]: each["cause"] for each in json.loads(cli("job", "list").stdout)}
    assert listed[some_jobs[2]] == {"code": "exception", "message": "m", "hint": None, "exception": None}
    for name in some_jobs:
        assert json.loads(cli("job", "show", name).stdout)["cause"] == listed[name]
        assert json.loads(cli("job", "explain", name).stdout)["cause"] == listed[name]


def test_an_explanation_is_text_on_a_terminal_and_else_data(
    cli: Cli, terminal: Terminal, layout: Layout, some_jobs: list[str]
) -> None:
    completed, _, failed = some_jobs
    log = layout.job(failed).log
    log.parent.mkdir(parents=True)
    log.write_text("epoch 1\n")
    with database.write(connection := database.connect(layout.database)):
        document = json.dumps({"type": "command", "command": "echo other", "experiment_name": "mnist"})
        connection.execute("UPDATE job SET document = ? WHERE name = ?", (document, failed))
    told = json.loads(cli("job", "explain", failed).stdout)
    assert told == json.loads(cli("job", "explain", failed, "-o", "json").stdout)
    assert (told["name"], told["status"], told["cause"]["code"]) == (failed, "Failed", "exception")
    assert (told["log_file"], told["log_tail"], told["last_completed"]) == (str(log), ["epoch 1"], completed)
    assert told["differences"] == [
        {"section": "command", "name": "", "before": "echo [bold]", "after": "echo other", "lines": []}
    ]
    assert told["next_commands"][-1] == {"command": f"workbench job rerun {failed}", "purpose": "run it again"}
    assert cli("job", "explain", failed, "--query", "cause.code", "-o", "tsv").stdout == "exception\n"
    for shown in (terminal("job", "explain", failed), cli("job", "explain", failed, "-o", "table").stdout):
        assert shown.startswith("m\n") and "command: echo [bold] -> echo other" in shown
    documented = (ROOT / "docs" / "jobs.md").read_text().partition("## When it fails")[2].partition("A `cause`")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", documented, re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(told)


def test_validate_says_a_thing_once_on_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: 'true'\n")
    assert terminal("job", "validate", str(tmp_path / "job.yml")).count("requires an `environment`") == 1


def test_a_file_in_place_of_a_command(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: 'true'\n")
    done = shell("$workbench job.yml")
    assert done.returncode == 2
    assert "workbench run job.yml" in done.stderr
    assert "'job'" in shell("$workbench jbo").stderr


def test_workspaces_are_found_by_the_names_that_they_were_given(cli: Cli, tmp_path: Path) -> None:
    for place in ("one", "two"):
        assert cli("workspace", "create", tmp_path / place, "--name", "sharedname").returncode == 0
    done = cli("workspace", "show", "--name", "sharedname")
    assert done.returncode == 4 and str(tmp_path / "two") in done.stderr
    assert cli("workspace", "delete", tmp_path / "two", "--yes").returncode == 0
    shown = json.loads(cli("workspace", "show", "--name", "sharedname").stdout)
    assert shown["path"] == str(tmp_path / "one")
    assert shown["creation_time"].endswith("Z")
    assert cli("workspace", "delete", "--name", "sharedname", "--yes").returncode == 0
    assert not (tmp_path / "one").exists()
    assert cli("workspace", "show", "--name", "sharedname").returncode == 3


def test_a_question_that_nobody_can_answer_names_the_option(shell: Shell) -> None:
    assert shell("$workbench compute create --name pool").returncode == 0
    done = shell("$workbench compute delete pool </dev/null")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert shell("echo n | $workbench compute delete pool").returncode == 2
    assert shell("echo y | $workbench compute delete pool").returncode == 0


def test_an_environment_of_a_version_that_is_not_there(cli: Cli) -> None:
    assert cli("environment", "show", "sklearn-1.5").returncode == 0
    done = cli("environment", "show", "sklearn-1.5", "--version", "99")
    assert done.returncode == 3
    assert "'sklearn-1.5' of version '99'" in done.stderr


def test_a_curated_environment_is_data_like_any_other(cli: Cli) -> None:
    assert json.loads(cli("environment", "show", "sklearn-1.5", "--query", "dependencies[0]").stdout)
    assert "('" not in cli("environment", "show", "sklearn-1.5", "-o", "table").stdout


def test_words_of_an_option_in_any_case_and_the_nearest_one(cli: Cli, some_jobs: list[str]) -> None:
    assert len(json.loads(cli("job", "list", "--status", "completed", "-o", "JSON").stdout)) == 1
    assert "NotStarted|Queued|" in cli("job", "list", "--help").stdout
    done = cli("job", "list", "--status", "Compelted")
    assert done.returncode == 2
    assert "Did you mean 'Completed'?" in done.stderr


def test_an_input_that_set_adds_and_nothing_names_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "d.yml").write_text("command: echo ${{inputs.epochs}}\ninputs: {epochs: 1, unused: 2}\n")
    done = cli("job", "validate", tmp_path / "d.yml", "--set", "inputs.epoch=3", "--set", "inputs.unused=3")
    assert done.returncode == 0
    assert "--set:1:14: inputs.epoch: a new input, which the command does not name" in done.stderr
    assert "did you mean 'epochs'? The document has: epochs, unused" in done.stderr
    assert "inputs.unused" not in done.stderr
    named = cli("job", "validate", tmp_path / "d.yml", "--set", "command=echo ${{inputs.x}}", "--set", "inputs.x=3")
    assert "new input" not in named.stderr


def test_a_shortened_list_says_so_on_a_terminal(terminal: Terminal, some_jobs: list[str]) -> None:
    assert "and older ones: --max-results 4 shows more" in terminal("job", "list", "--max-results", "2")
    assert "older" not in terminal("job", "list", "--max-results", "3")


def test_validate_tells_what_stands_in_for_an_environment(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "d.yml").write_text("command: a\nenvironment: azureml:sklearn-1.5:99\n")
    assert "in place of Azure ML's version 99" in cli("job", "validate", tmp_path / "d.yml").stderr


def test_validate_tells_where_azure_ml_has_a_curated_environment(cli: Cli, tmp_path: Path) -> None:
    def told(environment: str) -> list[str]:
        (tmp_path / "d.yml").write_text(f"command: a\ncompute: local\nenvironment: {environment}\n")
        notes = json.loads(cli("job", "validate", tmp_path / "d.yml").stdout)
        return [note["hint"] for note in notes if note["path"] == "environment"]

    address = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
    assert told("azureml:sklearn-1.5@latest") == [f"Write {address}, the same in both."]
    assert told(address) == []
    (tmp_path / "e.yml").write_text("name: sklearn-1.5\nimage: i\nconda_file: {dependencies: [pip]}\n")
    assert cli("environment", "create", "-f", tmp_path / "e.yml").returncode == 0
    assert told("azureml:sklearn-1.5@latest") == []


def test_completion_offers_what_there_is(shell: Shell, some_jobs: list[str]) -> None:
    def offered(line: str) -> list[str]:
        words = len(line.split(" ")) - 1
        variables = f"_WORKBENCH_COMPLETE=bash_complete COMP_WORDS={shlex.quote(line)} COMP_CWORD={words}"
        done = shell(f"{variables} $workbench")
        assert done.stderr == ""
        return [each.partition(",")[2] for each in done.stdout.splitlines()]

    assert offered("workbench comp") == ["compute", "completion"]
    assert offered("workbench job st") == ["stream"]
    assert sorted(offered("workbench job show ")) == sorted(some_jobs)
    assert offered(f"workbench job stream --name {some_jobs[0][:-1]}") == [some_jobs[0]]
    assert offered("workbench compute show ") == ["local"]
    assert offered("workbench schema job.") == ["job.command"]
    assert offered("workbench job list --status c") == ["CancelRequested", "Canceled", "Completed"]
    assert offered("workbench environment show skl") == ["sklearn-1.5"]
    assert "complete -o" in shell('eval "$($workbench completion bash)"; complete -p workbench').stdout
