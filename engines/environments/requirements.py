"""pip's requirements files, made flat.

What comes out holds all that decides the result: other files that are named in it are read in, local packages are
known by the digest of their content.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from engines.environments.addresses import Secrets, expand

_COMMENT = re.compile(r"(^|\s+)#.*$")
_ADDRESS = re.compile(r"^(?:[a-z][a-z0-9]*\+)?[a-z][a-z0-9]*://", re.IGNORECASE)
_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz")
_HASHES = re.compile(r"\s--hash[=\s]\S+")
_OWN_OPTIONS = re.compile(r"\s--(?:hash|config-settings|global-option|install-option)[=\s]")
_NO_SOURCE = frozenset({".git", "__pycache__", ".venv", ".tox", ".mypy_cache", ".pytest_cache"})
_BUILT = frozenset({"build", "dist"})
"""At the top of a source folder: what building the package leaves there."""

_WITH_VALUE = {
    "-i": "index-url",
    "--index-url": "index-url",
    "--pypi-url": "index-url",
    "--extra-index-url": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
    "--trusted-host": "trusted-host",
    "--no-binary": "no-binary",
    "--only-binary": "only-binary",
}
_WITHOUT_VALUE = {"--no-index": "no-index", "--pre": "pre", "--require-hashes": "require-hashes"}
_IGNORED = frozenset({"--prefer-binary", "--no-cache-dir", "--upgrade", "-U"})
_FILES = {"-r": False, "--requirement": False, "-c": True, "--constraint": True}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong; ``file`` and ``line`` are set where it lies in a file of requirements."""

    message: str
    hint: str | None = None
    file: str | None = None
    line: int = 1


@dataclass(slots=True)
class Requirements:
    """What was read: each list in pip's words, ``options`` as pairs of a name without dashes and a value."""

    lines: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    constraint_files: list[Path] = field(default_factory=list)
    options: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class RequirementsReader:
    """Collects requirements from lines and files into ``result``."""

    def __init__(self, secrets: Secrets, environ: Mapping[str, str]) -> None:
        self.result = Requirements()
        self._secrets = secrets
        self._environ = environ
        self._reading: list[Path] = []

    def read_file(self, path: Path, *, constraints: bool = False) -> None:
        """Take in a requirements file, and those that it names."""
        if path in self._reading:
            self.result.problems.append(Problem(f"requirements file {path} names itself"))
            return
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            self.result.problems.append(Problem(f"cannot read requirements file {path}: {reason}"))
            return
        self._reading.append(path)
        for number, line in _joined(text.splitlines()):
            seen = len(self.result.problems)
            self.read_line(line, path.parent, constraints=constraints)
            self.result.problems[seen:] = [
                problem if problem.file else Problem(problem.message, problem.hint, str(path), number)
                for problem in self.result.problems[seen:]
            ]
        self._reading.pop()

    def read_line(self, text: str, folder: Path | None, *, constraints: bool = False) -> None:
        """Take in one line; relative paths in it begin at ``folder``."""
        line = _COMMENT.sub("", text).strip()
        if not line:
            return
        if line.startswith("-"):
            self._option(line, folder, constraints=constraints)
            return
        hashes = [match.strip().replace(" ", "=", 1) for match in _HASHES.findall(line)]
        own_options = _OWN_OPTIONS.search(line)
        bare = line[: own_options.start()].strip() if own_options else line
        if own_options and "--hash" not in own_options[0]:
            self.result.notes.append(f"'{line}': options of a single requirement are not passed on")
        requirement = self._requirement(bare, folder)
        if requirement:
            target = self.result.constraints if constraints else self.result.lines
            target.append(" ".join([requirement, *sorted(hashes)]))

    def _option(self, line: str, folder: Path | None, *, constraints: bool) -> None:
        try:
            words = shlex.split(line)
        except ValueError as error:
            self.result.problems.append(Problem(f"'{line}' cannot be read: {error}"))
            return
        while words:
            name, equals, value = words.pop(0).partition("=")
            if name[:2] in ("-r", "-c", "-e", "-i", "-f") and len(name) > 2 and not name.startswith("--"):
                name, equals, value = name[:2], "=", name[2:] + equals + value
            if name in _WITHOUT_VALUE:
                self.result.options.append((_WITHOUT_VALUE[name], ""))
            elif name in _IGNORED:
                continue
            elif name in _WITH_VALUE or name in _FILES or name in ("-e", "--editable"):
                if not equals and not words:
                    self.result.problems.append(Problem(f"'{line}': {name} lacks its value"))
                    return
                self._option_with_value(name, value if equals else words.pop(0), folder, constraints=constraints)
            else:
                self.result.problems.append(Problem(f"'{line}': pip's option {name} is not supported here"))
                return

    def _option_with_value(self, name: str, value: str, folder: Path | None, *, constraints: bool) -> None:
        if name in _FILES:
            if _ADDRESS.match(value):
                self.result.problems.append(
                    Problem(
                        f"'{name} {value}': a requirements file on the network can change",
                        "Put a copy beside the conda file.",
                    )
                )
                return
            path = self._absolute(value, folder)
            if path and _FILES[name]:
                self.result.constraint_files.append(path)
            if path:
                self.read_file(path, constraints=constraints or _FILES[name])
        elif name in _WITH_VALUE:
            option = _WITH_VALUE[name]
            if option in ("find-links", "index-url", "extra-index-url") and not _ADDRESS.match(value):
                path = self._absolute(value, folder)
                value = str(path) if path else value
            self.result.options.append((option, self._secrets.hide(value)))
        else:
            self.result.notes.append(f"'{name} {value}' is installed as it is now, not as an editable package")
            self.read_line(value, folder, constraints=constraints)

    def _requirement(self, text: str, folder: Path | None) -> str | None:
        """One requirement, normalised; None where it is wrong, which is then among the problems."""
        place, marker = _split_marker(text)
        if place.startswith("file:"):
            bare, extras = _split_extras(place)
            return self._local(Path(unquote(urlsplit(bare).path)), extras, marker)
        if _ADDRESS.match(place):
            return self._secrets.hide(place) + marker
        if _is_path(place):
            bare, extras = _split_extras(place)
            path = self._absolute(bare, folder)
            return self._local(path, extras, marker) if path else None
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            self.result.problems.append(
                Problem(f"'{text}' is no requirement that pip knows: {str(error).splitlines()[0]}")
            )
            return None
        requirement.name = canonicalize_name(requirement.name)
        local = Path(unquote(urlsplit(requirement.url).path)) if (requirement.url or "").startswith("file:") else None
        if local and self._local(local, "", "") is None:
            return None
        return self._secrets.hide(str(requirement))

    def _local(self, path: Path, extras: str, marker: str) -> str | None:
        """A wheel, an archive or a source folder on this machine, known by its content."""
        try:
            self.result.files[str(path)] = fingerprint(path)
        except OSError as error:
            self.result.problems.append(Problem(f"local package {path} cannot be read: {error.strerror}"))
            return None
        return f"file://{quote(str(path))}{extras}{marker}"

    def _absolute(self, text: str, folder: Path | None) -> Path | None:
        path = Path(expand(text, self._environ)).expanduser()
        if path.is_absolute():
            return Path(os.path.normpath(path))
        if folder is None:
            self.result.problems.append(
                Problem(f"'{text}' is a relative path, and there is no file that it could be relative to")
            )
            return None
        return Path(os.path.normpath(folder / path))


