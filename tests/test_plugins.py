"""Engines come in through entry points: real metadata folders, real packages that work or do not."""

from __future__ import annotations

import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from engines.compute import registry
from engines.compute.local import LocalEngine
from store import plugins
from store.errors import MachineError, NotFoundError

ROOT = Path(__file__).parent.parent
ENGINE = """
class Engine:
    def start(self, attempt, task, environment): ...
    def poll(self, attempt): ...
    def cancel(self, attempt): ...
    def kill(self, attempt): ...
    def revoke(self, attempt): ...
    def kill_leftovers(self, token): ...
    def capacity(self, compute): return 42
class Half:
    def start(self): ...
class Angry:
    def __init__(self): raise OSError("no cluster here")
"""


@pytest.fixture(autouse=True)
def afresh() -> Any:
    """What is installed is looked at once in a process."""
    for cached in (plugins.find, registry.make):
        cached.cache_clear()
    yield
    for cached in (plugins.find, registry.make):
        cached.cache_clear()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on ``sys.path`` for packages of the test's own."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site: Path, name: str, lines: str, version: str = "1.0") -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "entry_points.txt").write_text(lines)
    (site / f"{name.replace('-', '_')}.py").write_text(ENGINE)


def test_the_built_in_engine_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][registry.GROUP]
    assert set(declared) == {"local", "amlcompute"}, "the types of compute that this machine serves"
    for kind, address in declared.items():
        assert plugins.Plugin(registry.GROUP, kind, address, "workbench-ml").load() is LocalEngine


def test_an_engine_of_another_package(site: Path) -> None:
    install(
        site,
        "far-away",
        "[console_scripts]\nx = y:z\n\n[workbench.compute]\n# remote\nfar = far_away:Engine [extra]\n"
        "farther = far_away:Engine\n",
    )
    far = registry.engine("far")
    assert far.capacity({}) == 42
    assert registry.engine("far") is registry.engine("farther") is far, "one for the whole process"
    assert "far" in registry.types()


def test_an_engine_that_is_not_there(site: Path) -> None:
    install(site, "far-away", "[workbench.compute]\nfar = far_away:Engine\n")
    with pytest.raises(NotFoundError, match=r"'near'; there are .*far"):
        registry.engine("near")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("far_away:Missing", "AttributeError"),
        ("far_away_from_here:Engine", "ModuleNotFoundError"),
        ("far_away:Half", "it lacks poll, cancel, kill, revoke, kill_leftovers, capacity"),
        ("far_away:Angry", "no cluster here"),
        ("far_away", "far_away"),
    ],
)
def test_a_broken_package_is_named(site: Path, value: str, message: str) -> None:
    install(site, "far-away", f"[workbench.compute]\nfar = {value}\n")
    with pytest.raises(MachineError, match=f"(?s)'far' of the package far-away.*{message}"):
        registry.engine("far")


def test_two_packages_that_want_one_name(site: Path) -> None:
    install(site, "far-away", "[workbench.compute]\nfar = far_away:Engine\n")
    install(site, "farther", "[workbench.compute]\nfar = farther:Engine\n")
    with pytest.raises(MachineError, match=r"far-away.*farther"):
        registry.engine("far")


def test_of_a_package_that_is_there_twice_the_first_counts(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site / "old", "far-away", "[workbench.compute]\nfar = far_away:Half\n", "0.9")
    install(site / "new", "Far.Away", "[workbench.compute]\nfar = far_away:Engine\n", "1.0")
    monkeypatch.syspath_prepend(site / "old")
    monkeypatch.syspath_prepend(site / "new")
    (site / "new" / "far_away.py").write_text(ENGINE)
    assert registry.engine("far").capacity({}) == 42


def test_a_package_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ``importlib.metadata`` can see it."""
    install(tmp_path, "far-away", "[far.group]\nfar = far_away:Engine\n")
    with zipfile.ZipFile(tmp_path / "far.zip", "w") as archive:
        for path in [*tmp_path.glob("*.dist-info/*"), tmp_path / "far_away.py"]:
            archive.write(path, path.relative_to(tmp_path))
    monkeypatch.syspath_prepend(tmp_path / "far.zip")
    plugin = plugins.find("far.group")["far"]
    assert (plugin.package, plugin.make().capacity({})) == ("far-away", 42)


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "mlflow.tracking_store", "no.such.group"])
def test_what_importlib_metadata_finds_is_found(group: str) -> None:
    expected = {(entry.name, plugins.without_extras(entry.value)) for entry in entry_points(group=group)}
    assert {(plugin.name, plugin.value) for plugin in plugins.in_folders(group)} == expected
