"""What environments hold: a definition from a document or from a curated environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines.environments import conda_file, pip_settings
from engines.environments.addresses import Secrets, redact
from engines.environments.curated import CuratedEnvironment
from engines.environments.definition import WAY_AROUND, Definition
from engines.environments.interpreters import find as find_interpreter
from engines.environments.requirements import Problem, RequirementsReader
from store.errors import DocumentError, Fault, NotFoundError, UsageError

Position = Callable[[tuple[str | int, ...]], tuple[str, int, int]]
"""File, line and column of a place inside the environment of a document."""

ANONYMOUS = "anonymous"


@dataclass(slots=True)
class _Content:
    """What is read of one environment before its Python is chosen."""

    reader: RequirementsReader
    secrets: Secrets
    python: str = ""
    python_fault: Callable[[UsageError], Fault] | None = None
    notes: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def from_curated(one: CuratedEnvironment, version: str | None, environ: Mapping[str, str]) -> Definition:
    """A curated environment, in place of Azure ML's ``version`` of it where another one than ours is asked for."""
    content = _new_content(environ)
    if version not in (None, one.version):
        if version is None or not version.isdigit():
            raise NotFoundError(
                f"environment {one.name}:{version} does not exist: versions of curated environments are numbers",
                hint=f"Write azureml:{one.name}@latest.",
            )
        content.notes.append(
            f"Workbench has its own version {one.version} of this curated environment, which is used in place of "
            f"Azure ML's version {version}"
        )
    for line in one.requirements():
        content.reader.read_line(line, None)
    content.python = one.python_specifier()
    return _finish(one.name, one.version, content, environ)


def from_document(
    document: Mapping[str, Any], folder: Path | None, position: Position | None, environ: Mapping[str, str]
) -> Definition:
    """The environment of a document, inline or registered; see ``resolve`` for the arguments."""
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
        return UsageError(f"environment {name} says nothing of its packages", hint="Give it a 'conda_file'.")
    return UsageError(
        f"environment {name} consists of {what}, which needs a container engine; Workbench does not run containers yet",
        hint=f"Give it a 'conda_file' with the packages that the job imports. {WAY_AROUND}",
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
    content.python_fault = lambda error: _fault(found.python_place, Problem(error.message, error.hint), position)
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
    faults = [*content.faults, *(_fault(None, problem, None) for problem in result.problems)]
    try:
        interpreter, note = find_interpreter(content.python, environ=environ)
    except UsageError as error:
        if content.python_fault is None:
            raise
        faults.append(content.python_fault(error))
        raise _refusal(name, faults) from None
    if faults:
        raise _refusal(name, faults)
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


def _refusal(name: str, faults: list[Fault]) -> UsageError:
    """All that is wrong: by its places where they are known, else by the path inside the document."""
    if all(fault.file for fault in faults):
        return DocumentError(faults)
    lines = "".join(f"\n  {fault if fault.file else _without_place(fault)}" for fault in faults)
    return UsageError(f"environment {name} cannot be built:{lines}")


def _without_place(fault: Fault) -> str:
    said = f"{fault.path}: {fault.message}" if fault.path else fault.message
    return f"{said}\n    {fault.hint}" if fault.hint else said
