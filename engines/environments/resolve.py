"""From what a job says of its environment to a complete definition.

Most jobs run in the Python of Workbench: reading packages and settings is imported when an environment needs it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from engines.environments.definition import CURRENT, WAY_AROUND, Definition
from engines.environments.names import EnvironmentName, parse_name
from store.errors import NotFoundError

Lookup = Callable[[str, str | None], Mapping[str, Any] | None]
"""A registered environment's document by name and version; no version means the latest."""

Position = Callable[[tuple[str | int, ...]], tuple[str, int, int]]
"""File, line and column of a place inside the environment of a document."""

_CURATED_REGISTRY = "azureml"


def resolve(
    environment: Mapping[str, Any] | str | None,
    *,
    registered: Lookup,
    known: Iterable[str] = (),
    folder: Path | None = None,
    position: Position | None = None,
    environ: Mapping[str, str] | None = None,
) -> Definition:
    """The definition of a job's environment, or an error that says what is missing, before the job starts.

    ``known`` are the names that ``registered`` knows, for the nearest one to a wrong name; ``folder`` is where relative
    paths in an inline conda file begin; ``environ`` is the submitter's. Raises UsageError, DocumentError where
    ``position`` can tell the place, NotFoundError for a name that is not known, MachineError.
    """
    variables = os.environ if environ is None else environ
    if environment is None:
        return Definition(CURRENT, "")
    if isinstance(environment, str):
        return _by_name(parse_name(environment), registered, known, variables)
    from engines.environments.contents import from_document

    return from_document(environment, folder, position, variables)


def stands_in(environment: object, registered: Lookup) -> bool:
    """Whether a name of the workspace means a curated environment here, as the workspace has none of that name."""
    if not isinstance(environment, str):
        return False
    wanted = parse_name(environment)
    if wanted.registry is not None or wanted.name == CURRENT or registered(wanted.name, wanted.version) is not None:
        return False
    from engines.environments.curated import find

    return find(wanted.name) is not None


def _by_name(
    wanted: EnvironmentName, registered: Lookup, known: Iterable[str], environ: Mapping[str, str]
) -> Definition:
    if wanted.name == CURRENT and wanted.registry is None:
        return Definition(CURRENT, "")
    from engines.environments.contents import from_curated, from_document
    from engines.environments.curated import curated, find

    if wanted.registry not in (None, _CURATED_REGISTRY):
        raise NotFoundError(
            f"registry '{wanted.registry}' is not known here, only '{_CURATED_REGISTRY}', with "
            f"{_names(one.name for one in curated())}",
            hint=f"Register the environment in this workspace with `workbench environment create`. {WAY_AROUND}",
        )
    document = registered(wanted.name, wanted.version) if wanted.registry is None else None
    if document is not None:
        return from_document(document, None, None, environ)
    found = find(wanted.name)
    if found is None:
        own = [] if wanted.registry else [CURRENT, *known]
        raise _unknown(wanted, registered, sorted({*own, *(one.name for one in curated())}))
    return from_curated(found, wanted.version, environ)


def _unknown(wanted: EnvironmentName, registered: Lookup, names: Iterable[str]) -> NotFoundError:
    latest = registered(wanted.name, None) if wanted.version and wanted.registry is None else None
    if latest is not None:
        return NotFoundError(
            f"environment {wanted} is not in this workspace; its latest version is {latest.get('version')}",
            hint=f"Write azureml:{wanted.name}:{latest.get('version')} or azureml:{wanted.name}@latest.",
        )
    from store.specs.nearest import nearest

    near = nearest(wanted.name, names)
    meant = f"did you mean '{near}'?" if near else f"There is {_names(names)}."
    where = f"registry {wanted.registry}" if wanted.registry else "this workspace"
    return NotFoundError(f"environment '{wanted.name}' is not in {where}", hint=f"{meant} {WAY_AROUND}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
