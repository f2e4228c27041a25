"""What MLflow needs of Workbench as a folder for ``PYTHONPATH``, for environments that lack Workbench.

That is the tracking store where the environment has the workspace's MLflow, and for any other MLflow, which talks to a
server, what tells the server of runs that MLflow starts by itself.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

DIST_INFO = "workbench_journal-1.dist-info"
"""A distribution of its own name: where Workbench itself is installed too, both entry points name the same function."""

PACKAGE = '''"""What MLflow needs of Workbench; the rest of Workbench is found where it is installed."""

__path__ = __import__("pkgutil").extend_path(__path__, __name__)
'''

METADATA = """Metadata-Version: 2.1
Name: workbench-journal
Version: 1
Summary: Workbench for MLflow
"""

STORE = ("mlflow.tracking_store", "journal:tracking_store", ("journal", "journal_lines", "run_context"))
CONTEXT = ("mlflow.run_context_provider", "run_context:RunContext", ("run_context",))
"""An entry point: its group, what it names in ``workbench``, and the modules that this takes."""

Contents = tuple[str, str, tuple[str, ...]]


def write_plugin(folder: Path, contents: Contents = STORE) -> Path:
    """Write a plugin below ``folder`` and return the folder to put on ``PYTHONPATH``.

    Its name is its content's hash: running jobs keep theirs when Workbench is updated, and whoever comes second finds
    it whole.
    """
    files = plugin_files(contents)
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


def plugin_files(contents: Contents = STORE) -> dict[str, str]:
    """A plugin's files by name: the package with what it needs alone, and what makes its entry point found."""
    group, named, modules = contents
    source = Path(__file__).parents[2] / "workbench"
    files = {"workbench/__init__.py": PACKAGE}
    for name in modules:
        files[f"workbench/{name}.py"] = (source / f"{name}.py").read_text(encoding="utf-8")
    files[f"{DIST_INFO}/METADATA"] = METADATA
    files[f"{DIST_INFO}/entry_points.txt"] = f"[{group}]\nworkbench = workbench.{named}\n"
    return files | {f"{DIST_INFO}/RECORD": _record(files)}


def _record(files: Mapping[str, str]) -> str:
    lines = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(text.encode())}\n")
    return "".join(lines) + f"{DIST_INFO}/RECORD,,\n"
