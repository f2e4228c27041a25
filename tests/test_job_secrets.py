"""A job has the secrets that its document asks for; they are nowhere else, and what goes wrong with them is said."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from store import database, jobs
from store.layout import Layout
from store.vault import open_vault
from tests.conftest import Cli
from tests.test_run import wait_for, write
from workbench.agent import lock

PLANTED = "pl4nted/s3cret+value=9f2c \"q\" 'x'"
SPELLINGS = tuple(
    each.encode()
    for each in (
        PLANTED,
        PLANTED[:14],
        quote(PLANTED),
        quote(PLANTED, safe=""),
        json.dumps(PLANTED)[1:-1],
        base64.b64encode(PLANTED.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(PLANTED.encode()).decode().rstrip("="),
        PLANTED.encode().hex(),
    )
)

ASKS = r"""
name: asks
command: |
  python - <<'END'
  import hashlib, os, pathlib, time
  print(hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest(), os.environ["URL"] == f"db://u:{os.environ['TOKEN']}@h")
  pathlib.Path("../ready").touch()
  while not pathlib.Path("../go").exists():
      time.sleep(0.01)
  END
environment_variables:
  TOKEN: ${{secrets.TOKEN}}
  URL: db://u:${{ secrets.TOKEN }}@h
"""
HEEDLESS = "name: heedless\ncommand: env"


def holders(root: Path) -> list[str]:
    """The files below a folder in which the secret can be read, in any spelling."""
    files = [file for file in root.rglob("*") if file.is_file() and not file.is_symlink()]
    return [str(file.relative_to(root)) for file in files if any(each in file.read_bytes() for each in SPELLINGS)]


def processes() -> Iterator[tuple[int, bytes, bytes]]:
    """Number, arguments and environment of every process that may be looked at."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue


def plant(layout: Layout, name: str = "TOKEN", value: str = PLANTED) -> None:
    open_vault(layout).set(name, value)


