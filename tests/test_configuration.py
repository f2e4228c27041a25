"""The settings: every fault with its place, the environment before the file, and what is written back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.errors import DocumentError
from tests.conftest import ROOT, Cli
from tests.test_imports import HEAVY, imported
from workbench.configuration import places
from workbench.configuration.model import DEFAULTS, SETTINGS, Configuration
from workbench.configuration.reading import config_file, load, setting
from workbench.configuration.writing import save
from workbench.tui.settings import check_tables

AWKWARD = (
    r'''
# a comment with [brackets] and "quotes"
title = "TOML \"quoted\" # not a comment"
numbers = [1, 2.5, -3e2, 0xf_f, inf]
day = 2026-11-24T10:00:00Z
multi = """
[no.header]
a = "b" \
  # inside
"""
literal = '''
    + """'''
C:\\path \"\"\"
'''"""
    + r"""
nested = [ [1, 2], # one
  ["a", 'b,]'] , ]
inline = { a = 1, "b c" = { d = [true, false] }, e.f = "}" }
dotted.one.two = 3
"quoted key".'x.y' = 4

[ table . "with blanks" ]   # header
key = 'value'
[[people]]
name = "A"
[people.address]
city = "X"
[[people]]
name = "B"
[[people.pets]]
kind = "cat"
"""
)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings of this test, which is not there yet."""
    for variable in {each.variable for each in SETTINGS} - {""}:
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "config.toml"
    monkeypatch.setenv("WORKBENCH_CONFIG", str(file))
    return file


def paths(value: Any, path: places.Path = ()) -> Iterator[tuple[places.Path, Any]]:
    """Every key and element of a document."""
    entries: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        yield (*path, key), below
        yield from paths(below, (*path, key))


def test_every_key_and_element_is_found_where_it_stands() -> None:
    found = places.places(AWKWARD)
    values = dict(paths(tomllib.loads(AWKWARD)))
    assert set(found) == set(values)
    lines = AWKWARD.split("\n")
    for path, spot in found.items():
        rest = "\n".join([lines[spot.value[0] - 1][spot.value[1] - 1 :], *lines[spot.value[0] :]])
        value = values[path]
        if isinstance(value, bool | int | float):
            scalar = re.match(r"[-+\w.]+", rest)
            assert scalar and tomllib.loads(f"x = {scalar[0]}")["x"] == value, (path, rest)
        elif isinstance(value, str):
            assert rest[0] in "\"'", (path, rest)
        key = lines[spot.key[0] - 1][spot.key[1] - 1 :]
        if isinstance(path[-1], str):
            assert key.startswith("[") or re.match(r"[\w\"']", key), path


def test_without_a_file_and_variables_the_defaults_hold() -> None:
    loaded = load({})
    assert loaded.configuration == DEFAULTS == Configuration()
    assert set(loaded.sources.values()) == {"default"}
    assert not loaded.faults


def test_the_file_is_in_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WORKBENCH_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file() == tmp_path / "workbench" / "config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert config_file() == Path.home() / ".config" / "workbench" / "config.toml"


def test_the_environment_goes_before_the_file(file: Path) -> None:
    file.write_text('theme = "slate"\nmouse = true\n\n[refresh]\nlocal = 8\n')
    loaded = load({"WORKBENCH_MOUSE": "off", "WORKBENCH_MAIN_METRIC": "f1, auc", "WORKBENCH_ASCII": ""})
    found = loaded.configuration
    assert (found.theme, found.mouse, found.refresh_local, found.main_metric, found.ascii) == (
        *("slate", False, 8.0, ("f1", "auc")),
        None,
    )
    assert loaded.sources["theme"] == f"{file}:1"
    assert loaded.sources["mouse"] == "$WORKBENCH_MOUSE"
    assert loaded.sources["refresh.local"] == f"{file}:5"
    assert loaded.sources["refresh.ssh"] == "default"


