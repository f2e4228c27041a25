"""Find a workspace, or make one.

Looked for in this order: a path given, ``$WORKBENCH_WORKSPACE``, a ``.workbench`` folder up the tree, the user's
default. A path that is no workspace yet becomes one at the first command that writes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import database
from store.disk import flush, locked, write_whole
from store.errors import ConflictError, MachineError, NotFoundError, UsageError
from store.layout import Layout
from store.mounts import Mount, mount_of
from store.telling import Say

MIGRATION_SECONDS = 60.0
"""How long a command waits for another that migrates the workspace."""

FOLDERS = ("blobstore", "filestore", "vault", "environments", "jobs", "run")


@dataclass(frozen=True, slots=True)
class Found:
    """Where the workspace is, or would be."""

    layout: Layout
    origin: str
    """``option``, ``environment``, ``folder`` or ``default``."""

    @property
    def exists(self) -> bool:
        return self.layout.database.exists()


def data_folder() -> Path:
    """The user's data folder for Workbench (XDG base directory specification)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "workbench"


def locate(given: str | None, start: Path | None = None) -> Found:
    """Where the workspace of this command is; nothing is created."""
    if given:
        return Found(Layout(absolute(given)), "option")
    if variable := os.environ.get("WORKBENCH_WORKSPACE"):
        return Found(Layout(absolute(variable)), "environment")
    here = start or Path.cwd()
    for folder in (here, *here.parents):
        candidate = folder / ".workbench"
        if is_workspace_or_empty(candidate):
            return Found(Layout(candidate.resolve()), "folder")
    return Found(Layout(absolute(str(data_folder() / "default"))), "default")


def is_workspace_or_empty(folder: Path) -> bool:
    """Whether a folder is a workspace, or one that is yet to be made; not what another program keeps there."""
    try:
        return (folder / "workbench.db").exists() or all(is_ours(entry.name) for entry in folder.iterdir())
    except OSError:  # there is none, or none that we may look into
        return False


def absolute(path: str) -> Path:
    """The absolute path of a workspace; symbolic links resolved, so that one workspace has one agent.

    Raises UsageError where a file is in the way of such a folder.
    """
    root = Path(path).expanduser().resolve()
    refuse_file(root)
    return root


def refuse_file(root: Path) -> None:
    """Raise UsageError where ``root``, or something above it, is a file."""
    nearest = next(place for place in (root, *root.parents) if os.path.exists(place))
    if not os.path.isdir(nearest):
        place = "for a workspace" if nearest == root else f"that could hold the workspace {root}"
        raise UsageError(
            f"{nearest} is a file, not a folder {place}",
            hint="--workspace and $WORKBENCH_WORKSPACE take the path of a folder, which need not exist yet.",
        )


def open_existing(found: Found, end_agent: Callable[[Layout], object] = lambda _: None) -> sqlite3.Connection:
    """Connect to a workspace that exists. Raises NotFoundError when there is none.

    An older one is migrated first, for which ``end_agent`` is called: no agent may be alive meanwhile.
    """
    if not found.exists:
        raise NotFoundError(
            f"there is no workspace at {found.layout.root} yet",
            hint="`workbench run FILE` or `workbench workspace create` makes one.",
        )
    try:
        return database.connect(found.layout.database)
    except database.RevisionError as error:
        if database.is_read_only(error.database):
            raise
        return upgrade(found.layout, error, end_agent)


def read_only_note(layout: Layout) -> str | None:
    """What to say of a workspace that can only be looked at; None for one that can be written."""
    if not database.is_read_only(layout.database):
        return None
    missing = database.left_out(layout.database)
    return f"{layout.root} is read-only here: shown is what stands in it, and no agent is started." + (
        f" The last changes are left out: they are in {missing}. In a copy that you may write they show."
        if missing
        else ""
    )


def refuse_read_only(layout: Layout) -> None:
    """Raise StoreError for a workspace that can only be looked at."""
    if layout.database.exists() and database.is_read_only(layout.database):
        raise database.read_only(layout.database, "its folder is read-only")


