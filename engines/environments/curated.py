"""Curated environments: data files in ``curated/``, a file for each."""

from __future__ import annotations

import importlib.metadata
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from store.errors import MachineError

_OWN_MLFLOW = "mlflow==${workbench}"


@dataclass(frozen=True, slots=True)
class CuratedEnvironment:
    """One curated environment, as its file says it."""

    name: str
    version: str
    description: str
    python: str
    dependencies: tuple[str, ...]
    aliases: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """It as other documents are: of what JSON knows."""
        return {**asdict(self), "dependencies": list(self.dependencies), "aliases": list(self.aliases)}

    def python_specifier(self) -> str:
        """The Pythons that both the environment and the MLflow of Workbench run on."""
        if _OWN_MLFLOW not in self.dependencies:
            return self.python
        needed = importlib.metadata.metadata("mlflow")["Requires-Python"] or ""
        return ",".join(part for part in (self.python, needed) if part)

    def requirements(self) -> list[str]:
        """Its packages; MLflow is that of Workbench, or its runs could not be tracked through one database."""
        try:
            own = f"mlflow=={importlib.metadata.version('mlflow')}"
        except importlib.metadata.PackageNotFoundError:
            raise MachineError("MLflow, which curated environments take over, is not installed") from None
        return [own if line == _OWN_MLFLOW else line for line in self.dependencies]


@cache
def curated() -> tuple[CuratedEnvironment, ...]:
    """Every curated environment, by name."""
    files = sorted(Path(__file__).with_name("curated").glob("*.yml"))
    return tuple(_read(file) for file in files)


def find(name: str) -> CuratedEnvironment | None:
    """The curated environment of a name or alias; case does not matter, as on Azure ML."""
    wanted = name.lower()
    for one in curated():
        if wanted == one.name.lower() or any(fnmatchcase(wanted, alias.lower()) for alias in one.aliases):
            return one
    return None


def _read(file: Path) -> CuratedEnvironment:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    return CuratedEnvironment(
        name=data["name"],
        version=data["version"],
        description=data["description"],
        python=data["python"],
        dependencies=tuple(data["dependencies"]),
        aliases=tuple(data.get("aliases", ())),
    )
