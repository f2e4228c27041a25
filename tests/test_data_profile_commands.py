"""``data preview``, ``data diff`` and the profile of ``data show``, through the command line."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import parquet as pq

from store import database
from store.data import assets
from store.data.assets import DataVersion
from store.data.opening import Opening, Source
from store.data.profiles import profile_of
from store.datastores import registry
from store.layout import Layout
from store.tabular.profile import profile
from store.tabular.source import open_table
from store.tabular.wording import bars
from workbench.cli.data_drawing import BLOCKS, SIGNS, drawn
from workbench.cli.main import exit_code


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    lines = [f"{number},{number % 3 / 2},{'gold' if number % 4 else 'free'}" for number in range(100)]
    file = tmp_path / "churn.csv"
    file.write_text("\n".join(["age,score,plan", *lines]) + "\n")
    return file


@pytest.fixture
def asset(layout: Layout, churn: Path) -> str:
    with closing(database.connect(layout.database)) as connection:
        assets.create(connection, DataVersion("churn", "", "uri_file", str(churn), {}))
    return str(layout.root)


def run(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    capfd.readouterr()
    found = exit_code(list(arguments))
    out, err = capfd.readouterr()
    assert found == code, err
    return out, err


def test_preview_of_a_path_needs_no_workspace(
    churn: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "none"))
    out, _ = run(capfd, "data", "preview", str(churn), "--rows", "2")
    assert json.loads(out) == [{"age": 0, "score": 0.0, "plan": "free"}, {"age": 1, "score": 0.5, "plan": "gold"}]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["churn", "churn:1", "churn@latest", "azureml:churn:1"])
def test_preview_of_an_asset(asset: str, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capfd, "-w", asset, "data", "preview", name, "--rows", "1", "--columns", "plan,age", "--csv")
    assert out == '"plan","age"\n"free",0\n'


def test_preview_as_a_table_fits_and_says_what_it_leaves_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], layout: Layout
) -> None:
    file = tmp_path / "wide.csv"
    names = [f"column_{number}" for number in range(30)]
    file.write_text(",".join(names) + "\n" + ",".join(["12345"] * 30) + "\n")
    out, _ = run(capfd, "-w", str(layout.root), "data", "preview", str(file), "-o", "table")
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    shown = len(lines[0].split())
    assert lines[-1].startswith(f"and {30 - shown} more columns: column_{shown}")


def test_preview_of_a_datastore_and_with_a_filter(
    layout: Layout, churn: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    layout.blobstore.mkdir(exist_ok=True)
    os.rename(churn, layout.blobstore / "churn.csv")
    address = "azureml://datastores/workspaceblobstore/paths/churn.csv"
    out, _ = run(capfd, "-w", str(layout.root), "data", "preview", address, "--filter", 'col("age") > 97')
    assert [row["age"] for row in json.loads(out)] == [98, 99]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_values_that_a_document_has_no_type_for(
    form: str, layout: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    row = {
        "price": Decimal("1.10"),
        "day": date(2026, 2, 28),
        "span": timedelta(minutes=2),
        "blob": b"\x00\xff",
        "list": [date(2026, 1, 1), None],
        "deep": {"at": datetime(2026, 1, 1, 12), "many": [{"share": Decimal("0.5")}]},
    }
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "t.parquet")
    out, _ = run(capfd, "-w", str(layout.root), "data", "preview", str(tmp_path / "t.parquet"), "-o", form)
    assert yaml.safe_load(out) == [
        {
            "price": "1.10",
            "day": "2026-02-28",
            "span": 120.0,
            "blob": "00ff",
            "list": ["2026-01-01", None],
            "deep": {"at": "2026-01-01T12:00:00", "many": [{"share": "0.5"}]},
        }
    ]


def test_what_is_not_there(layout: Layout, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, err = run(capfd, "-w", str(layout.root), "data", "preview", "churn", code=3)
    assert "there is no data asset named 'churn'" in err
    _, err = run(capfd, "-w", str(layout.root), "data", "preview", str(tmp_path / "gone.csv"), code=3)
    assert "gone.csv" in err


def test_a_profile_is_kept_and_says_when_the_bytes_are_others(asset: str, churn: Path) -> None:
    layout = Layout(Path(asset))
    with closing(database.connect(layout.database)) as connection:
        opening = Opening(layout, connection)
        first = profile_of(opening, opening.find("churn"))
        again = profile_of(opening, opening.find("churn"))
        assert (first.kept, again.kept, again.profile) == (False, True, first.profile)
        assert not profile_of(opening, opening.find("churn"), target="plan").kept
        churn.write_text(churn.read_text() + "1000,0,free\n")
        other = profile_of(opening, opening.find("churn"))
        assert (other.kept, other.changed, other.profile.rows) == (False, True, 101)
        assert not profile_of(opening, opening.find("churn")).changed


def test_a_profile_of_what_lies_elsewhere_is_kept_by_its_listing(layout: Layout) -> None:
    system = MemoryFileSystem()
    system.pipe({"/far/set/a.csv": b"x\n1\n", "/far/set/b.csv": b"x\n2\n"})
    with closing(database.connect(layout.database)) as connection:
        opening = Opening(layout, connection)
        source = Source("far", system, "/far/set")
        first, again = profile_of(opening, source), profile_of(opening, source)
        assert (first.kept, again.kept, again.changed, again.profile) == (False, True, False, first.profile)
        assert first.fingerprint is None, "its bytes are not known"
        assert not profile_of(opening, Source("other", system, "/far/set")).kept
        system.pipe("/far/set/b.csv", b"x\n3\n")  # of the same size
        other = profile_of(opening, source)
        assert (other.kept, other.changed, other.profile.columns[0].max) == (False, True, 3)
    system.rm("/far", recursive=True)


def test_a_profile_of_a_query_is_never_kept(layout: Layout, tmp_path: Path) -> None:
    def sell(count: int) -> None:
        with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
            shop.execute("CREATE TABLE IF NOT EXISTS sale (id INTEGER)")
            shop.executemany("INSERT INTO sale VALUES (?)", [(number,) for number in range(count)])

    sell(1)
    (tmp_path / "table").mkdir()
    query = {"handler": "sql", "handler_arguments": {"datastore_name": "shop"}, "query": "sale"}
    (tmp_path / "table/MLTable").write_text(json.dumps({"query_source": query}))
    with closing(database.connect(layout.database)) as connection:
        document = {"type": "sql", "name": "shop", "database_url": f"sqlite:///{tmp_path}/shop.db"}
        registry.create(connection, document)
        opening = Opening(layout, connection)
        assert profile_of(opening, opening.find(str(tmp_path / "table"))).profile.rows == 1
        sell(2)
        found = profile_of(opening, opening.find(str(tmp_path / "table")))
        assert (found.kept, found.profile.rows) == (False, 3)


def test_a_long_profile_tells_how_far_it_is(
    churn: Path, asset: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.cli.data_profile.SAY_SECONDS", 0.0)
    out, err = run(capfd, "-w", asset, "data", "show", "churn", "--profile")
    assert json.loads(out)["rows"] == 100
    assert "profiling: 100 rows" in err


def test_a_drawn_profile_is_narrow_and_writable_everywhere(churn: Path) -> None:
    found = profile(open_table(churn))
    lines = list(drawn(found, "churn", 80))
    assert lines[0] == "churn: 100 rows, 3 columns" and all(len(line) <= 80 for line in lines)
    text = "\n".join(lines)
    assert "age  int64, missing 0, distinct 100" in text and "gold 75.0%, free 25.0%" in text
    assert "! id like" in text


def test_every_bin_that_is_not_empty_shows() -> None:
    assert bars([0, 1, 1000], BLOCKS) == " ▁█"
    assert bars([0, 1, 1000], SIGNS) == " .@"
    assert bars([], BLOCKS) == ""


def test_diff_says_what_changed_and_leaves_with_1_when_asked(
    asset: str, churn: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.csv"
    lines = [f"{number + 60},{number % 3 / 2},x" for number in range(100)]
    other.write_text("\n".join(["age,score,region", *lines]) + "\n")
    out, _ = run(capfd, "-w", asset, "data", "diff", "churn:1", str(other))
    found = json.loads(out)
    assert (found["before"], found["added"], found["removed"]) == ("azureml:churn:1", ["region"], ["plan"])
    assert [(each["name"], each["level"]) for each in found["columns"]] == [("age", "large"), ("score", "none")]
    out, _ = run(capfd, "-w", asset, "data", "diff", "churn:1", str(other), "-o", "table", "--fail-on-drift", code=1)
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1:3] == ["  + region  added", "  - plan  removed"]
    assert lines[5].split()[:2] == ["age", "large"]
    run(capfd, "-w", asset, "data", "diff", "churn:1", "churn:1", "--fail-on-drift")


def test_show_draws_the_profile_of_an_asset(asset: str, churn: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = run(capfd, "-w", asset, "data", "show", "churn", "--profile", "--target", "plan")
    found = json.loads(out)
    assert (found["name"], found["rows"], found["target"], err) == ("azureml:churn:1", 100, "plan", "")
    assert [each["name"] for each in found["columns"]] == ["age", "score", "plan"]
    churn.write_text(churn.read_text() + "1000,0,free\n")
    out, err = run(capfd, "-w", asset, "data", "show", "churn", "--profile", "--target", "plan", "-o", "table")
    assert out.startswith("azureml:churn:1: 101 rows, 3 columns\n")
    assert "azureml:churn:1 has other bytes than when it was profiled last" in err


def test_where_only_ascii_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("n\u00e4me,x\n\u00fc,1\n\u00fc,2\n")
    command = [sys.executable, "-m", "workbench.cli.main", "data", "diff", str(file), str(file), "-o", "table"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"n\\xe4me" in done.stdout