def upgrade(layout: Layout, error: database.RevisionError, end_agent: Callable[[Layout], object]) -> sqlite3.Connection:
    """Migrate an older database, with no agent alive; a newer one raises the error that brought us here.

    A workspace comes into being with its tables: an empty database is one that was damaged, and is left as it is.
    """
    from store import migrate

    if error.found is None:
        raise MachineError(
            f"{error.database} is empty: the jobs of this workspace are not in it any more",
            hint="Put a copy back, if there is one (migrations leave *.backup beside it); jobs/ still has the logs. "
            "To begin anew, move the file away.",
        )
    migrate.refuse_newer(error.database, error.found)
    end_agent(layout)
    refusal = "an agent is running in this workspace: `workbench agent stop` ends it first"
    with exclusive(layout.agent_lock, refusal, MIGRATION_SECONDS):
        migrate.migrate(layout.database)
    return database.connect(layout.database)


def open_or_create(
    found: Found, say: Say, end_agent: Callable[[Layout], object] = lambda _: None
) -> sqlite3.Connection:
    """Connect, making the workspace first when there is none."""
    if not found.exists:
        try:
            create(found.layout, {"name": default_name(found)}, say)
        except ConflictError:
            if not found.exists:  # else another process made it in the meantime
                raise
    return open_existing(found, end_agent)


def default_name(found: Found) -> str:
    """A name for a workspace that was not given one."""
    if found.origin == "default":
        return "default"
    root = found.layout.root
    return root.parent.name if root.name == ".workbench" else root.name


def create(layout: Layout, document: dict[str, Any], say: Say) -> None:
    """Make a workspace at ``layout.root``. Raises ConflictError when there is one, MachineError when it cannot be."""
    if layout.database.exists():
        raise ConflictError(f"{layout.root} is a workspace already")
    refuse_foreign_folder(layout.root)
    try:
        layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        layout.root.chmod(0o700)
        with locked(layout.root / ".creating"):
            if layout.database.exists():
                raise ConflictError(f"{layout.root} is a workspace already")
            fill(layout, document, say)
    except OSError as error:
        raise MachineError(f"no workspace could be made at {layout.root}: {error.strerror or error}") from error
    (layout.root / ".creating").unlink(missing_ok=True)
    remember(layout.root, document["name"])


def refuse_foreign_folder(root: Path) -> None:
    """A workspace is never strewn into a folder that holds something else."""
    refuse_file(root)
    foreign = sorted(entry.name for entry in root.iterdir() if not is_ours(entry.name)) if root.is_dir() else []
    if foreign:
        raise UsageError(
            f"{root} holds other things ({', '.join(foreign[:3])}): a workspace wants a folder of its own",
            hint=f"Name a new folder, such as {root / '.workbench'}.",
        )


def is_ours(name: str) -> bool:
    """Whether a file of this name may lie in a workspace that is being made, or that was cut short."""
    return name in {*FOLDERS, ".creating"} or name.lstrip(".").startswith(("workbench.db", "mlflow.db"))


def fill(layout: Layout, document: dict[str, Any], say: Say) -> None:
    """Make the folders and databases; ``workbench.db`` comes last, by rename, and makes it a workspace."""
    from store.tracking.template import ensure_mlflow_database

    say(f"new workspace {document['name']!r} at {layout.root}")
    if warning := network_warning(layout.root):
        say(warning)
    for name in FOLDERS:
        (layout.root / name).mkdir(exist_ok=True, mode=0o700)
    ensure_mlflow_database(layout, say)
    fresh = layout.root / "workbench.db.new"
    for leftover in layout.root.glob("workbench.db.new*"):
        leftover.unlink()
    fill_database(fresh, document)
    fresh.rename(layout.database)
    flush(layout.root, layout.root.parent)


def network_warning(root: Path, mounts: Iterable[Mount] | None = None) -> str | None:
    """What to say of a place on another machine's disk; None for one on a disk of this machine."""
    mount = mount_of(root, mounts)
    if mount is None or not mount.is_network:
        return None
    return (
        f"warning: {root} is on a network file system ({mount.kind}, {mount.source}): SQLite and locks may fail there."
        " A folder on a disk of this machine is safe: --workspace PATH or $WORKBENCH_WORKSPACE."
    )


