"""Where the user was when the line broke: remembered as commands, forgotten when the user leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path

from store import disk

MOST_WORKSPACES = 50


def state_file() -> Path:
    """In the user's state folder (XDG base directory specification)."""
    folder = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(folder) / "workbench" / "places.json"


def remembered(root: Path) -> list[str]:
    """The commands that lead back, nothing where the last session was left on purpose."""
    places = _read().get(str(root), [])
    return [place for place in places if isinstance(place, str)] if isinstance(places, list) else []


def remember(root: Path, places: list[str]) -> None:
    """Keep the way back; an empty one forgets it. A state folder that cannot be written costs nothing but that."""
    file, known = state_file(), _read()
    known.pop(str(root), None)
    if places:
        known[str(root)] = places
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        disk.write_whole(file, json.dumps(dict(list(known.items())[-MOST_WORKSPACES:])))
    except OSError:
        return


def _read() -> dict[str, object]:
    try:
        known = json.loads(state_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
