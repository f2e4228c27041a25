"""The patterns of ``.amlignore`` and ``.gitignore``, held against git itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.ignore import Rules
from tests.file_trees import fill

NAMES = ["a", "b", "ab", "a.py", "b.txt", "c d", "!x", "#y", "a-b", "A"]
PATHS = [*NAMES, *(f"d{n}/{m}" for n in NAMES for m in NAMES[:5]), "a1/b/a", "x/y/z/a", "x/y/b", "x/b/y/b.txt", "x/a/c"]
PARTS = [*"abxydcA1./*?- \\", "**", "[ab]", "[!a]", "[a-c]", ".py", "/**", "**/"]
ODD = re.compile(r"[^/!]\*\*|\*\*[^/]|/\*\*/+$|\\/")
"""Where git differs from its manual (``a**``), or pathspec, and so Azure's client, from git (``a/**/``, ``a\\/b``)."""
PATTERN = (
    st.lists(st.sampled_from([*PARTS, "!", "#"]), min_size=1, max_size=6)
    .map("".join)
    .filter(lambda pattern: not ODD.search(pattern))
)
POSITIVE = PATTERN.filter(lambda pattern: not pattern.startswith("!"))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", folder], check=True)
    fill(folder, dict.fromkeys(PATHS, ""))
    return folder


def ignored_by_git(repository: Path, lines: list[str]) -> set[str]:
    (repository / ".gitignore").write_text("\n".join(lines) + "\n")
    command = ["git", "-C", str(repository), "check-ignore", "--no-index", "-z", "--stdin"]
    done = subprocess.run(command, input="\0".join(PATHS), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return set(done.stdout.split("\0")) - {""}


def ignored_by_us(lines: list[str]) -> set[str]:
    rules = Rules(lines)

    def number(path: str) -> int:
        parent = path.rstrip("/").rpartition("/")[0]
        return rules.decide(path, number(f"{parent}/") if parent else -1)

    return {path for path in PATHS if rules.excludes(number(path))}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(POSITIVE, min_size=1, max_size=4))
def test_without_exceptions_we_ignore_exactly_what_git_ignores(repository: Path, lines: list[str]) -> None:
    assert ignored_by_us(lines) == ignored_by_git(repository, lines)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(PATTERN, min_size=2, max_size=4))
def test_with_exceptions_the_last_pattern_that_git_matches_wins(repository: Path, lines: list[str]) -> None:
    expected: set[str] = set()
    for line in lines:
        matched = ignored_by_git(repository, [line.removeprefix("!")])
        expected = expected - matched if line.startswith("!") else expected | matched
    assert ignored_by_us(lines) == expected
