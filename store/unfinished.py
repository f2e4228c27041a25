"""Names of files and folders that are still coming, or whose writer was killed: no listing or reader takes them."""

from __future__ import annotations

PARTIAL = ".workbench-partial"
"""What their names end with; a file of this very name marks a folder into which an upload is not complete."""


def hidden(name: str, token: str) -> str:
    """Under what something lies until it is whole; who comes again with the same token finds it again."""
    return f".{name[:120]}.{token[:100]}{PARTIAL}"


def is_unfinished(name: str) -> bool:
    """Whether it is such a name."""
    return name.startswith(".") and name.endswith(PARTIAL) and name != PARTIAL


def is_of(found: str, name: str) -> bool:
    """Whether a name is one under which another came, with whatever token."""
    return is_unfinished(found) and found.removesuffix(PARTIAL).rpartition(".")[0] == f".{name[:120]}"