def fill_database(fresh: Path, document: dict[str, Any]) -> None:
    """Make the database of a new workspace, as one file without a write-ahead log."""
    from store import migrate

    migrate.migrate(fresh)
    connection = database.connect(fresh)
    with database.write(connection):
        connection.execute(
            "INSERT INTO workspace (id, name, document, created_at) VALUES (?, ?, ?, ?)",
            (uuid.uuid4().hex, document["name"], json.dumps(document), time.time()),
        )
        connection.execute(
            "INSERT INTO compute (name, type, document, created_at) VALUES ('local', 'local', ?, ?)",
            (json.dumps({"type": "local", "name": "local"}), time.time()),
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def draft(found: Found) -> sqlite3.Connection:
    """What a new workspace would hold, in memory: to read and to check before there is one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workbench.db"
        fill_database(file, {"name": default_name(found)})
        filled, memory = database.connect(file), database.open_unchecked(Path(":memory:"))
        filled.backup(memory)
        filled.close()
    return memory


def show(layout: Layout, connection: sqlite3.Connection) -> dict[str, Any]:
    """The workspace document, with where it lies."""
    row = connection.execute("SELECT * FROM workspace").fetchone()
    return {
        **json.loads(row["document"]),
        "name": row["name"],
        "id": row["id"],
        "path": str(layout.root),
        "mlflow_tracking_uri": f"sqlite:///{layout.mlflow_database}",
        "creation_time": row["created_at"],
    }


def delete(layout: Layout) -> None:
    """Remove a workspace with all that it holds. Raises ConflictError while its agent runs."""
    if not layout.database.exists():
        raise NotFoundError(f"{layout.root} is not a workspace")
    with exclusive(layout.agent_lock, "its agent is running: `workbench agent stop` ends it first"):
        layout.database.unlink()
        shutil.rmtree(layout.root)
    forget(layout.root)


@contextlib.contextmanager
def exclusive(file: Path, refusal: str, patience: float = 1.0) -> Iterator[None]:
    """Hold the agent's lock. Raises ConflictError with ``refusal`` when another still holds it after ``patience``.

    What a dead agent left in the file is cleared: whoever looks now would take it for the holder.
    """
    deadline = time.monotonic() + patience

    def wait() -> None:
        if time.monotonic() > deadline:
            raise ConflictError(refusal)
        time.sleep(0.02)

    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(file, wait):
        os.truncate(file, 0)
        yield


def known_file() -> Path:
    """Where the workspaces of this user are noted."""
    return data_folder() / "workspaces.json"


def known() -> dict[str, str]:
    """Path to name of each workspace that this user has used and that still exists."""
    try:
        noted = json.loads(known_file().read_text())
    except (OSError, ValueError):
        return {}
    return {path: name for path, name in noted.items() if Layout(Path(path)).database.exists()}


def remember(root: Path, name: str) -> None:
    """Note a workspace for ``workspace list``."""
    update_known(lambda noted: {**noted, str(root): name})


def forget(root: Path) -> None:
    """Take a workspace off the list."""
    update_known(lambda noted: {path: name for path, name in noted.items() if path != str(root)})


def update_known(change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Rewrite the list of workspaces, one writer at a time. A home that cannot be written only costs the list."""
    file = known_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(file.with_suffix(".lock")):
            write_whole(file, json.dumps(change(known()), indent=1))
    except OSError:
        return


def named(name: str) -> list[Path]:
    """The known workspaces of a name."""
    return [Path(path) for path, known_name in known().items() if known_name == name]


def check_name(name: str) -> str:
    """A workspace's name, as Azure ML allows it. Raises UsageError."""
    if not re.fullmatch(r"[a-zA-Z0-9][\w-]{1,32}", name):
        raise UsageError(
            f"{name!r} is no workspace name: 2 to 33 letters, digits, '-' and '_', beginning with a letter or digit"
        )
    return name