def test_every_fault_is_told_at_once_and_the_rest_holds(file: Path) -> None:
    file.write_text(
        'thema = "nord"\ntheme = 3\ndriver = "cell"\nascii = "yes"\nrefresh.local = 100\nmain_metric = ["a", 3]\n'
        'mouse = false\n[keys]\napp.quit = ["ctrl+q", "Q"]\n"jobs.open" = 5\n'
        '[filters]\ngood = "state:failed"\nbad = ""\n'
    )
    loaded = load({"WORKBENCH_EDITOR": "nano", "WORKBENCH_REFRESH": "fast"})
    told = {(fault.line, fault.column, fault.path): fault for fault in loaded.faults if fault.file == str(file)}
    assert set(told) == {
        (1, 1, "thema"),
        (2, 9, "theme"),
        (3, 10, "driver"),
        (4, 9, "ascii"),
        (5, 17, "refresh.local"),
        (6, 21, "main_metric.1"),
        (10, 15, 'keys."jobs.open"'),
        (13, 7, "filters.bad"),
    }
    assert "did you mean 'theme'?" in str(told[1, 1, "thema"])
    assert "did you mean 'cells'?" in str(told[3, 10, "driver"])
    assert "expected a number from 0.1 to 30, got 100" in str(told[5, 17, "refresh.local"])
    assert [fault.message for fault in loaded.faults if fault.file == "$WORKBENCH_REFRESH"] == [
        "expected a number from 0.1 to 30, got 'fast'"
    ]
    found = loaded.configuration
    assert (found.theme, found.driver, found.mouse, found.editor) == ("auto", "cells", False, "nano")
    assert (found.keys, found.filters) == ({"app.quit": "ctrl+q,Q"}, {"good": "state:failed"})


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [(b'theme = "slate\n', 1, 15), (b"a = 1\na = 2\n", 2, 6), (b"x = [1,", 1, 8), (b'a = 1\nb = "\xff"\n', 2, 6)],
)
def test_what_is_no_toml_is_told_with_its_place(file: Path, content: bytes, line: int, column: int) -> None:
    file.write_bytes(content)
    loaded = load({})
    (fault,) = loaded.faults
    assert (fault.file, fault.line, fault.column) == (str(file), line, column), str(fault)
    assert loaded.configuration == DEFAULTS


def test_a_folder_in_place_of_the_file_is_told(file: Path) -> None:
    file.mkdir()
    assert "cannot be read" in str(load({}).faults[0])


def test_a_value_that_another_layer_refuses_leaves_its_default(file: Path) -> None:
    file.write_text('theme = "nowhere"\n[keys]\napp.quit = "q"\napp.help = "h"\n')
    loaded = load({})
    loaded.refuse(setting("theme"), "there is none")
    loaded.refuse(setting("keys"), "there is none", entry="app.help", at_key=True)
    assert [(fault.line, fault.column) for fault in loaded.faults] == [(1, 9), (4, 1)]
    assert (loaded.configuration.theme, loaded.configuration.keys) == ("auto", {"app.quit": "q"})


def test_refresh_is_slower_over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_TTY", raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "")
    assert Configuration().refresh_hz == 4.0
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")
    assert Configuration().refresh_hz == 1.0


def test_what_is_written_back_leaves_all_else_as_it_was(file: Path) -> None:
    file.write_bytes(
        b'# mine\r\ntheme = "a"   # why\r\n\r\n[refresh]\r\nlocal = 2 # slow\r\n\r\n[filters]\r\n# old\r\nb = "x"\r\n'
    )
    file.chmod(0o640)
    save(("theme",), "slate")
    save(("filters", "new one"), "exp:iris")
    save(("filters", "b"), None)
    assert file.read_bytes() == (
        b'# mine\r\ntheme = "slate"   # why\r\n\r\n[refresh]\r\nlocal = 2 # slow\r\n\r\n[filters]\r\n# old\r\n'
        b'"new one" = "exp:iris"\r\n'
    )
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_missing_file_and_its_folder_are_made(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(file.parent / "new" / "config.toml"))
    save(("filters", "mine"), "state:failed")
    assert load({}).configuration.filters == {"mine": "state:failed"}


