"""On what kind of file system a path lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.mounts import Mount, existing, mount_of, mounts, parse

TABLE = r"""
proc /proc proc rw,nosuid 0 0
/dev/sda1 / ext4 rw,relatime 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/local xfs rw 0 0
C:\134 /mnt/c 9p rw 0 0
me@host: /mnt/my\040disk fuse.sshfs rw,user_id=0 0 0
/dev/sdc1 /mnt/ntfs fuseblk rw 0 0
tmpfs /run tmpfs ro,nosuid 0 0
//nas/x /srv/deep cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/srv", "ext4", False),
        ("/home/me/.workbench", "nfs4", True),
        ("/home/local/me", "xfs", False),
        ("/homestead", "ext4", False),
        ("/mnt/c/Users", "9p", True),
        ("/mnt/my disk/x", "fuse.sshfs", True),
        ("/mnt/ntfs/x", "fuseblk", False),
        ("/srv/deep/er", "cifs", True),
    ],
)
def test_the_deepest_mount_counts(path: str, kind: str, network: bool) -> None:
    table = parse(TABLE)
    places = [each for each in table if each.point in (Path(path), *Path(path).parents)]
    found = max(places, key=lambda each: len(each.point.parts))
    assert (found.kind, found.is_network) == (kind, network)


def test_a_path_that_does_not_exist_belongs_to_its_nearest_folder(tmp_path: Path) -> None:
    table = [Mount("a", Path("/"), "ext4"), Mount("server:/x", tmp_path.resolve(), "nfs")]
    assert existing(tmp_path / "no" / "where") == tmp_path
    found = mount_of(tmp_path / "no" / "where", table)
    assert found is not None and found.is_network


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to("far")
    table = [Mount("a", Path("/"), "ext4"), Mount("server:/x", (tmp_path / "far").resolve(), "nfs")]
    found = mount_of(tmp_path / "near", table)
    assert found is not None and found.kind == "nfs"


def test_what_is_mounted_last_on_a_place_counts() -> None:
    found = mount_of(Path("/"), [Mount("rootfs", Path("/"), "rootfs"), Mount("/dev/sda", Path("/"), "ext4")])
    assert found is not None and found.kind == "ext4"


def test_flags() -> None:
    run = next(each for each in parse(TABLE) if each.point == Path("/run"))
    assert run.is_memory and run.read_only and not run.is_network


def test_this_machine_has_a_root() -> None:
    assert any(each.point == Path("/") for each in mounts())
    found = mount_of(Path(os.sep))
    assert found is not None and not found.is_network


@given(st.text())
def test_no_line_keeps_those_behind_it_from_being_read(text: str) -> None:
    good = Mount("/dev/sdb", Path("/data"), "ext4", read_only=True)
    assert parse(f"{text}\n/dev/sdb /data ext4 ro,relatime 0 0\n")[-1] == good
