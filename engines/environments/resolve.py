"""From what a job says of its environment to a complete definition."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.environments import conda_file, pip_settings
from engines.environments.addresses import Secrets, redact
from engines.environments.curated import CuratedEnvironment, curated
from engines.environments.curated import find as find_curated
from engines.environments.definition import CURRENT, Definition
from engines.environments.interpreters import find as find_interpreter
from engines.environments.names import EnvironmentName, parse_name
from engines.environments.requirements import Problem, RequirementsReader
from store.errors import DocumentError, Fault, NotFoundError, UsageError

Lookup = Callable[[str, str | None], Mapping[str, Any] | None]
"""A registered environment's document by name and version; no version means the latest."""

Position = Callable[[tuple[str | int, ...]], tuple[str, int, int]]
"""File, line and column of a place inside the environment of a document."""

ANONYMOUS = "anonymous"
_CURATED_REGISTRY = "azureml"
_AROUND = "run with the Python of Workbench: --set environment=azureml:current@latest"


@dataclass(slots=True)
class _Content:
    """What is read of one environment before its Python is chosen."""

    reader: RequirementsReader
    secrets: Secrets
    python: str = ""
    notes: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


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
    return _from_document(environment, folder, position, variables)


def _by_name(
    wanted: EnvironmentName, registered: Lookup, known: Iterable[str], environ: Mapping[str, str]
) -> Definition:
    if wanted.name == CURRENT and wanted.registry is None:
        return Definition(CURRENT, "")
    if wanted.registry not in (None, _CURATED_REGISTRY):
        raise NotFoundError(
            f"registry '{wanted.registry}' is not known here, only '{_CURATED_REGISTRY}', with "
            f"{_names(one.name for one in curated())}",
            hint=f"register the environment in this workspace (workbench environment create), or {_AROUND}",
        )
    document = registered(wanted.name, wanted.version) if wanted.registry is None else None
    if document is not None:
        return _from_document(document, None, None, environ)
    found = find_curated(wanted.name)
    if found is None:
        raise _unknown(wanted, registered, known)
    return _from_curated(found, wanted, environ)


def _unknown(wanted: EnvironmentName, registered: Lookup, known: Iterable[str]) -> NotFoundError:
    if wanted.version and wanted.registry is None:
        latest = registered(wanted.name, None)
        if latest is not None:
            return NotFoundError(
                f"environment {wanted} is not in this workspace; its latest version is {latest.get('version')}",
                hint=f"write azureml:{wanted.name}:{latest.get('version')} or azureml:{wanted.name}@latest",
            )
    own = [] if wanted.registry else [CURRENT, *known]
    names = sorted({*own, *(one.name for one in curated())})
    near = difflib.get_close_matches(wanted.name, names, n=3, cutoff=0.5)
    where = f"registry {wanted.registry}" if wanted.registry else "this workspace"
    return NotFoundError(
        f"environment '{wanted.name}' is not in {where}",
        hint=f"did you mean {_names(near)}? Or {_AROUND}" if near else f"there is {_names(names)}; or {_AROUND}",
    )


def _from_curated(one: CuratedEnvironment, wanted: EnvironmentName, environ: Mapping[str, str]) -> Definition:
    content = _new_content(environ)
    if wanted.version not in (None, one.version):
        if wanted.version is None or not wanted.version.isdigit():
            raise NotFoundError(
                f"environment {wanted} does not exist: versions of curated environments are numbers",
                hint=f"write azureml:{one.name}@latest",
            )
        content.notes.append(
            f"{one.name}: Workbench has its own version {one.version} of this curated environment, which is used in "
            f"place of Azure ML's version {wanted.version}"
        )
    for line in one.requirements():
        content.reader.read_line(line, None)
    content.python = one.python_specifier()
    return _finish(one.name, one.version, content, environ)


def _from_document(
    document: Mapping[str, Any], folder: Path | None, position: Position | None, environ: Mapping[str, str]
) -> Definition:
    name, version = document.get("name") or ANONYMOUS, document.get("version")
    conda, requirements = document.get("conda_file"), document.get("requirements")
    content = _new_content(environ)
    if conda is None and requirements is None:
        raise _needs_container(document, str(name))
    for key, what in (("image", f"image {document.get('image')}"), ("build", "the build context")):
        if document.get(key):
            content.notes.append(f"{what} is not used: the packages go into a Python environment of this machine")
    if conda is not None:
        _read_conda(conda, folder, position, content)
    if requirements is not None:
        _read_requirements(requirements, folder, content)
    return _finish(str(name), "" if version is None else str(version), content, environ)