def test_a_link_into_a_folder_of_dotfiles_stays_one(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "workbench.toml"
    real.parent.mkdir()
    real.write_text("mouse = false\n")
    file.symlink_to(real)
    save(("theme",), "dusk")
    assert file.is_symlink()
    assert real.read_text() == 'mouse = false\ntheme = "dusk"\n'


def test_a_bad_file_is_not_written_over(file: Path) -> None:
    file.write_text("theme = \n")
    with pytest.raises(DocumentError, match=r"config\.toml:1:"):
        save(("theme",), "dusk")
    assert file.read_text() == "theme = \n"


def test_reading_imports_nothing_heavy(file: Path) -> None:
    file.write_text('theme = "slate"\n')
    code = "from workbench.configuration.reading import load; assert load().configuration.theme == 'slate'"
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert imported(done.stderr) & (HEAVY | {"pydantic", "tomlkit", "yaml", "rich", "platformdirs", "difflib"}) == set()


def test_the_documented_keys_are_those_of_the_model() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `([\w.]+)` \| .* \| (`\w+`)? ?\|$", page.partition("## Themes")[0], re.MULTILINE)
    assert rows == [(each.key, f"`{each.variable}`" if each.variable else "") for each in SETTINGS]
    assert {each.field for each in SETTINGS} == set(Configuration.__dataclass_fields__)


def test_the_documented_files_are_right(file: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    file.write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0])
    assert not load({}).faults


def test_the_command_shows_values_and_where_they_come_from(file: Path, cli: Cli) -> None:
    file.write_text('theme = "slate"\n')
    assert cli("config", "path").stdout == f"{file}\n"
    told = json.loads(cli("config", "path", "-o", "json").stdout)
    assert told == {"path": str(file), "exists": True, "themes": str(file.parent / "themes")}
    assert cli("config", "path", "--query", "exists").stdout == "true\n"
    done = cli("config", "show", env={"WORKBENCH_MOUSE": "no"})
    assert done.returncode == 0, done.stderr
    rows = {row["key"]: (row["value"], row["source"]) for row in json.loads(done.stdout)}
    assert rows["theme"] == ("slate", f"{file}:1")
    assert rows["mouse"] == (False, "$WORKBENCH_MOUSE")
    assert rows["ascii"] == ("auto", "default")


def test_the_command_tells_what_is_wrong_and_leaves_with_2(file: Path, cli: Cli) -> None:
    file.write_text(
        'theme = "slat"\ndefault_section = "job"\n[keys]\napp.qiut = "x"\napp.help = "ctl+h"\n[filters]\na = "stat:x"\n'
    )
    done = cli("config", "show")
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line.startswith(str(file))] == [
        f"{file}:1:9: theme: there is no theme 'slat'",
        f"{file}:2:19: default_section: there is no section 'job'",
        f"{file}:4:1: keys.app.qiut: there is no binding 'app.qiut'",
        f"{file}:5:12: keys.app.help: there is no key 'ctl+h'",
        f"{file}:7:5: filters.a: column 1: no key 'stat'",
    ], done.stderr
    for nearest in ("'slate'", "'jobs'", "'app.quit'", "'ctrl'", "'state'"):
        assert f"did you mean {nearest}?" in done.stderr.casefold(), done.stderr
    assert json.loads(done.stdout)[0] == {"key": "theme", "value": "auto", "source": "default"}


def test_the_command_lists_every_binding(cli: Cli) -> None:
    done = cli("config", "keys")
    assert done.returncode == 0, done.stderr
    assert {"id": "app.quit", "keys": "q", "does": "quit"} in json.loads(done.stdout)


def test_the_command_lists_the_keys_in_force(cli: Cli, file: Path) -> None:
    file.write_text('[keys]\napp.jump = "?"\nlist.down = "f7"\n')
    done = cli("config", "keys", env={"WORKBENCH_CONFIG": str(file)})
    assert done.returncode == 0, done.stderr
    keys = {each["id"]: each["keys"] for each in json.loads(done.stdout)}
    assert keys["app.jump"] == "ctrl+o", "the key of another action is refused"
    assert keys["list.down"] == "f7"


def test_the_settings_of_the_documentation_are_all_right(file: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    file.write_text(page.split("```toml\n")[1].split("```")[0])
    loaded = load({})
    check_tables(loaded)
    assert not loaded.faults
    assert loaded.configuration.keys == {"app.quit": "ctrl+q", "app.help": "f1,?"}
