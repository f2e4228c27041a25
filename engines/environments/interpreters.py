"""The Pythons of this machine."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from engines.environments.definition import WAY_AROUND, Interpreter
from store.errors import MachineError, UsageError

_INSTALLS = ("versions", "installs/python")
"""Below the root of a version manager: folders with one Python each."""

_SHIMS = "shims"

_TWO_PARTS = re.compile(r"==\s*(\d+\.\d+)(?=,|$)")
"""``python==3.10`` means any 3.10 to whoever writes it, not 3.10.0."""


def own() -> Interpreter:
    """The Python below the one that runs Workbench: an environment outlives the folder Workbench is installed in."""
    base = getattr(sys, "_base_executable", "") or sys.executable
    return Interpreter(base, platform.python_version(), sys.implementation.name)


def find(wanted: str, *, environ: Mapping[str, str]) -> tuple[Interpreter, str | None]:
    """The Python for a specifier such as ``==3.10.*``, Workbench's own where it fits, and a note where it differs.

    A pin down to the patch release (``==3.10.4``) is met by another patch release of the same minor version, with a
    note, because wheels and byte code are the same for all of them. Raises UsageError when none fits.
    """
    mine, specifier = own(), SpecifierSet(_TWO_PARTS.sub(r"==\1.*", wanted))
    if specifier.contains(mine.version, prereleases=True) and mine.implementation == "cpython":
        return mine, None
    there = installed(environ)
    fitting = [one for one in there if specifier.contains(one.version)]
    if fitting:
        return fitting[0], None
    minor = _pinned_minor(specifier)
    for one in [mine, *there]:
        if one.minor == minor:
            return (
                one,
                f"Python {_spoken(specifier)} is not on this machine: {one.version}, of the same {minor}, is used",
            )
    raise UsageError(
        f"the environment needs Python {_spoken(specifier)}, and this machine has {_listed([mine, *there])}",
        hint=f"Ask for one of those, or install it: {sys.executable} -m uv python install '{_spoken(specifier)}'. "
        f"{WAY_AROUND}",
    )


def installed(environ: Mapping[str, str]) -> list[Interpreter]:
    """Every CPython of this machine that uv finds, newest first."""
    finished = subprocess.run(
        [uv_program(), "python", "list", "--only-installed", "--output-format", "json", "--no-config"],
        env=_search_environment(environ),
        cwd="/",
        capture_output=True,
        check=False,
    )
    if finished.returncode:
        raise MachineError(f"uv cannot list the Pythons of this machine: {finished.stderr.decode(errors='replace')}")
    found: dict[str, Interpreter] = {}
    for entry in json.loads(finished.stdout or b"[]"):
        if entry["implementation"] == "cpython" and entry.get("variant", "default") == "default" and entry["path"]:
            path = _below_environment(Path(entry["path"]))
            found.setdefault(os.path.realpath(path), Interpreter(str(path), entry["version"]))
    return sorted(found.values(), key=lambda one: Version(one.version), reverse=True)


def uv_program() -> str:
    """The uv that came with Workbench."""
    import uv

    try:
        return os.fsdecode(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise MachineError(
            f"uv, which builds environments, is not there: {error}",
            hint=f"Install it again: {sys.executable} -m pip install --force-reinstall uv",
        ) from None


def _search_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Shims of version managers only work for versions that are switched on: put the versions themselves in PATH."""
    home = Path(environ.get("HOME") or Path.home())
    roots = [
        Path(environ.get("PYENV_ROOT") or home / ".pyenv"),
        Path(environ.get("ASDF_DATA_DIR") or home / ".asdf"),
        Path(environ.get("MISE_DATA_DIR") or home / ".local/share/mise"),
    ]
    shims = {str(root / _SHIMS) for root in roots}
    before = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder not in shims]
    managed = [str(folder) for root in roots for folder in _version_folders(root)]
    unwanted = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_PYTHON")
    kept = {name: value for name, value in environ.items() if name not in unwanted}
    return {**kept, "HOME": str(home), "PATH": os.pathsep.join(before + managed), "UV_PYTHON_DOWNLOADS": "never"}


def _version_folders(root: Path) -> Iterator[Path]:
    for place in _INSTALLS:
        for folder in sorted((root / place).glob("*/bin")):
            if (folder / "python").exists():
                yield folder


def _below_environment(path: Path) -> Path:
    """A virtual environment that happens to be switched on may go away: take the Python below it."""
    return Path(os.path.realpath(path)) if (path.parent.parent / "pyvenv.cfg").exists() else path


def _pinned_minor(specifier: SpecifierSet) -> str | None:
    pins = [one.version for one in specifier if one.operator == "=="]
    if len(pins) != 1 or len(list(specifier)) != 1:
        return None
    parts = pins[0].removesuffix(".*").split(".")
    return ".".join(parts[:2]) if len(parts) == 3 else None


def _listed(interpreters: list[Interpreter]) -> str:
    versions = sorted({one.version for one in interpreters}, key=Version, reverse=True)
    return versions[0] if len(versions) == 1 else f"{', '.join(versions[:-1])} and {versions[-1]}"


def _spoken(specifier: SpecifierSet) -> str:
    """``3.10`` for a pin, else the range."""
    pins = [one.version.removesuffix(".*") for one in specifier if one.operator == "=="]
    return pins[0] if len(pins) == 1 and len(list(specifier)) == 1 else str(specifier)
