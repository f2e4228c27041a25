"""``scripts/setup`` on machines that lack something; nothing is downloaded here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

BARE_DEBIAN = f"""#!/bin/sh
case "$*" in
*"-m venv"*) echo "The virtual environment was not created successfully because ensurepip is not available."; exit 1 ;;
esac
exec "{sys.executable}" "$@"
"""

Setup = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """Run a copy of the script with little more than a shell on PATH, and a Python that lacks ensurepip."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "head", "ls", "rm"):
        (tools / name).symlink_to(shutil.which(name) or name)
    (tools / "python3").write_text(BARE_DEBIAN)
    (tools / "python3").chmod(0o755)
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    script = shutil.copy(ROOT / "scripts" / "setup", tmp_path / "clone" / "scripts")

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
        environment = kept | {"PATH": str(tools)} | variables
        return subprocess.run(["sh", script, *arguments], env=environment, capture_output=True, text=True, timeout=60)

    return run


def test_a_python_without_ensurepip_is_said_with_what_to_install_and_leaves_nothing(
    setup: Setup, tmp_path: Path
) -> None:
    done = setup()
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (tmp_path / "clone" / ".venv").exists()


def test_a_folder_that_is_no_virtual_environment_is_left_alone(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = setup(VENV=str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "holds other things" in done.stderr
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_no_python_at_all_is_said(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "tools" / "python3").unlink()
    done = setup()
    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "said"),
    [(["devel"], {}, 2, "devel"), ([], {"PYTHON": "python9"}, 1, "PYTHON=python9")],
)
def test_a_slip_of_the_pen_is_said(
    setup: Setup, arguments: list[str], variables: dict[str, str], code: int, said: str
) -> None:
    done = setup(*arguments, **variables)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
