"""Jobs of several processes: which log is shown, which tells of the end, where all of them are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from store.layout import Layout
from tests.conftest import Cli

JOB = """
name: both
command: |
  echo "process $RANK of $WORLD_SIZE"
  if [ $RANK = {failing} ]; then echo "shard $RANK is broken" >&2; exit 7; fi
  while [ {failing} != none ]; do sleep 0.1; done
distribution: {{type: pytorch, process_count_per_instance: 2}}
"""


@pytest.fixture
def write(tmp_path: Path) -> Path:
    return tmp_path / "job.yml"


def test_one_is_shown_and_the_others_are_named(cli: Cli, layout: Layout, write: Path) -> None:
    write.write_text(JOB.format(failing="none"))
    done = cli("run", write)
    assert (done.stdout, done.returncode) == ("process 0 of 2\n", 0), done.stderr
    logs = layout.job("both").user_logs
    assert f"2 processes; shown is what the first one prints, the logs of all are in {logs}" in done.stderr
    shown = json.loads(cli("job", "show", "both").stdout)["log_files"]
    assert [Path(shown[f"user_logs/{name}.txt"]).read_text() for name in ("std_log", "std_log_process_1")] == [
        "process 0 of 2\n",
        "process 1 of 2\n",
    ]
    assert set(shown) >= {"user_logs/std_log_process_0.txt", "system_logs/preparation.log"}


def test_the_log_of_the_one_that_failed_is_shown_at_the_end(cli: Cli, layout: Layout, write: Path) -> None:
    write.write_text(JOB.format(failing="1"))
    done = cli("run", write)
    assert done.returncode == 1
    assert "shard" not in done.stdout
    log = layout.job("both").user_logs / "std_log_process_1.txt"
    assert f"The last lines of {log}:\n  | process 1 of 2\n  | shard 1 is broken\n" in done.stderr


def test_the_first_ones_log_is_not_shown_again(cli: Cli, write: Path) -> None:
    write.write_text(JOB.format(failing="0"))
    done = cli("run", write)
    assert "shard 0 is broken" in done.stdout
    assert "last lines" not in done.stderr
