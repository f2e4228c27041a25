"""Workbench's MLflow tracking store as a folder for ``PYTHONPATH``, for environments that lack Workbench."""

from __future__ import annotations

import base64
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

DIST_INFO = "workbench_journal-1.dist-info"
"""A distribution of its own name: where Workbench itself is installed too, both entry points name the same function."""

PACKAGE = '''"""Workbench's tracking store alone; the rest of Workbench is found where it is installed."""

__path__ = __import__("pkgutil").extend_path(__path__, __name__)
'''

METADATA = """Metadata-Version: 2.1
Name: workbench-journal
Version: 1
Summary: Workbench's tracking store for MLflow
"""

ENTRY_POINTS = """[mlflow.tracking_store]
workbench = workbench.journal:tracking_store
"""


def write_plugin(folder: Path) -> Path:
    """Write the plugin below ``folder`` and return the folder to put on ``PYTHONPATH``.

    Its name is its content's hash: running jobs keep theirs when Workbench is updated, and whoever comes second finds
    it whole.
    """
    files = plugin_files()
    content = "".join(f"{name}\0{text}\0" for name, text in files.items())
    target = folder / hashlib.sha256(content.encode()).hexdigest()[:16]
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".plugin-", dir=folder))
    try:
        for name, text in files.items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(text, encoding="utf-8")
        new.rename(target)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        if not target.exists():
            raise
    return target


def plugin_files() -> dict[str, str]:
    """The plugin's files by name: the package with the store alone, and what makes its entry point found."""
    source = Path(__file__).parents[2] / "workbench"
    files = {"workbench/__init__.py": PACKAGE}
    for name in ("journal.py", "journal_lines.py"):
        files[f"workbench/{name}"] = (source / name).read_text(encoding="utf-8")
    files[f"{DIST_INFO}/METADATA"] = METADATA
    files[f"{DIST_INFO}/entry_points.txt"] = ENTRY_POINTS
    return files | {f"{DIST_INFO}/RECORD": _record(files)}


def _record(files: Mapping[str, str]) -> str:
    lines = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text.encode())}\n")
    return "".join(lines) + f"{DIST_INFO}/RECORD,,\n"
