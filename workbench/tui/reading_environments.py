"""What Environments asks of the store and the engines; run in the threads of ``access``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import environments
from store.disk_usage import Size, size_of
from workbench.tui.access import Stores

MEASURED_SECONDS = 20.0
"""So long the files of one environment are counted at most."""

THIS_PYTHON = "this Python"
"""The kind of the one that runs Workbench."""


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """An environment as a list shows it; ``digest`` and what follows for a built one."""

    kind: str
    name: str
    version: str
    document: dict[str, Any]
    python: str = ""
    digest: str = ""
    place: Path | None = None
    built_at: float | None = None
    last_used: float | None = None
    last_job: str | None = None

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.kind}/{self.digest or f'{self.name}:{self.version}'}"

    @property
    def is_installed(self) -> bool:
        """Whether there is something to look into, besides the definition."""
        return self.place is not None or self.kind == THIS_PYTHON

    @property
    def reference(self) -> str:
        """What a job's document says to get it."""
        return f"azureml:{self.name}:{self.version}" if self.version else f"azureml:{self.name}@latest"


def all_environments(stores: Stores) -> list[EnvironmentFacts]:
    """Those of the workspace, those that come with Workbench, and what was built of either or of a job's own."""
    import platform
    import sys

    from engines.environments.curated import curated
    from engines.environments.stock import built_environments

    found = [
        EnvironmentFacts("registered", each["name"], each["version"], each)
        for each in environments.find(stores.workbench)
    ]
    own = {"name": "current", "python": platform.python_version(), "path": sys.executable}
    found.append(EnvironmentFacts(THIS_PYTHON, "current", "", own, python=platform.python_version()))
    found += [
        EnvironmentFacts("curated", each.name, each.version, each.document(), python=each.python) for each in curated()
    ]
    for each in built_environments(stores.layout, stores.workbench):
        definition = each.definition
        found.append(
            EnvironmentFacts(
                "built",
                definition.name,
                definition.version,
                definition.as_dict(),
                python=definition.interpreter.version if definition.interpreter else "",
                digest=definition.hash,
                place=each.place,
                built_at=each.built_at,
                last_used=each.last_used,
                last_job=each.last_job,
            )
        )
    return found


def measure(_: Stores, place: Path) -> Size:
    """What a built environment takes on the disk."""
    return size_of(place, MEASURED_SECONDS)


def installed(_: Stores, place: Path | None) -> list[str]:
    """The packages in a built environment; without a place, in the Python that runs Workbench."""
    from engines.environments.stock import packages, packages_here

    return packages_here() if place is None else packages(place)


def remove_built(stores: Stores, digest: str) -> None:
    """Give back the room of a built environment. Raises ConflictError while it is needed."""
    from engines.environments import stock

    stock.remove(stores.layout, stores.workbench, digest)


def definition_text(facts: EnvironmentFacts) -> str:
    """The definition as a person would write it."""
    import yaml

    document = {key: value for key, value in facts.document.items() if value not in (None, "", [], {}, ())}
    plain = json.loads(json.dumps(document))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)).rstrip()
