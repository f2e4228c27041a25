from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from engines.environments.interpreters import find, installed, own
from store.errors import UsageError

NEXT_MINOR = f"3.{sys.version_info[1] + 20}"


def test_workbenchs_own_python_is_taken_where_it_fits() -> None:
    minor = ".".join(platform.python_version_tuple()[:2])
    for wanted in ("", ">=3.9", f"=={minor}.*", f"=={minor}", f"=={platform.python_version()}"):
        assert find(wanted, environ={}) == (own(), None)


def test_own_is_below_the_virtual_environment() -> None:
    result = subprocess.run([own().path, "-c", "import sys; print(sys.prefix == sys.base_prefix)"], capture_output=True)
    assert result.stdout.strip() == b"True"


def test_what_uv_finds_runs_and_has_the_version_that_it_says() -> None:
    found = installed(os.environ)
    for one in found:
        result = subprocess.run(
            [one.path, "-c", "import platform; print(platform.python_version())"], capture_output=True
        )
        assert result.stdout.decode().strip() == one.version
    assert len({os.path.realpath(one.path) for one in found}) == len(found)


def test_another_python_is_found() -> None:
    others = [one for one in installed(os.environ) if one.minor != own().minor]
    if not others:
        pytest.skip("this machine has one Python")
    assert find(f"=={others[0].minor}.*", environ=os.environ)[0].minor == others[0].minor
    exact = f"=={others[0].minor}.99"
    found, note = find(exact, environ=os.environ)
    assert found.minor == others[0].minor
    assert note == f"Python {exact[2:]} is not on this machine: {found.version}, of the same {found.minor}, is used"


def test_a_missing_python_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        find(f"=={NEXT_MINOR}.*", environ=os.environ)
    said = str(caught.value)
    assert f"needs Python {NEXT_MINOR}, and this machine has" in said
    assert own().version in said
    assert f"-m uv python install '{NEXT_MINOR}'" in said
    assert "--set environment=azureml:current@latest" in said


def test_version_managers_folders_are_searched_in_place_of_their_shims(tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    broken = shims / f"python{own().minor}"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    programs = tmp_path / "versions" / own().version / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(own().path)
    found = installed({"PATH": str(shims), "PYENV_ROOT": str(tmp_path), "HOME": str(tmp_path)})
    assert any(one.path.startswith(str(programs)) for one in found)
