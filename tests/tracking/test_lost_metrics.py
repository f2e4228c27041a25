"""What of a journal cannot be read is said where the user looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from store.layout import Layout
from tests.conftest import Cli


@pytest.mark.slow
def test_metric_lines_that_cannot_be_read_are_told_of(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    journal = layout.job("odd").journal
    (tmp_path / "job.yml").write_text(f"name: odd\ncommand: for i in 1 2 3; do echo nonsense $i >> '{journal}'; done\n")
    done = cli("run", tmp_path / "job.yml")
    assert done.returncode == 0, done.stderr
    told = f"warning: 3 metric lines could not be read. The journal is kept: {journal}\n"
    assert told in done.stderr
    assert told in (layout.job("odd").system_logs / "preparation.log").read_text()
    shown = json.loads(cli("job", "show", "odd").stdout)
    assert shown["lost_metrics"] == {"unreadable_metric_lines": 3, "metrics_without_run": 0}
    assert "3 metric lines could not be read" in cli("job", "show", "odd", "-o", "table").stdout
