"""From where a job wrote to where it is kept: files are moved one by one, so a move can stop anywhere and go on."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from store import trees
from store.disk import replace_file
from store.layout import JobFolder

LINK_REFUSED = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS})


class Keeper:
    """Keeps what one job wrote; ``snapshot`` is the code that its working copy was made of."""

    def __init__(self, folder: JobFolder, snapshot: Path | None) -> None:
        self.folder = folder
        self.snapshot = snapshot

    def keep(self, source: Path, target: Path) -> None:
        """Move all that is in a folder into another; what has the same name there is replaced.

        A job may have put a link or a file in the place of the folder: that is kept like any other.
        Files of the code that the job has not touched stay: they are no output.
        """
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._move(source, target, source)
            return
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        if source.is_dir():
            self._move_all(source, target, source)

    def _move_all(self, source: Path, target: Path, root: Path) -> None:
        let_in(source)
        for entry in sorted(source.iterdir()):
            self._move(entry, target / entry.name, root)

    def _move(self, entry: Path, target: Path, root: Path) -> None:
        if entry.is_symlink():
            self._move_link(entry, target, root)
        elif entry.is_dir():
            place = free(target, folder=True)
            place.mkdir(exist_ok=True, mode=0o700)
            self._move_all(entry, place, root)
            with contextlib.suppress(OSError):  # something in it was not moved
                entry.rmdir()
        elif entry.is_file() and not self._untouched(entry):
            move_file(entry, free(target, folder=False))

    def _untouched(self, file: Path) -> bool:
        """Whether a file is still as it was checked out."""
        if self.snapshot is None or not file.is_relative_to(self.folder.working_copy):
            return False
        try:
            before = (self.snapshot / file.relative_to(self.folder.working_copy)).stat()
        except OSError:
            return False
        now = file.stat()
        return (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    def _move_link(self, link: Path, target: Path, root: Path) -> None:
        """A link within what is moved goes on leading there; one into the rest of the job's folder becomes a copy."""
        leads_to = Path(os.path.normpath(link.parent / link.readlink()))
        place = free(target, folder=False)
        if leads_to.is_relative_to(root):
            self.link(place, place.parent / os.path.relpath(leads_to, link.parent))
        elif leads_to.is_relative_to(self.folder.root) and leads_to.is_dir():
            copy_folder(leads_to, free(target, folder=True))
        elif leads_to.is_relative_to(self.folder.root) and leads_to.is_file():
            replace_file(leads_to, place)
        else:
            replace_link(place, str(leads_to))
        link.unlink()

    def share(self, source: Path, target: Path) -> None:
        """Have the files of a folder in another, too: the same files where the file system allows, else copies."""
        if not source.is_dir():
            return
        for item in trees.survey(source).items:
            place = target / item.path
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if place.exists() and place.samefile(item.source):
                continue
            place.unlink(missing_ok=True)
            try:
                place.hardlink_to(item.source)
            except OSError as error:
                if error.errno not in LINK_REFUSED:
                    raise
                replace_file(Path(item.source), place, mtime_ns=item.mtime_ns)

    def link(self, link: Path, leads_to: Path) -> None:
        """Make a link, relative so that it holds when the workspace is moved."""
        replace_link(link, os.path.relpath(leads_to, link.parent))


def let_in(folder: Path) -> None:
    """Have a folder's owner read it and move things out of it, whatever mode the job gave it."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        folder.chmod(mode | stat.S_IRWXU)


def copy_folder(source: Path, target: Path) -> None:
    """Copy the files of a folder; a link in it that leads back to where the walk came from is not followed."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for item in trees.survey(source).items:
        place = target / item.path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(Path(item.source), place, 0o700 if item.executable else 0o600, item.mtime_ns)


def free(place: Path, *, folder: bool) -> Path:
    """A place to move something to: itself, unless a folder lies where a file is to go, or the other way round."""
    name, number = place.name, 0
    while occupied(place, folder=folder):
        number += 1
        place = place.with_name(f"{name}~{number}")
    return place


def occupied(place: Path, *, folder: bool) -> bool:
    """Whether what lies at a place can neither be merged with nor replaced."""
    if folder:
        return place.is_symlink() or (place.exists() and not place.is_dir())
    return place.is_dir() and not place.is_symlink()


def move_file(source: Path, target: Path) -> None:
    """Rename a file, or copy it where the target is on another file system."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        status = source.stat()
        replace_file(source, target, status.st_mode & 0o777, status.st_mtime_ns)
        source.unlink()


def replace_link(link: Path, leads_to: str) -> None:
    """Make a symbolic link, in the place of an older one or of a file."""
    new = link.with_name(f".{link.name[:200]}.partial")
    new.unlink(missing_ok=True)
    new.symlink_to(leads_to)
    new.replace(link)