def fingerprint(path: Path) -> str:
    """A digest of a file's content, or of all files in a source folder. Raises OSError."""
    digest = hashlib.sha256()
    if path.is_file():
        digest.update(path.read_bytes())
        return digest.hexdigest()
    path.stat()
    for folder, folders, files in os.walk(path):
        skipped = _NO_SOURCE | _BUILT if Path(folder) == path else _NO_SOURCE
        folders[:] = sorted(name for name in folders if name not in skipped and not name.endswith(".egg-info"))
        for name in sorted(files):
            file = Path(folder, name)
            if file.is_file() and not name.endswith(".pyc"):
                digest.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _joined(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    """Lines with their numbers; one that ends in a backslash goes on in the next."""
    begun: list[str] = []
    first = 1
    for number, line in enumerate(lines, start=1):
        if not begun:
            first = number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun.append(line[:-1])
            continue
        yield first, "".join([*begun, line])
        begun = []
    if begun:
        yield first, "".join(begun)


def _split_marker(text: str) -> tuple[str, str]:
    """An address or path, and its marker as it is written behind one."""
    place, separator, marker = text.partition(" ;")
    return place.strip(), f" ; {marker.strip()}" if separator else ""


def _split_extras(place: str) -> tuple[str, str]:
    bare, bracket, extras = place.partition("[")
    return bare, bracket + extras


def _is_path(text: str) -> bool:
    if " @ " in text or re.match(r"^[\w.\-]+\s*(\[[^\]]*\])?\s*[<>=!~]", text):
        return False
    bare = text.split("[")[0].strip()
    return bare.startswith((".", "/", "~")) or os.sep in bare or bare.endswith(_ARCHIVES)
