"""Writing a document as YAML that a person reads and edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Block style throughout, a text of several lines as it would be typed."""

    def ignore_aliases(self, data: Any) -> bool:
        """An anchor in a document that nobody wrote one in is a riddle."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value and all(line == line.rstrip() for line in value.split("\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(document: Mapping[str, Any]) -> str:
    """A document as YAML, its keys in their order; an empty one is an empty text."""
    if not document:
        return ""
    return str(yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000))
