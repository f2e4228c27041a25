"""An agent that systemd keeps: the unit's text, and what a service manager is told, of which another plays the part."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import workspace
from store.layout import Layout
from tests.conftest import Cli
from workbench.agent import lock, start, unit
from workbench.doctor import work
from workbench.doctor.finding import Place

SYSTEMCTL = """#!/bin/sh
shift
echo "$*" >> "$MANAGER/told"
[ ! -e "$MANAGER/silent" ] || { echo "Failed to connect to bus" >&2; exit 1; }
case $1 in
  enable | disable) echo "${1}d" > "$MANAGER/state" ;;
  is-enabled) cat "$MANAGER/state" ;;
  start)
    command=$(sed -n 's/^ExecStart=//p' "$XDG_CONFIG_HOME/systemd/user/$2")
    (exec >> "$MANAGER/log" 2>&1; eval "exec setsid $command") & ;;
esac
"""


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the service manager was told; ``systemctl`` in it writes that down and starts units."""
    folder = tmp_path / "manager"
    folder.mkdir()
    (folder / "systemctl").write_text(SYSTEMCTL)
    (folder / "systemctl").chmod(0o700)
    monkeypatch.setenv("MANAGER", str(folder))
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


@pytest.fixture
def spaced(tmp_path: Path) -> Iterator[Layout]:
    """A workspace whose path wants quotes."""
    found = Layout(tmp_path / "my 'own' ws")
    workspace.create(found, {"name": "mine"}, lambda _: None)
    yield found
    start.stop(found)


def told(manager: Path) -> list[str]:
    lines = (manager / "told").read_text().splitlines()
    (manager / "told").unlink()
    return lines


def test_an_agent_is_enabled_and_disabled(spaced: Layout, cli: Cli, manager: Path) -> None:
    before = start.ensure(spaced)
    done = cli("--workspace", spaced.root, "agent", "enable")
    file = unit.path(spaced)
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    assert "loginctl enable-linger" in done.stderr
    assert told(manager) == ["show-environment", "daemon-reload", f"enable {file.name}", f"start {file.name}"]
    kept = lock.holder(spaced)
    assert kept is not None and kept != before, "it has changed hands"
    assert [each.title for each in work.agent_unit(Place(spaced, spaced.root))] == ["systemd keeps the agent"]
    assert cli("--workspace", spaced.root, "agent", "disable").stderr == "disabled\n"
    assert told(manager) == [f"is-enabled {file.name}", f"disable --now {file.name}", "daemon-reload"]
    assert not file.exists()
    assert cli("--workspace", spaced.root, "agent", "disable").stderr == "it was not enabled\n"


def test_what_doctor_says_of_a_unit(layout: Layout, cli: Cli, manager: Path) -> None:
    assert list(work.agent_unit(Place(layout, layout.root))) == []
    assert cli("agent", "enable").returncode == 0
    (manager / "state").write_text("disabled\n")
    assert [each.title for each in work.agent_unit(Place(layout, layout.root))] == [
        "the agent's unit is there and not enabled"
    ]
    unit.path(layout).write_text("ExecStart=/old/python")
    (found,) = work.agent_unit(Place(layout, layout.root))
    assert (found.title, found.mend) == ("the agent's unit is of another installation", "`workbench agent enable`")


def test_a_manager_that_does_not_answer(layout: Layout, cli: Cli, manager: Path) -> None:
    assert cli("agent", "enable").returncode == 0
    start.stop(layout)
    (manager / "silent").touch()
    start.ensure(layout)  # without it
    refused = cli("agent", "enable")
    assert refused.returncode == 1
    assert "`systemctl --user show-environment` failed: Failed to connect to bus" in refused.stderr
    assert "loginctl enable-linger" in refused.stderr
    assert cli("agent", "disable").returncode == 0
    assert not unit.path(layout).exists()


def test_a_machine_without_systemd(layout: Layout, cli: Cli, tmp_path: Path) -> None:
    refused = cli("agent", "enable", env={"PATH": str(tmp_path)})
    assert refused.returncode == 1
    assert "there is no systemctl" in refused.stderr
    assert "@reboot workbench agent start" in refused.stderr


def test_the_text_of_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/big disk/50%")
    text = unit.text(Layout(Path('/data/a "b" $c %d')))
    assert '"-P" "-m" "workbench.agent" "/data/a \\"b\\" $$c %%d"\n' in text
    assert 'Environment="XDG_CACHE_HOME=/big disk/50%%"\n' in text
    assert 'ConditionPathExists=/data/a "b" $c %%d/workbench.db\n' in text
    assert "KillMode=process\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(spaced: Layout, tmp_path: Path) -> None:
    file = tmp_path / unit.name(spaced)
    file.write_text(unit.text(spaced))
    done = subprocess.run(["systemd-analyze", "verify", "--user", file], capture_output=True, text=True, check=False)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd-analyze does not run here")
    assert (done.returncode, done.stderr.count(file.name)) == (0, 0), done.stderr
