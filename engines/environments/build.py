"""Building an environment: a virtual environment at ``<workspace>/environments/<hash>``, filled by uv.

It is built where it stays, since packages write the path of their Python into scripts, and counts as built when the
marker ``.ready`` is in it, which is written last. A lock beside the folder keeps two builders apart; the kernel drops
it with a builder that dies, and the next one ends what that one left running and begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from engines.environments import pip_settings
from engines.environments.addresses import expand, redact
from engines.environments.built import READY, folder, interpreter
from engines.environments.definition import Definition, Interpreter
from engines.environments.failures import explain
from engines.environments.interpreters import find, uv_program
from engines.environments.requirements import fingerprint
from engines.environments.running import ASKED_EVERY, BuildCanceled, end_orphans, run
from store.disk import locked, write_whole
from store.errors import ConflictError, MachineError
from store.layout import Layout
from store.telling import Cancelled, Say

_BUILDING = "WORKBENCH_BUILDING"
"""The variable by which processes of a build are known; its value is the folder that is built."""

_OTHER_PYTHONS = (
    "PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX UV_PYTHON UV_PROJECT UV_PROJECT_ENVIRONMENT UV_SYSTEM_PYTHON "
    "UV_WORKING_DIR UV_TARGET UV_PREFIX"
).split()

_STEP = re.compile(r"\s*(?:Resolved|Downloading|Building|Prepared|Installed|Bytecode|warning:)")
"""What of uv's output is worth a line on the screen; the log has it all."""

_BARE_SINCE = Version("3.12")
"""Since then a new environment holds pip alone, as with Python's own venv."""


