"""On what kind of file system a path lies: SQLite and file locks need one of this machine's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NETWORK = frozenset(
    "nfs nfs3 nfs4 cifs smb smb2 smb3 smbfs 9p afs afpfs webdav davfs ceph coda gfs2 glusterfs lustre gpfs beegfs"
    " beegfs_nodev ocfs2 orangefs pvfs2 panfs ncpfs drvfs v9fs quobyte weka wekafs".split()
)
"""File systems of other machines, or shared with them."""

LOCAL_FUSE = frozenset(
    "fuseblk fuse.ntfs fuse.ntfs-3g fuse.exfat fuse.overlayfs fuse.fuse-overlayfs fuse.mergerfs fuse.zfs"
    " fuse.gocryptfs fuse.encfs fuse.cryfs fuse.lxcfs fuse.bindfs".split()
)
"""FUSE file systems over a disk of this machine; any other is taken for a network's (sshfs, rclone, blobfuse, ...)."""

MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})

ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system."""

    source: str
    point: Path
    kind: str
    read_only: bool = False

    @property
    def is_network(self) -> bool:
        """Whether it belongs to another machine, or is shared with others."""
        return self.kind in NETWORK or (self.kind.startswith("fuse") and self.kind not in LOCAL_FUSE)

    @property
    def is_memory(self) -> bool:
        """Whether it is gone at the next boot."""
        return self.kind in MEMORY


def mount_of(path: Path, table: Iterable[Mount] | None = None) -> Mount | None:
    """The file system that holds a path, whether that exists or not; None where it cannot be told."""
    place = existing(path).resolve()
    found = None
    for mount in mounts() if table is None else table:
        covers = place == mount.point or mount.point in place.parents
        if covers and (found is None or len(mount.point.parts) >= len(found.point.parts)):
            found = mount
    return found


def existing(path: Path) -> Path:
    """A path, or the nearest folder above it that exists."""
    for candidate in (path, *path.parents):
        if candidate.exists():
            return candidate
    return Path("/")


def mounts() -> list[Mount]:
    """What is mounted, in order of mounting."""
    try:
        text = os.fsdecode(Path("/proc/self/mounts").read_bytes())
    except OSError:
        return mounts_elsewhere()
    return parse(text)


def parse(text: str) -> list[Mount]:
    """The table of mounts as Linux writes it (proc_pid_mounts(5))."""
    found = []
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) >= 4:
            source, point, kind, options = map(unescape, fields[:4])
            found.append(Mount(source, Path(point), kind, "ro" in options.split(",")))
    return found


def unescape(field: str) -> str:
    """A field without its octal escapes for blanks and the like."""
    return ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), field)


def mounts_elsewhere() -> list[Mount]:
    """The same where there is no /proc."""
    import psutil

    return [
        Mount(each.device, Path(each.mountpoint), each.fstype, "ro" in each.opts.split(","))
        for each in psutil.disk_partitions(all=True)
    ]
