"""``scripts/services`` on machines that lack all or some of it; nothing is downloaded here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.services.azurite import VERSION

BRINGS = """#!/bin/sh
case "$*" in *install*) ;; *) exit 0 ;; esac
keyring="gnome-keyring-daemon dbus-daemon dbus-send"
for program in npm $keyring ssh-keygen setpriv fusermount3 sshd smbd mariadbd postgres; do
    printf '#!/bin/sh\\necho "$@" >> "$TOOLS/../npm.log"\\n' > "$TOOLS/$program"; chmod +x "$TOOLS/$program"
done
"""
FAILS = '#!/bin/sh\necho "E: Unable to locate package $6" >&2\nexit 100\n'

Services = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Run a copy of the script with little more than a shell on PATH, as whom and with what apt a test says."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "sed", "ls", "mktemp", "rm", "tail", "chmod"):
        (tools / name).symlink_to(shutil.which(name) or name)
    for part in ("scripts/services", "tests/services/azurite.py"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / part, tmp_path / part)

    def run(*arguments: str, user: int = 0, apt: str | None = None) -> subprocess.CompletedProcess[str]:
        scripts = {"id": f"#!/bin/sh\necho {user}\n", **({"apt-get": apt} if apt is not None else {})}
        for name, text in scripts.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        environment = {"PATH": str(tools), "TOOLS": str(tools), "HOME": str(tmp_path)}
        command = ["sh", str(tmp_path / "scripts" / "services"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run


@pytest.mark.parametrize(("user", "apt"), [(1000, BRINGS), (0, None)])
def test_where_nothing_may_be_installed_it_is_said_what_is_missing(
    user: int, apt: str | None, services: Services
) -> None:
    done = services(user=user, apt=apt)
    assert done.returncode == 3
    assert {"npm", "gnome-keyring", "dbus", "openssh-client"} <= set(done.stderr.split())


def test_what_apt_cannot_do_is_shown_and_is_a_failure(services: Services) -> None:
    done = services(apt=FAILS)
    assert done.returncode == 1
    assert "Unable to locate package" in done.stderr


def test_what_apt_installs_without_bringing_it_is_a_failure(services: Services) -> None:
    done = services(apt="#!/bin/sh\n")
    assert done.returncode == 1
    assert "still missing" in done.stderr


def test_what_is_missing_is_installed_and_azurite_in_the_version_of_the_tests(
    services: Services, tmp_path: Path
) -> None:
    done = services(apt=BRINGS)
    assert (done.returncode, done.stderr.count("installing")) == (0, 2), done.stderr
    assert f"azurite@{VERSION}" in (tmp_path / "npm.log").read_text()
    assert services("--list").stdout == f"npm: azurite@{VERSION}\n", "the npm of this test installs nothing"


@pytest.mark.parametrize(("user", "expected"), [(0, 1), (1000, 3)])
def test_without_azurite_only_root_has_failed(user: int, expected: int, services: Services, tmp_path: Path) -> None:
    services(apt=BRINGS)
    (tmp_path / "tools" / "npm").write_text("#!/bin/sh\nexit 1\n")
    done = services(user=user)
    assert (done.returncode, "npm did not install" in done.stderr) == (expected, True)
