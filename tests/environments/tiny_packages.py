"""Packages for builds in tests: tiny, made on the spot, and one whose build waits to be let on."""

from __future__ import annotations

import zipfile
from pathlib import Path


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    needs: str = "",
    entry_points: str = "",
    source: str = "",
    module: str = "",
) -> Path:
    """A wheel with one module, called ``name`` too unless it is given."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{module or name}.py": source or f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if entry_points:
        files[f"{info}/entry_points.txt"] = entry_points
    record = f"{info}/RECORD"
    files[record] = "".join(f"{file},,\n" for file in [*files, record])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return path


BACKEND = """
import os, pathlib, sys
sys.path.insert(0, os.environ["TESTS_FOLDER"])
from tiny_packages import write_wheel

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if os.environ.get("GATE"):
        with open(os.environ["GATE"]) as gate:   # a named pipe: opening it waits until the test opens it too
            gate.read()
    return write_wheel(pathlib.Path(wheel_directory), "gated", "1.0").name
"""


def write_gated_source(folder: Path) -> Path:
    """A source package whose build waits at the named pipe $GATE, if there is one, until it was opened and closed."""
    folder.mkdir(parents=True)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "gated"\nversion = "1.0"\n'
    )
    return folder
