"""``workbench secret``: values go in by standard input or a hidden prompt, and never come out."""

from __future__ import annotations

import inspect
import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from store.layout import Layout
from store.vault import open_vault
from tests.conftest import Cli
from workbench.cli.secret import secret

Set = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def put(layout: Layout) -> Set:
    """Run a command with something on its standard input."""

    def run(text: str | bytes, *words: str) -> subprocess.CompletedProcess[str]:
        given = text.encode() if isinstance(text, str) else text
        done = subprocess.run(
            [sys.executable, "-m", "workbench.cli.main", "secret", *words],
            input=given,
            capture_output=True,
            env={**os.environ, "WORKBENCH_WORKSPACE": str(layout.root)},
            timeout=60,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def test_set_list_delete(cli: Cli, put: Set, layout: Layout) -> None:
    assert (json.loads(cli("secret", "list").stdout), open_vault(layout).place) == ([], None)
    done = put("p4ss w0rd\n", "set", "B", "--stdin")
    assert (done.returncode, json.loads(done.stdout)["name"]) == (0, "B"), done.stderr
    assert "the key to this workspace's secrets is in " in done.stderr
    assert put("p4ss", "set", "--name", "A", "--stdin").stderr == ""
    open_vault(layout).set("datastore/blob/account_key", "p4ss")
    listed = json.loads(cli("secret", "list").stdout)
    assert [(each["name"], each.keys()) for each in listed] == [(n, {"name", "set_time"}) for n in "AB"]
    assert listed[1] == json.loads(done.stdout)
    assert "just now" in cli("secret", "list", "-o", "table").stdout
    assert open_vault(layout).get("B") == "p4ss w0rd"
    assert cli("secret", "delete", "B").returncode == 2, "nobody confirmed"
    gone = cli("secret", "delete", "B", "--yes")
    assert (gone.returncode, gone.stdout, gone.stderr) == (0, "", "deleted B\n")
    assert cli("secret", "delete", "B", "--yes").returncode == 3
    assert open_vault(layout).names() == ["A", "datastore/blob/account_key"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("l1\nl2\n", "l1\nl2"), ("ä", "ä")],
)
def test_one_line_break_at_the_end_is_dropped(put: Set, layout: Layout, given: str, kept: str) -> None:
    assert put(given, "set", "A", "--stdin").returncode == 0
    assert open_vault(layout).get("A") == kept


@pytest.mark.parametrize(
    "words", [["A", "p4ss"], ["A=p4ss", "p4ss"], ["A", "--", "--p4ss"], ["A=p4ss"], ["A", "--v=p4ss"]]
)
def test_a_value_is_no_argument(put: Set, layout: Layout, words: list[str]) -> None:
    done = put("other", "set", "--stdin", *words)
    assert done.returncode == 2
    assert "p4ss" not in done.stdout + done.stderr
    assert open_vault(layout).names() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "the value is empty"), ("\n", "the value is empty"), ("a\0b", "NUL"), (b"\xff\xfe", "no text in UTF-8")],
)
def test_what_is_no_value(put: Set, layout: Layout, text: str | bytes, said: str) -> None:
    done = put(text, "set", "A", "--stdin")
    assert (done.returncode, said in done.stderr, open_vault(layout).names()) == (2, True, [])


@pytest.mark.parametrize("verb", [["set", "--stdin"], ["delete", "--yes"]])
def test_secrets_of_datastores_are_not_touched_by_hand(put: Set, layout: Layout, verb: list[str]) -> None:
    open_vault(layout).set("datastore/blob/account_key", "p4ss")
    done = put("other", *verb, "datastore/blob/account_key")
    assert (done.returncode, "belongs to a datastore" in done.stderr) == (2, True)
    assert open_vault(layout).get("datastore/blob/account_key") == "p4ss"


def test_without_stdin_and_terminal_the_way_is_told(put: Set) -> None:
    done = put("p4ss", "set", "A")
    assert (done.returncode, "secret set A --stdin" in done.stderr) == (2, True)


def test_on_a_terminal_the_value_is_asked_for_and_not_shown(layout: Layout) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["WORKBENCH_WORKSPACE"] = str(layout.root)
        os.execv(sys.executable, [sys.executable, "-m", "workbench.cli.main", "secret", "set", "A"])
    seen = b""
    for prompt in (b"Value of A: ", b"Repeat for confirmation: "):
        while not seen.endswith(prompt):
            seen += os.read(terminal, 1024)
        os.write(terminal, b"p4ss\n")
    try:
        while part := os.read(terminal, 1024):
            seen += part
    except OSError:  # how a terminal on Linux ends
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen
    assert b"p4ss" not in seen
    assert open_vault(layout).get("A") == "p4ss"


def test_a_workspace_is_made_by_the_first_secret_and_not_by_a_bad_one(put: Set, tmp_path: Path) -> None:
    place = tmp_path / "new" / ".workbench"
    assert put("", "set", "A", "--stdin", "-w", str(place)).returncode == 2
    assert json.loads(put("", "list", "-w", str(place)).stdout) == []
    assert not place.exists()
    assert put("p4ss", "set", "A", "--stdin", "-w", str(place)).returncode == 0
    assert open_vault(Layout(place)).get("A") == "p4ss"


def test_a_lost_key_is_said(put: Set, config: Path) -> None:
    assert put("p4ss", "set", "A", "--stdin").returncode == 0
    assert put("p4ss", "set", "B", "--stdin").returncode == 0
    (key,) = config.iterdir()
    key.unlink()
    done = put("p4ss", "set", "A", "--stdin")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"their key, in {key}, is not there" in done.stderr
    assert put("", "list").returncode == 0


def test_move(put: Set) -> None:
    assert put("p4ss", "set", "A", "--stdin").returncode == 0
    assert "is in" in put("", "move", "file").stderr
    done = put("", "move", "keyring")
    assert (done.returncode, "Without a keyring" in done.stderr) == (1, True)
    assert put("", "move", "pocket").returncode == 2


def examples() -> list[str]:
    """The commands in the help of each command."""
    found = []
    for command in secret.commands.values():
        _, _, block = inspect.cleandoc(command.help or "").partition("\b\n")
        found += [line for line in block.splitlines() if "workbench" in line]
    return found


@pytest.mark.slow
def test_the_examples_of_the_help_are_so(cli: Cli, put: Set, layout: Layout, tmp_path: Path) -> None:
    """Each is run by a shell, but for those that ask on a terminal or want a keyring."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_text("KEY\n")
    command = shlex.join([sys.executable, "-m", "workbench.cli.main"])
    env = {**os.environ, "WORKBENCH_WORKSPACE": str(layout.root), "HOME": str(tmp_path), "TOKEN": "p4ss"}
    codes = {}
    for line in sorted(examples(), key=lambda line: ("delete" in line, "set" not in line)):
        script = f'workbench() {{ {command} "$@"; }}\n{line}'
        codes[line] = subprocess.run(["bash", "-c", script], env=env, stdin=subprocess.DEVNULL, timeout=60).returncode
    refused = {line: code for line, code in codes.items() if code}
    assert refused == {
        "workbench secret set API_TOKEN": 2,
        "workbench secret move keyring": 1,
        "workbench secret move file": 4,
    }
    assert open_vault(layout).get("DEPLOY_KEY") == "KEY"


def test_no_command_shows_a_value() -> None:
    assert set(secret.commands) == {"set", "list", "delete", "move"}
    assert not {"value", "show"} & {
        parameter.name
        for each in secret.commands.values()
        for parameter in each.params
        if isinstance(parameter, click.Option)
    }
