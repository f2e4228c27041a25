"""Conda environment files, read as far as pip can install what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engines.environments.conda_names import LeftOut, NoCounterpart, counterpart
from engines.environments.conda_spec import SpecError, parse_spec
from engines.environments.definition import WAY_AROUND
from engines.environments.requirements import Problem, RequirementsReader
from store.errors import DocumentError, Fault, UsageError
from store.specs.nearest import suggestion

Place = tuple[str | int, ...]
"""Where something stands in a document: ``("dependencies", 2)``."""

_KEYS = ("name", "channels", "dependencies", "variables", "prefix", "platforms", "category")


@dataclass(frozen=True, slots=True)
class PlacedProblem:
    """A problem and where it stands in the conda file; ``None`` where it lies in another file."""

    place: Place | None
    problem: Problem


@dataclass(slots=True)
class CondaFile:
    """What a conda file asks for, beside what it put into the requirements reader."""

    name: str | None = None
    python: str = ""
    """A PEP 440 specifier, empty for any Python."""
    python_place: Place = ()
    variables: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[PlacedProblem] = field(default_factory=list)


def load(path: Path) -> tuple[Any, Callable[[Place], tuple[int, int]]]:
    """The data of a YAML file and a function from a place in it to line and column, both from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except OSError as error:
        raise UsageError(f"cannot read conda file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read conda file {path}: it is no UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"is no YAML: {error.problem or error.context}"
        raise DocumentError([Fault(str(path), line, column, "", message)]) from None
    return data, lambda place: _position(node, place)


def _position(node: yaml.Node | None, place: Place) -> tuple[int, int]:
    for step in place:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            below = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            below = node.value[step]
        if below is None:
            break
        node = below
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node else (1, 1)


def read(data: Any, folder: Path | None, reader: RequirementsReader) -> CondaFile:
    """Put what ``data`` asks for into ``reader``; ``folder`` is where its relative paths begin."""
    result = CondaFile()
    if not isinstance(data, Mapping):
        problem = Problem("a conda file is a mapping with 'dependencies'")
        return CondaFile(problems=[PlacedProblem((), problem)])
    for key in data:
        if key not in _KEYS:
            problem = Problem(f"{key!r} is no key of a conda file", suggestion(str(key), _KEYS))
            result.problems.append(PlacedProblem((str(key),), problem))
    name = data.get("name")
    result.name = str(name) if name else None
    if data.get("channels"):
        result.notes.append("conda channels are not used: packages come from pip's package index")
    _read_variables(data.get("variables"), result)
    dependencies = data.get("dependencies")
    if dependencies is None:
        dependencies = []
    if not isinstance(dependencies, Sequence) or isinstance(dependencies, str):
        result.problems.append(PlacedProblem(("dependencies",), Problem("'dependencies' is a list of packages")))
        return result
    for index, item in enumerate(dependencies):
        _read_dependency(item, ("dependencies", index), folder, reader, result)
    return result


def _read_variables(variables: Any, result: CondaFile) -> None:
    if variables is None:
        return
    if not isinstance(variables, Mapping):
        result.problems.append(PlacedProblem(("variables",), Problem("'variables' is a mapping of names to texts")))
        return
    result.variables = {str(name): str(value) for name, value in variables.items()}


def _read_dependency(
    item: Any, place: Place, folder: Path | None, reader: RequirementsReader, result: CondaFile
) -> None:
    if isinstance(item, str):
        _read_package(item, place, reader, result)
        return
    if not isinstance(item, Mapping) or set(item) != {"pip"}:
        problem = Problem(f"'{item}' is neither a package nor a 'pip:' list")
        result.problems.append(PlacedProblem(place, problem))
        return
    lines = item["pip"] or []
    for index, line in enumerate([lines] if isinstance(lines, str) else lines):
        here = (*place, "pip", index)
        if not isinstance(line, str):
            result.problems.append(PlacedProblem(here, Problem(f"'{line}' is no text")))
            continue
        seen = len(reader.result.problems)
        reader.read_line(line, folder)
        for problem in reader.result.problems[seen:]:
            result.problems.append(PlacedProblem(None if problem.file else here, problem))
        del reader.result.problems[seen:]


def _read_package(text: str, place: Place, reader: RequirementsReader, result: CondaFile) -> None:
    try:
        spec = parse_spec(text)
    except SpecError as error:
        result.problems.append(PlacedProblem(place, Problem(f"'{text}' {error}")))
        return
    if spec.name == "python":
        result.python = ",".join(part for part in (result.python, spec.specifier) if part)
        result.python_place = place
        return
    if spec.name == "pip" and not spec.specifier:
        return
    if spec.build:
        result.notes.append(f"'{text}': conda's build '{spec.build}' is not chosen, pip takes the wheel that fits")
    found = counterpart(spec.name)
    if isinstance(found, LeftOut):
        result.notes.append(f"{spec.name} is left out: {found.reason}")
    elif isinstance(found, NoCounterpart):
        hint = f"{found.advice or 'Take it out, or name a pip package instead.'} {WAY_AROUND}"
        problem = Problem(f"{spec.name} is no Python package, pip cannot install it", hint)
        result.problems.append(PlacedProblem(place, problem))
    else:
        reader.read_line(f"{found.name}{spec.specifier}", None)