@pytest.mark.slow
def test_a_planted_secret_is_found_nowhere(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    """In no file of the workspace, in no output, in no process but those of the job that asked."""
    plant(layout)
    key = next((Path(os.environ["XDG_CONFIG_HOME"]) / "workbench" / "keys").glob("*.key")).read_bytes().strip()
    said = []

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        done = cli(*words)
        said.append(done.stdout + done.stderr)
        return done

    file = write(tmp_path, ASKS)
    assert run("job", "validate", file).returncode == 0
    assert run("run", file, "--detach").returncode == 0
    folder = layout.job("asks")
    wait_for((folder.root / "ready").exists)
    agent = lock.holder(layout)
    assert agent is not None
    assert holders(layout.root) == []
    seen = list(processes())
    assert not [pid for pid, arguments, _ in seen if any(each in arguments for each in SPELLINGS)]
    having = {pid for pid, _, environment in seen if any(each in environment for each in SPELLINGS)}
    of_the_job = {pid for pid, _, environment in seen if b"WORKBENCH_JOB=asks\0" in environment}
    assert having
    assert having <= of_the_job
    assert agent.pid not in having
    assert run("run", write(tmp_path, HEEDLESS, "heedless.yml")).returncode == 0
    (folder.root / "go").touch()
    streamed = run("job", "stream", "asks")
    assert streamed.stdout == f"{hashlib.sha256(PLANTED.encode()).hexdigest()} True\n"
    for words in (
        ("job", "show", "asks"), ("job", "show", "asks", "-o", "table"), ("job", "list"), ("job", "explain", "asks"),
        ("job", "show", "heedless"), ("secret", "list"), ("agent", "logs"), ("doctor",), ("runs", "search", ""),
        ("workspace", "show"), ("job", "rerun", "asks", "--set", "command=true", "--stream"),
    ):  # fmt: skip
        run(*words)
    with closing(sqlite3.connect(layout.database)) as source, closing(sqlite3.connect(layout.root / "b.db")) as backup:
        source.backup(backup)
    assert holders(layout.root) == []
    assert not [file for file in layout.root.rglob("*") if file.is_file() and key in file.read_bytes()]
    assert not any(each.decode() in text for text in said for each in SPELLINGS)
    document = json.loads(run("job", "show", "asks").stdout)
    assert document["environment_variables"] == {
        "TOKEN": "${{secrets.TOKEN}}",
        "URL": "db://u:${{ secrets.TOKEN }}@h",
    }


FAILS = """
name: fails
command: python -c "import os; raise ValueError('401 for ' + os.environ['T'] + ' ' + 'x' * 200 + os.environ['T'])"
environment_variables: {T: '${{secrets.TOKEN}}'}
"""


def test_what_a_failed_job_says_of_its_secret_is_in_its_log_alone(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout)
    done = cli("run", write(tmp_path, FAILS))
    assert done.returncode == 1
    assert PLANTED in done.stdout, "the job's own lines are as it wrote them"
    assert PLANTED[:14] not in done.stderr
    cause = json.loads(cli("job", "show", "fails").stdout)["cause"]
    assert cause["exception"]["message"] == f"401 for *** {'x' * 200}***"
    assert {Path(each).name for each in holders(layout.root)} == {"std_log.txt"}


def test_where_the_vault_cannot_be_read_at_the_end_nothing_is_quoted(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout)
    vault = layout.vault / "secrets.json"
    text = FAILS.replace("import os;", f"import os, pathlib; pathlib.Path({str(vault)!r}).unlink();")
    assert cli("run", write(tmp_path, text)).returncode == 1
    cause = json.loads(cli("job", "show", "fails").stdout)["cause"]
    assert (cause["code"], cause["exception"]) == ("exception", None)
    assert "it is not quoted, as secrets may be in it" in cause["message"]
    assert {Path(each).name for each in holders(layout.root)} == {"std_log.txt"}


def test_an_unknown_secret_is_a_fault_like_any_other(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout, "API_TOKEN")
    open_vault(layout).set("datastore/blob/API_TOKEM", "x")
    variables = "environment_variables:\n  A: ${{secrets.API_TOKEM}}\n  B: ${{secrets.OTHER}}\n"
    text = f"command: a ${{{{inputs.x}}}}\n{variables}compute: no"
    done = cli("run", file := write(tmp_path, text))
    assert done.returncode == 2
    lines = [line.removeprefix(f"{file}:") for line in done.stderr.splitlines()]
    assert "1:12: command: 'x' is not an input of this job" in lines
    assert "3:6: environment_variables.A: there is no secret 'API_TOKEM' in this workspace" in lines
    assert "  did you mean 'API_TOKEN'? Set it: workbench secret set API_TOKEM" in lines
    assert "4:6: environment_variables.B: there is no secret 'OTHER' in this workspace" in lines
    assert any(line.startswith("5:10: compute: ") for line in lines)
    assert json.loads(cli("job", "list").stdout) == []


def test_without_a_workspace_it_is_said_too_and_none_is_made(cli: Cli, tmp_path: Path) -> None:
    file = write(tmp_path, "command: x\nenvironment_variables: {A: '${{secrets.A}}'}")
    done = cli("run", "-w", tmp_path / "none", file)
    assert (done.returncode, "there is no secret 'A'" in done.stderr, (tmp_path / "none").exists()) == (2, True, False)


def test_a_key_that_is_missing_is_said_before_the_job_is_accepted(
    cli: Cli, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(layout)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    done = cli("run", write(tmp_path, ASKS))
    assert done.returncode == 2
    assert f"their key, in {tmp_path}/elsewhere/workbench/keys/" in done.stderr
    assert ".yml:12:10: environment_variables.TOKEN: the secrets of this workspace cannot be read" in done.stderr


def waiting(cli: Cli, tmp_path: Path) -> None:
    """A job that holds the only slot of a compute, and one behind it that asks for a secret."""
    assert cli("compute", "create", "--name", "c", "--type", "amlcompute", "--max-instances", "1").returncode == 0
    first = write(tmp_path, "name: w\ncommand: sleep 600\ncompute: c\n", "w.yml")
    second = write(
        tmp_path,
        "name: q\ncommand: test $T = new\ncompute: c\nenvironment_variables: {T: '${{secrets.TOKEN}}'}",
        "q.yml",
    )
    for file in (first, second):
        assert cli("job", "create", "-f", file).returncode == 0


def test_one_that_is_deleted_before_the_job_starts_fails_it(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout)
    waiting(cli, tmp_path)
    assert cli("secret", "delete", "TOKEN", "--yes").returncode == 0
    assert cli("job", "cancel", "w").returncode == 0
    assert cli("job", "stream", "q").returncode == 1
    cause = json.loads(cli("job", "show", "q").stdout)["cause"]
    assert cause["message"] == "there is no secret 'TOKEN' in this workspace"
    assert cause["hint"] == "Set it: workbench secret set TOKEN"


def test_the_value_is_that_of_the_moment_when_the_job_starts(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout)
    waiting(cli, tmp_path)
    plant(layout, value="new")
    assert cli("job", "cancel", "w").returncode == 0
    done = cli("job", "stream", "q")
    assert done.returncode == 0, done.stderr


def test_the_key_is_looked_for_where_the_submitter_has_it(
    cli: Cli, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started the agent, and wherever that one's configuration lies."""
    assert cli("agent", "start", env={"XDG_CONFIG_HOME": str(tmp_path / "agents")}).returncode == 0
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    plant(layout, value="mine")
    text = "command: test $T = mine\nenvironment_variables: {T: '${{secrets.TOKEN}}'}"
    done = cli("run", write(tmp_path, text))
    assert done.returncode == 0, done.stderr


def test_a_value_is_never_looked_into(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    """What looks like an expression, or like shell, in a value stays what it is."""
    value = "${{secrets.OTHER}} ${{name}} $HOME $(id) `id` 'x' \"y\"\nline\ttab"
    plant(layout, value=value)
    plant(layout, "OTHER", "other")
    text = 'command: printf %s "$T"\nenvironment_variables: {T: "${{secrets.TOKEN}}"}'
    assert cli("run", write(tmp_path, text)).stdout == value


def test_a_secret_in_an_address_needs_not_be_given_again(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout, value="p4ss")
    text = "name: a\ncommand: test $A = db://u:p4ss@h\nenvironment_variables: {A: 'db://u:${{secrets.TOKEN}}@h'}"
    assert cli("run", write(tmp_path, text)).returncode == 0
    again = cli("job", "rerun", "a", "--stream")
    assert again.returncode == 0, again.stderr
    with closing(database.connect(layout.database)) as connection:
        assert jobs.get(connection, "a").document["environment_variables"] == {"A": "db://u:${{secrets.TOKEN}}@h"}


def test_azure_has_no_such_thing(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    plant(layout)
    done = cli("job", "validate", write(tmp_path, ASKS))
    notes = {each["path"]: each["message"] for each in json.loads(done.stdout)}
    assert notes["environment_variables.TOKEN"] == (
        "Azure ML has no secrets in a job's variables: ${{secrets.TOKEN}} stays as it is there"
    )
