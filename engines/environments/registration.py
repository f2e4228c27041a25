"""Environments on their way into the workspace: a version must not change with the files it was made from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.environments import conda_file
from engines.environments.addresses import Secrets
from engines.environments.requirements import Problem, RequirementsReader
from store.errors import DocumentError, Fault, UsageError


def self_contained(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of an environment with its conda file taken in, and the requirements files that that one names.

    Local packages stay where they are, by absolute path. Raises UsageError, DocumentError for a file that cannot be
    read, and for a password in it, which the store keeps nowhere in clear.
    """
    given = document.get("conda_file")
    if not isinstance(given, str):
        return dict(document)
    path = Path(given)
    if path.suffix == ".txt":
        return {**document, "conda_file": {"dependencies": [{"pip": _flat([f"-r {path}"], path)}]}}
    data, place = conda_file.load(path)
    if not isinstance(data, Mapping):
        raise DocumentError([Fault(str(path), *place(()), "", "a conda file is a mapping with 'dependencies'")])
    dependencies = data.get("dependencies")
    if not isinstance(dependencies, list):
        return {**document, "conda_file": dict(data)}
    taken_in = [
        {**item, "pip": _flat(item["pip"], path)}
        if isinstance(item, Mapping) and isinstance(item.get("pip"), list)
        else item
        for item in dependencies
    ]
    return {**document, "conda_file": {**data, "dependencies": taken_in}}


def _flat(lines: list[Any], path: Path) -> list[str]:
    secrets = Secrets({})
    reader = RequirementsReader(secrets, {})
    for line in lines:
        reader.read_line(str(line), path.parent)
    result = reader.result
    if result.problems:
        raise DocumentError([_fault(problem, path) for problem in result.problems])
    if secrets.found:
        raise UsageError(
            f"conda file {path} holds a password, which would be kept in clear",
            hint="Write ${NAME} in its place, in capitals, and set that variable where jobs are submitted.",
        )
    options = [f"--{name} {value}".strip() for name, value in dict.fromkeys(result.options)]
    # A list of packages cannot hold constraints: they are the one thing that stays a file.
    constraints = [f"-c {shlex.quote(str(file))}" for file in dict.fromkeys(result.constraint_files)]
    return [*options, *constraints, *dict.fromkeys(result.lines)]


def _fault(problem: Problem, path: Path) -> Fault:
    return Fault(problem.file or str(path), problem.line, 1, "", problem.message, problem.hint)
