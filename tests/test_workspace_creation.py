"""Making a workspace: by several at once, in folders that hold something, on disks of other machines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store import database, workspace
from store.errors import ConflictError, UsageError
from store.layout import Layout
from store.mounts import Mount
from tests.conftest import Cli


def test_several_processes_make_one_workspace(tmp_path: Path) -> None:
    """Each comes while another is in the middle of it, at another moment of it."""
    root = tmp_path / "ws"
    script = f"""if True:
        from pathlib import Path
        from store import workspace
        from store.layout import Layout
        found = workspace.Found(Layout(Path({str(root)!r})), "option")
        workspace.open_or_create(found, lambda _: None).execute("SELECT * FROM workspace").fetchone()["id"]
    """
    processes = []
    while len(processes) < 2 or (not (root / "workbench.db").exists() and len(processes) < 20):
        processes.append(subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True))
        time.sleep(0.03)  # so that they come at different moments; that they do is what the test is about
    ends = [(process.communicate()[1], process.returncode) for process in processes]
    assert ends == [("", 0)] * len(processes)
    count = database.connect(root / "workbench.db").execute("SELECT count(*) FROM workspace").fetchone()[0]
    assert count == 1


def test_of_two_that_ask_for_a_new_workspace_one_is_refused(layout: Layout) -> None:
    with pytest.raises(ConflictError, match="is a workspace already"):
        workspace.create(layout, {"name": "second"}, lambda _: None)
    assert workspace.known()[str(layout.root)] == "ws"


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    mode = tmp_path.stat().st_mode
    with pytest.raises(UsageError, match=r"holds other things \(thesis\.tex\)"):
        workspace.create(Layout(tmp_path), {"name": "x"}, lambda _: None)
    assert (os.listdir(tmp_path), tmp_path.stat().st_mode) == (["thesis.tex"], mode)


@pytest.mark.parametrize("below", ["", "ws"])
def test_a_file_in_place_of_a_workspace_is_said_by_whatever_command_meets_it(
    cli: Cli, tmp_path: Path, below: str
) -> None:
    file = tmp_path / "job.yml"
    file.write_text("command: 'true'\n")
    path = file / below
    commands: list[list[str | Path]] = [
        ["-w", path, "job", "list"],
        ["job", "list", "-w", path],
        ["-w", path, "run", file],
        ["-w", path, "doctor"],
        ["workspace", "create", path],
    ]
    for done in (*(cli(*each) for each in commands), cli("job", "list", env={"WORKBENCH_WORKSPACE": str(path)})):
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{file} is a file, not a folder" in done.stderr and "no jobs" not in done.stderr
    assert file.read_text() == "command: 'true'\n"


def test_a_workspace_on_another_machines_disk_is_warned_of() -> None:
    mounts = [Mount("/dev/sda1", Path("/"), "ext4"), Mount("nas:/home", Path("/home"), "nfs4")]
    assert "network file system (nfs4, nas:/home)" in (workspace.network_warning(Path("/home/me/ws"), mounts) or "")
    assert workspace.network_warning(Path("/srv/ws"), mounts) is None
