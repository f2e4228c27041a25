"""Which files of a code folder are left out of its snapshot.

``.amlignore`` in the folder's root counts, else ``.gitignore`` there, never both, as in Azure ML's client. The last
pattern that matches a file, or a folder above it, decides. That is git's rule but for one thing: in git nothing below
an ignored folder can come back; here ``!folder/file`` brings it back, as on Azure.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable
from pathlib import Path

ALWAYS = frozenset({".git", ".workbench"})
"""Folders that are never code, whatever an ignore file says; so is a file ``.git``, which leads to the repository."""

DEFAULTS = frozenset(
    {".hg", ".svn", ".venv", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
)
"""Folders that are left out unless a ``!`` pattern ends in their name."""

ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
"""A folder with one of these in it is a Python environment, whatever its name."""

WORKSPACE_MARKS = frozenset({"workbench.db", "blobstore"})
"""A folder with all of these in it is a workspace."""


CLASS = re.compile(r"\\.|\[\^?\]?[^\]]*\]", re.DOTALL)
"""An escape in a regular expression, or a class of characters."""


def within_a_name(part: re.Match[str]) -> str:
    """A class that does not match ``/``, as in git, where pathspec's would: ``a[!x]b`` is not ``a/b``."""
    return part[0] if part[0].startswith("\\") or part[0] == "[^/]" else f"(?!/){part[0]}"


class Rules:
    """The patterns of one ignore file."""

    def __init__(self, lines: Iterable[str] = (), name: str = ".amlignore") -> None:
        self.name = name
        self.notes: list[str] = []
        self._patterns: list[tuple[re.Pattern[str], bool]] = []
        self._wanted: set[str] = set()
        self._last_return = -1
        for number, line in enumerate(lines, 1):
            self._add(line.rstrip("\r"), number)

    def _add(self, line: str, number: int) -> None:
        from pathspec.patterns.gitignore.basic import GitIgnoreBasicPattern

        if line.strip().lstrip("!") == "/":  # matches nothing in git, and everything in pathspec
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of ``re``, about brackets within brackets
                pattern = GitIgnoreBasicPattern(line)
                regex = pattern.regex and re.compile(CLASS.sub(within_a_name, pattern.regex.pattern))
        except (ValueError, re.error) as error:
            self.notes.append(f"{self.name}:{number}: {line!r} is no valid pattern and matches nothing: {error}")
            return
        if regex is None or pattern.include is None:
            return
        if not pattern.include:
            self._wanted.add(line.strip().strip("!/").rpartition("/")[2])
            self._last_return = len(self._patterns)
        self._patterns.append((regex, pattern.include))

    def decide(self, path: str, above: int) -> int:
        """The number of the pattern that decides over a path (a folder's ends in ``/``), -1 for none.

        ``above`` is the number of the one that decides over its folder.
        """
        for number in range(len(self._patterns) - 1, above, -1):
            if self._patterns[number][0].search(path):
                return number
        return above

    def excludes(self, number: int) -> bool:
        """Whether the pattern of a number leaves out what it decides over."""
        return number >= 0 and self._patterns[number][1]

    def may_return(self, number: int) -> bool:
        """Whether something below a folder that this pattern leaves out can still be brought back."""
        return self._last_return > number

    def wants(self, folder_name: str) -> bool:
        """Whether a ``!`` pattern names a folder that is left out by default."""
        return folder_name in self._wanted


def read_rules(root: Path) -> Rules:
    """The rules of a code folder: of its ``.amlignore``, else of its ``.gitignore``, else none."""
    for name in (".amlignore", ".gitignore"):
        try:
            text = (root / name).read_text("utf-8-sig", "surrogateescape")
        except (FileNotFoundError, IsADirectoryError):
            continue
        return Rules(text.split("\n"), name)
    return Rules()


class CodeFiles:
    """The files of a code folder that belong to its snapshot (a ``trees.Choice``)."""

    def __init__(self, rules: Rules, workspace: tuple[int, int] | None) -> None:
        self.rules = rules
        self.workspace = workspace

    def enter(self, path: str, names: Collection[str], identity: tuple[int, int], above: int) -> int | None:
        if not path:
            return above
        if self.never(path.rpartition("/")[2], names, identity):
            return None
        number = self.rules.decide(f"{path}/", above)
        if self.rules.excludes(number) and not self.rules.may_return(number):
            return None
        return number

    def never(self, name: str, names: Collection[str], identity: tuple[int, int]) -> bool:
        """Whether a folder is left out whatever its files are."""
        if name in ALWAYS or identity == self.workspace or WORKSPACE_MARKS.issubset(names):
            return True
        ignored = name in DEFAULTS or not ENVIRONMENT_MARKS.isdisjoint(names)
        return ignored and not self.rules.wants(name)

    def takes(self, path: str, above: int) -> bool:
        if path.rpartition("/")[2] == ".git":  # of a submodule or a work tree: git in the job would change the user's
            return False
        return not self.rules.excludes(self.rules.decide(path, above))
