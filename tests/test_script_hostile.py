"""Commands that are no sensible scripts at all: whatever the shell makes of them, no value is ever run."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.jobs.script import Value, render
from store.errors import UsageError
from tests.shell_judge import SHELLS, real_processes

SYNTAX = [
    *"'\"\\$`;|&<>()[]{}*?~#!=:@+-/ \t\n",
    *("$'", '$"', "$(", "$((", "((", "))", "$[", "${", "${v:-", "${v#", "${v/", "${v:", "${a[", "${!", "}", "]"),
    *(
        "<<E\n",
        "<<'E'\n",
        "<<-E\n",
        "\nE\n",
        "<<<",
        "<(",
        ">(",
        "2>",
        "&>",
        "\\\n",
        "# ",
        " #",
        "v=",
        "a[",
        "a=(",
        "i+=",
    ),
    *(" case x in ", ";; ", " esac ", " x) ", " for k in ", " do ", " done ", " if ", " then ", " fi ", " { ", " } "),
    *(
        "\n[[ ",
        " ]]\n",
        " -eq ",
        " -v ",
        " =~ ",
        " == ",
        " && ",
        "\nlet ",
        "\ndeclare -i n=",
        "\nn=",
        "\nexport w=",
        "a",
    ),
    *("\n: ", " ! ", "\ntime ", "\ng() ", " function g ", "1", " in ", "1+", ",", "!(", "\n"),
]
EXPRESSIONS = ["${{inputs.a}}", "${{inputs.b}}", "${{inputs.n}}", "${{inputs.e}}", "$${{inputs.a}}", "${{outputs.u}}"]
# No output of a command and no variable that a value was put into goes on into arithmetic: that is the script's doing.
# What evaluates, and what stands around it; the marks are where the next level goes.
PATTERNS = [
    *(
        "$((@))",
        "$(( 1 + @ ))",
        "((@))",
        "(( @ < 2 ))",
        "$[@]",
        "${v:@}",
        "${v:1:@}",
        "${a[@]}",
        "${#a[@]}",
        "\na[@]=1",
    ),
    *(
        "[[ @ -eq 1 ]]",
        "[[ 1 -lt @ ]]",
        "[[ -v @ ]]",
        "[[ ! @ ]]",
        "[[ x =~ (@) ]]",
        "\nlet @",
        '\nlet "v = @"',
        "a=([@]=1)",
    ),
    *(
        "\ndeclare -i n=@",
        "\ndeclare -i n; n=@",
        "\nlocal -ri n=@",
        "\nfor ((i=@;i<1;i++)); do :; done",
        "${v:-@}",
        "$(@)",
    ),
    *('"@"', "'@'", "$'@'", "$(: @)", "`: @`", "${v/@/@}", "${v#@}", "(@)", "((@) )", "$((@) )", "b=(@)", "w=@"),
    *("\ncase @ in @) @;; esac\n", "\ncat <<E\n@\nE\n", "\ncat <<'E'\n@\nE\n", "x@y", "@ @", "@\n@", "\nexport w=@"),
    *(
        "# @",
        "<(: @)",
        ">@",
        "<<<@",
        "${@}",
        "${!@}",
        "\\@",
        "$@",
        "\n@",
        "${v:-$((@))}",
        "{@,x}",
        "@)",
        "@(x|@)",
        "[@]",
    ),
]
MESS = st.lists(st.sampled_from(SYNTAX) | st.sampled_from(EXPRESSIONS), min_size=1, max_size=14).map("".join)
NESTED = st.recursive(
    st.sampled_from(EXPRESSIONS) | st.sampled_from(SYNTAX),
    lambda inner: st.tuples(st.sampled_from(PATTERNS), inner).map(lambda pair: pair[0].replace("@", pair[1])),
    max_leaves=4,
)
COMMANDS = MESS | st.lists(NESTED, min_size=1, max_size=4).map("".join)
# Without a blank, so that no part of one can become a command of its own.
ATTACKS = st.sampled_from(
    [
        "$($BAIT)",
        "`$BAIT`",
        "a[$($BAIT)]",
        "x[`$BAIT`]",
        "';$BAIT;'",
        '";$BAIT;"',
        ")$($BAIT)",
        "$'\\n'$($BAIT)",
        "}$($BAIT)",
        "\n$($BAIT)\n",
    ]
)


def touched(shell: str, text: str, variables: dict[str, str], bait: Path) -> bool:
    """Run a script; whether anything in it ran the bait."""
    environment = {"PATH": os.environ["PATH"], "BAIT": str(bait), **variables}
    process = subprocess.Popen(
        [shell, "-c", text],
        cwd=bait.parent / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    ran = bait.parent / "ran"
    found = ran.exists()
    ran.unlink(missing_ok=True)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
@given(command=COMMANDS, first=ATTACKS, second=ATTACKS)
@real_processes
def test_no_value_is_run_whatever_the_command_looks_like(
    tmp_path_factory: pytest.TempPathFactory, shell: str, command: str, first: str, second: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "hostile"
    (folder / "work").mkdir(parents=True, exist_ok=True)
    bait = folder / "bait"
    bait.write_text(f"#!/bin/sh\necho > {folder}/ran\n")
    bait.chmod(0o755)
    values = {"inputs.a": Value(first), "inputs.b": Value(second), "inputs.n": Value("5"), "inputs.e": Value("")}
    try:
        script = render(command, values)
    except UsageError:
        return
    assert "BAIT" not in script.text
    assert not touched(shell, script.text, script.variables, bait), script.text


@given(command=st.lists(st.sampled_from(SYNTAX), max_size=40).map("".join))
def test_a_command_without_expressions_stays_as_it_is(command: str) -> None:
    assert render(command, {"inputs.a": Value("x")}).text == command