def build(
    definition: Definition,
    layout: Layout,
    log: Path,
    cancelled: Cancelled = lambda: False,
    say: Say = lambda line: None,
    *,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Build the environment, unless it is there, and return its Python; uv's output is appended to ``log``.

    ``environ`` holds the variables of whoever submitted the job, the definition's secrets among them. ``cancelled`` is
    asked ten times a second; ``say`` gets a line for each step. Raises BuildCanceled, MachineError where the machine or
    the network is at fault, ConflictError where a local package was changed since, WorkbenchError for uv's refusals.
    """
    python = interpreter(definition, layout)
    if python:
        return python
    variables = dict(os.environ if environ is None else environ) | dict(definition.secrets)
    place = folder(definition, layout)
    try:
        layout.environments.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _exclusive(place.with_name(f"{place.name}.lock"), cancelled, say):
            python = interpreter(definition, layout)
            return python or _build_anew(_Build(definition, place, log, variables, cancelled, say))
    except OSError as error:
        raise _machine_error(definition, error) from error


@contextlib.contextmanager
def _exclusive(path: Path, cancelled: Cancelled, say: Say) -> Iterator[None]:
    told = False

    def waiting() -> None:
        nonlocal told
        if cancelled():
            raise BuildCanceled("waiting for another build of the environment was canceled") from None
        if not told:
            say("Another job is building this environment: waiting for it")
            told = True
        time.sleep(ASKED_EVERY)

    with locked(path, waiting):
        yield


@dataclass(frozen=True, slots=True)
class _Build:
    definition: Definition
    place: Path
    log: Path
    variables: Mapping[str, str]
    cancelled: Cancelled
    say: Say


def _build_anew(build: _Build) -> Path:
    definition, place = build.definition, build.place
    if place.exists():
        end_orphans(_BUILDING, str(place))
        shutil.rmtree(place)
    _check_files(definition)
    interpreter = _interpreter(definition, build)
    started = time.monotonic()
    build.say(f"Building environment {definition} with Python {interpreter.version}, once; log: {build.log}")
    try:
        _fill(build, interpreter)
        _check_files(definition)
        _mark_ready(definition, place, time.monotonic() - started)
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(place)
        raise
    build.say(f"Environment {definition} is ready after {time.monotonic() - started:.1f} s")
    return place / "bin" / "python"


def _interpreter(definition: Definition, build: _Build) -> Interpreter:
    """The Python chosen at submission; it may be gone by now, and another one that fits take its place."""
    chosen = definition.interpreter
    if chosen and Path(chosen.path).exists():
        return chosen
    found, note = find(f"=={chosen.version}" if chosen else "", environ=build.variables)
    if note:
        build.say(note)
    return found


def _fill(build: _Build, interpreter: Interpreter) -> None:
    definition, place = build.definition, build.place
    options = [(name, expand(value, build.variables)) for name, value in definition.options]
    uv = pip_settings.for_uv(pip_settings.read(build.variables), options, build.variables)
    program = uv_program()
    build.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(build.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:
        runner = _Uv(build, {**_clean(build.variables), **uv.variables, _BUILDING: str(place)}, log.write, log.flush)
        runner.check([program, "venv", "--no-project", "--python", interpreter.path, str(place)])
        install = [program, "pip", "install", "--python", str(place / "bin" / "python")]
        files = _requirement_files(definition, place)
        if definition.requirements:
            runner.check([*install, "--compile-bytecode", *uv.flags, *files])
        # A job's own `pip install` must find the pip of its environment, or it would change another one. Few jobs do
        # that: byte code of pip is left to them.
        seeds = ["pip"] if Version(interpreter.version) >= _BARE_SINCE else ["pip", "setuptools", "wheel"]
        plain = [flag for flag in uv.flags if flag != "--require-hashes"]
        if runner.run([*install, *plain, *seeds]):
            build.say("pip itself cannot be installed: the environment is built without it")


def _requirement_files(definition: Definition, place: Path) -> list[str]:
    """What was asked for, beside what came of it; addresses hold variables in place of secrets."""
    arguments: list[str] = []
    for option, name, lines in (
        ("--requirements", "requirements.txt", definition.requirements),
        ("--constraints", "constraints.txt", definition.constraints),
    ):
        path = place / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        arguments += [option, str(path)] if lines else []
    return arguments


@dataclass(frozen=True, slots=True)
class _Uv:
    build: _Build
    variables: Mapping[str, str]
    write: Callable[[str], int]
    flush: Callable[[], None]

    def run(self, arguments: Sequence[str]) -> list[str]:
        """Returns the last lines of a run that failed, and nothing for one that did not."""
        code, lines = run(arguments, self.variables, each_line=self._take, cancelled=self.build.cancelled)
        return [self._redacted(line) for line in lines] or [f"uv ended with code {code}"] if code else []

    def check(self, arguments: Sequence[str]) -> None:
        lines = self.run(arguments)
        if lines:
            raise explain(str(self.build.definition), lines)

    def _take(self, line: str) -> None:
        line = self._redacted(line)
        self.write(f"{line}\n")
        self.flush()
        if _STEP.match(line):
            self.build.say(line.strip())

    def _redacted(self, line: str) -> str:
        for secret in self.build.definition.secrets.values():
            line = line.replace(secret, "****") if len(secret) > 3 else line
        return redact(line)


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _OTHER_PYTHONS}
    return {**kept, "NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def _check_files(definition: Definition) -> None:
    for path, digest in definition.files:
        try:
            same = fingerprint(Path(path)) == digest
        except FileNotFoundError:
            same = False
        if not same:
            raise ConflictError(
                f"local package {path} of environment {definition} is not what it was when the job was submitted",
                hint="Submit the job again to run it with the package as it is now.",
            )


def _mark_ready(definition: Definition, place: Path, seconds: float) -> None:
    data = {"built_at": time.time(), "seconds": round(seconds, 3), "definition": definition.as_dict()}
    write_whole(place / READY, json.dumps(data), durable=True)


def _machine_error(definition: Definition, error: OSError) -> MachineError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MachineError(
            f"environment {definition} cannot be built: the disk is full ({error.filename})",
            hint="Free some room, then run the job again.",
        )
    return MachineError(f"environment {definition} cannot be built: {error}")
