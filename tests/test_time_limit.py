"""A test that hangs fails and shows where, and those after it run."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

HANGING = """
import asyncio
import subprocess


def test_a_process():
    subprocess.run(["sleep", "60"])


def test_a_loop():
    asyncio.run(asyncio.sleep(60))


def test_another():
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_hangs_fails_and_the_rest_runs(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGING)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert settings["timeout"] == 300
    method = f"timeout_method={settings['timeout_method']}"
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "no:cacheprovider", "-o", method]
    done = subprocess.run(
        [*command, "--timeout", "0.5", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert 'subprocess.run(["sleep", "60"])' in done.stdout and "asyncio.run(asyncio.sleep(60))" in done.stdout
