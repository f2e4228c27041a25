"""Files that are missing, forbidden or unreadable, and disks that are full, and what is told of them."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from tests.explain.place import Place


def test_a_script_that_does_not_exist(place: Place) -> None:
    place.write(train_py="")
    cause = place.cause("python trian.py")
    assert (cause.code, cause.message, cause.hint) == (
        "missing_file",
        "There is no 'trian.py'.",
        "Did you mean 'train.py'?",
    )


def test_a_file_that_the_snapshot_leaves_out(place: Place) -> None:
    place.write(train_py="open('data/big.csv')")
    (place.root / "src" / "data").mkdir()
    (place.root / "src" / "data" / "big.csv").touch()
    cause = place.cause("python train.py")
    assert cause.message == "There is no 'data/big.csv'."
    assert cause.hint is not None and ".amlignore" in cause.hint


def test_a_file_missing_in_an_input(place: Place) -> None:
    place.write(train_py="import sys\nopen(sys.argv[1] + '/train.csv')")
    data = place.root / "data"
    data.mkdir()
    cause = place.cause(f"python train.py {data}", replace(place.facts, inputs={"images": str(data)}))
    assert cause.message == f"There is no '{data}/train.csv', in the input 'images'."


def test_a_file_in_a_folder_that_is_missing_too(place: Place) -> None:
    place.write(train_py="open('results/scores.txt', 'w')")
    hint = place.cause("python train.py").hint
    assert hint is not None and hint.startswith("There is no folder 'results' either. To write there, make it first")
    place.write(train_py=f"open('{place.root}/elsewhere/scores.txt', 'w')")
    hint = place.cause("python train.py").hint
    assert hint is not None and hint.startswith(f"There is no folder '{place.root}/elsewhere' either;")


def test_a_file_missing_for_another_program(place: Place) -> None:
    cause = place.cause("cat nothing.txt")
    assert (cause.code, cause.message) == ("missing_file", "There is no 'nothing.txt'.")
    assert place.cause("ls nothing.txt").message == "There is no 'nothing.txt'."
    assert place.cause("tar xf data.tgz").message == "There is no 'data.tgz'."
    assert place.cause("cd nowhere && true").message == "There is no 'nowhere'."


def test_a_folder_opened_as_a_file(place: Place) -> None:
    place.write(train_py="import sys\nopen(sys.argv[1])")
    data = place.root / "data"
    data.mkdir()
    cause = place.cause(f"python train.py {data}", replace(place.facts, inputs={"images": str(data)}))
    assert cause.code == "unreadable_input"
    assert cause.hint is not None and cause.hint.startswith("The input 'images' has to be of type uri_file")


def test_unreadable_input(place: Place) -> None:
    place.write(train_py="open('data.csv', encoding='utf-8').read()")
    (place.root / "work" / "data.csv").write_bytes("größe".encode("latin-1"))
    cause = place.cause("python train.py")
    assert cause.code == "unreadable_input"
    assert cause.hint is not None and "latin-1" in cause.hint


def test_permission_denied(place: Place) -> None:
    place.write(train_py="raise PermissionError(13, 'Permission denied', '/etc/motd.new')")
    assert place.cause("python train.py").message == "Permission denied for '/etc/motd.new'."
    command = "sh -c 'echo x > /etc/motd.new'"
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write anywhere")
        command = f"setpriv --reuid 65534 --clear-groups {command}"
    cause = place.cause(command)
    assert (cause.code, cause.message) == ("permission_denied", "Permission denied for '/etc/motd.new'.")


def test_the_disk_is_full(place: Place) -> None:
    place.write(train_py="with open('/dev/full', 'w') as file:\n    file.write('x')\n")
    for command in (
        "python train.py",
        "echo x > /dev/full",
        "cp /etc/passwd /dev/full",
        "python -c 'print(1)' >/dev/full",
    ):
        cause = place.cause(command)
        assert cause.code == "disk_full", command
        assert cause.hint is not None and "workbench doctor" in cause.hint


def test_a_disk_full_that_the_script_wraps(place: Place) -> None:
    place.write(
        train_py="""
        import logging
        try:
            with open('/dev/full', 'w') as file:
                file.write('x')
        except OSError as error:
            logging.error("saving failed: %s", error)
        raise SystemExit("giving up")
        """
    )
    cause = place.cause("python train.py")
    assert (cause.code, cause.log_tail[-1]) == ("disk_full", "giving up")