def _needs_container(document: Mapping[str, Any], name: str) -> UsageError:
    what = "an image" if document.get("image") else "a build context" if document.get("build") else None
    if what is None:
        return UsageError(f"environment {name} says nothing of its packages", hint="give it a 'conda_file'")
    return UsageError(
        f"environment {name} consists of {what}, which needs a container engine; Workbench does not run containers yet",
        hint=f"give it a 'conda_file' with the packages that the job imports, or {_AROUND}",
    )


def _new_content(environ: Mapping[str, str]) -> _Content:
    secrets = Secrets(environ)
    return _Content(RequirementsReader(secrets, environ), secrets)


def _read_conda(conda: Any, folder: Path | None, position: Position | None, content: _Content) -> None:
    if isinstance(conda, str):
        path = Path(conda) if folder is None else folder / conda
        if not path.is_absolute():
            raise UsageError(f"conda file '{conda}' is a relative path, and nothing says relative to what")
        if path.suffix == ".txt":
            _read_requirements(str(path), None, content)
            return
        data, place_in_file = conda_file.load(path)
        folder = path.parent
        position = _in_file(path, place_in_file)
    else:
        data = conda
    found = conda_file.read(data, folder, content.reader)
    content.python = found.python
    content.notes += found.notes
    content.variables = found.variables
    content.faults += [_fault(one.place, one.problem, position) for one in found.problems]


def _in_file(path: Path, place_in_file: Callable[[conda_file.Place], tuple[int, int]]) -> Position:
    return lambda place: (str(path), *place_in_file(place[1:]))


def _fault(place: tuple[str | int, ...] | None, problem: Problem, position: Position | None) -> Fault:
    if place is None or problem.file:
        return Fault(problem.file or "", problem.line, 1, "", problem.message, problem.hint)
    path = ("conda_file", *place)
    file, line, column = position(path) if position else ("", 0, 0)
    return Fault(file, line, column, _dotted(path), problem.message, problem.hint)


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _read_requirements(requirements: Any, folder: Path | None, content: _Content) -> None:
    """The Workbench way to say it: a requirements file, or its lines."""
    if isinstance(requirements, str):
        path = Path(requirements) if folder is None else folder / requirements
        content.reader.read_file(path)
    elif isinstance(requirements, Iterable) and not isinstance(requirements, Mapping):
        for line in requirements:
            content.reader.read_line(str(line), folder)
    else:
        raise UsageError("'requirements' is the path of a requirements file or a list of requirements")


def _finish(name: str, version: str, content: _Content, environ: Mapping[str, str]) -> Definition:
    settings = pip_settings.read(environ)
    for constraint in settings.words("constraint"):
        if "://" in constraint:
            content.notes.append(f"pip's constraints at {redact(constraint)} are on the network, and are not used")
        else:
            content.reader.read_file(Path(constraint).expanduser(), constraints=True)
    result = content.reader.result
    _raise_faults(name, [*content.faults, *(_fault(None, problem, None) for problem in result.problems)])
    interpreter, note = find_interpreter(content.python, environ=environ)
    options = tuple(dict.fromkeys(result.options))
    uv = pip_settings.for_uv(settings, options, environ)
    return Definition(
        name=name,
        version=version,
        interpreter=interpreter,
        python=content.python,
        requirements=tuple(sorted(set(result.lines))),
        constraints=tuple(sorted(set(result.constraints))),
        options=options,
        index_settings=tuple(pip_settings.deciding(uv, environ)),
        files=tuple(sorted(result.files.items())),
        variables=tuple(content.variables.items()),
        notes=tuple(dict.fromkeys([*content.notes, *result.notes, *settings.notes, *([note] if note else [])])),
        secrets=dict(content.secrets.found),
    )


def _raise_faults(name: str, faults: list[Fault]) -> None:
    if not faults:
        return
    if all(fault.file for fault in faults):
        raise DocumentError(faults)
    lines = "".join(
        f"\n  {str(fault) if fault.file else ': '.join(part for part in (fault.path, fault.message) if part)}"
        f"{f' ({fault.hint})' if fault.hint and not fault.file else ''}"
        for fault in faults
    )
    raise UsageError(f"environment {name} cannot be built:{lines}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
