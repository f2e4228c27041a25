"""Journals into ``mlflow.db``: nothing lost, nothing twice, nothing believed that is not whole."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tracked_jobs import MakeRun

from store.layout import Layout
from store.tracking import ingest as module
from store.tracking import runs
from store.tracking.ingest import Lost, Progress, ingest, ingested, lost

JOB = "calm_fox_1"


def line(step: int, value: object = 0.5, *, run: str = JOB, key: str = "loss", time: int = 1_000, **more: str) -> bytes:
    """A journal line as ``journal.py`` writes it."""
    return json.dumps({"r": run, "k": key, "v": value, "t": time, "s": step, **more}).encode() + b"\n"


def ingest_all(database: sqlite3.Connection, journal: Path, limit: int = 20_000) -> Progress:
    """Ingest to the end; the counts are those of all steps."""
    total = [0, 0, 0]
    while True:
        step = ingest(database, JOB, journal, limit_rows=limit)
        total = [a + b for a, b in zip(total, (step.rows, step.malformed, step.dropped), strict=True)]
        if step.done:
            return Progress(total[0], True, total[1], total[2])


def stored(database: sqlite3.Connection) -> list[tuple[object, ...]]:
    """What the table of metrics holds."""
    rows = database.execute(
        "SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics ORDER BY step, key, value"
    )
    return [tuple(row) for row in rows]


def steps(database: sqlite3.Connection) -> list[object]:
    """The steps of all points, in order."""
    return [row[4] for row in stored(database)]


def last(database: sqlite3.Connection, key: str = "loss") -> tuple[object, ...]:
    """Value, step, timestamp and is_nan of a metric's latest row."""
    return tuple(
        database.execute("SELECT value, step, timestamp, is_nan FROM latest_metrics WHERE key = ?", (key,)).fetchone()
    )


def test_a_line_becomes_a_row(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    journal.write_bytes(line(3, 0.25, time=17))
    assert ingest(database, JOB, journal) == Progress(1, True)
    assert stored(database) == [("loss", 0.25, 17, JOB, 3, 0)]
    assert last(database) == (0.25, 3, 17, 0)
    assert ingested(database, JOB) == journal.stat().st_size


def test_no_journal_is_done(database: sqlite3.Connection, new_run: MakeRun) -> None:
    assert ingest(database, JOB, new_run(JOB)) == Progress(0, True)


def test_a_torn_last_line_waits_until_it_is_whole(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    whole = line(0) + line(1)
    for cut in range(len(line(0)), len(whole)):
        journal.write_bytes(whole[:cut])
        assert ingest(database, JOB, journal).done
        assert steps(database) == [0]
    journal.write_bytes(whole)
    assert ingest(database, JOB, journal) == Progress(1, True)
    assert steps(database) == [0, 1]


def test_chunks_are_as_long_as_asked_for(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    journal.write_bytes(b"".join(line(step) for step in range(25)))
    found = [ingest(database, JOB, journal, limit_rows=10) for _ in range(3)]
    assert [(step.rows, step.done) for step in found] == [(10, False), (10, False), (5, True)]
    assert steps(database) == list(range(25))


def test_long_lines_are_read_whole_though_few_fit_a_chunk(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    journal.write_bytes(b"".join(line(step, d="d" * 900, g="x", m="m") for step in range(5)))
    assert ingest_all(database, journal, limit=1).rows == 5


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"\xff\xfe\n",
        b"\0\0\0\0\n",
        b"[" * 5_000 + b"\n",
        b'{"r":"calm_fox_1","k":"loss","v":1,"t":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":"fast","t":1,"s":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":true,"t":1,"s":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":null,"t":1,"s":1}\n',
        b'{"r":"calm_fox_1","k":["loss"],"v":1,"t":1,"s":1}\n',
        b'{"r":7,"k":"loss","v":1,"t":1,"s":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":1,"t":"now","s":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":1,"t":1,"s":9223372036854775808}\n',
        b'{"r":"calm_fox_1","k":"loss","v":1,"t":1,"s":NaN}\n',
        b'{"r":"calm_fox_1","k":"\\ud800","v":1,"t":1,"s":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":1' + b"0" * 400 + b',"t":1,"s":1}\n',
        b'{"r":"calm_fox_1","k":"loss","v":1,"t":1,"s":1,"m":5}\n',
        b'{"r":"calm_fox_1"\n"k":"loss","v":1,"t":1,"s":1}\n',
    ],
)
def test_a_malformed_line_is_passed_over_and_counted(
    bad: bytes, database: sqlite3.Connection, new_run: MakeRun
) -> None:
    journal = new_run(JOB)
    journal.write_bytes(line(0) + bad + line(2))
    assert ingest_all(database, journal) == Progress(2, True, bad.count(b"\n"), 0)
    assert steps(database) == [0, 2]


def test_what_follows_on_a_torn_piece_is_kept(database: sqlite3.Connection, new_run: MakeRun) -> None:
    """A process was killed in the middle of its line, another wrote on."""
    journal = new_run(JOB)
    for cut in range(1, len(line(1))):
        journal.write_bytes(line(0) + line(1)[:cut] + line(2))
        found = ingest_all(database, journal)
        assert found.rows == 2
        assert found.malformed == 1
        assert steps(database) == [0, 2]
        database.execute("DELETE FROM workbench_journal")


def test_values_that_are_no_numbers_are_kept_as_mlflow_keeps_them(
    database: sqlite3.Connection, new_run: MakeRun
) -> None:
    journal = new_run(JOB)
    values = ["NaN", "Infinity", "-Infinity", math.nan, math.inf, 7, 10**300]
    journal.write_bytes(b"".join(line(step, value) for step, value in enumerate(values)))
    ingest_all(database, journal)
    largest = sys.float_info.max
    assert [(row[1], row[5]) for row in stored(database)] == [
        (0.0, 1), (largest, 0), (-largest, 0), (0.0, 1), (largest, 0), (7.0, 0), (1e300, 0),
    ]  # fmt: skip
    assert {type(row[1]) for row in stored(database)} == {float}


@pytest.mark.parametrize("count", [*(times * module.ROWS_AT_ONCE + more for times in (1, 2) for more in (-1, 0, 1))])
def test_rows_that_share_a_statement_are_kept_each_by_itself(
    count: int, database: sqlite3.Connection, new_run: MakeRun
) -> None:
    journal = new_run(JOB)
    values = [(0.5, "NaN", 3, "-Infinity")[step % 4] for step in range(count)]
    written = b"".join(line(step, value, time=step) for step, value in enumerate(values))
    journal.write_bytes(written + line(0, values[0], time=0) + line(1, run="gone") + b"torn")
    assert ingest_all(database, journal) == Progress(count + 1, True, 0, 1)
    kept = {0.5: (0.5, 0), "NaN": (0.0, 1), 3: (3.0, 0), "-Infinity": (-sys.float_info.max, 0)}
    expected = [("loss", kept[value][0], step, JOB, step, kept[value][1]) for step, value in enumerate(values)]
    assert stored(database) == expected
    assert last(database) == (expected[-1][1], count - 1, count - 1, expected[-1][5])
    assert ingested(database, JOB) == journal.stat().st_size - len(b"torn")


def test_equal_points_are_one_row(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    journal.write_bytes(line(1) + line(1) + line(1, "NaN") + line(1, "NaN") + line(1, 0.5, time=1_001))
    ingest_all(database, journal, limit=1)
    assert len(stored(database)) == 3


def test_the_latest_is_by_step_then_time_then_value_whatever_the_order(
    database: sqlite3.Connection, new_run: MakeRun
) -> None:
    lines = [line(5, 1.0, time=9), line(7, 2.0, time=5), line(7, 1.5, time=6), line(7, 1.0, time=6), line(0, 99.0)]
    journal = new_run(JOB)
    for seed in range(10):
        random.Random(seed).shuffle(lines)
        journal.write_bytes(b"".join(lines))
        ingest_all(database, journal, limit=1 + seed % 3)
        assert last(database) == (1.5, 7, 6, 0)
        database.execute("DELETE FROM workbench_journal")
        database.execute("DELETE FROM latest_metrics")


def test_points_of_runs_that_are_gone_are_dropped(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    journal.write_bytes(line(0) + line(1, run="gone") + line(2))
    assert ingest_all(database, journal) == Progress(2, True, 0, 1)
    assert steps(database) == [0, 2]


def test_what_is_lost_is_counted_over_all_steps(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    journal.write_bytes(line(0))
    ingest_all(database, journal)
    assert lost(database, JOB) == Lost()
    with journal.open("ab") as file:
        file.write(b"nonsense\n" + line(1) + b"{}\n" + line(2, run="gone") + b"[]\n")
    ingest_all(database, journal, limit=1)
    assert lost(database, JOB) == Lost(3, 1)
    assert str(lost(database, JOB)) == "3 metric lines could not be read, 1 metric value had no run to go to"


def test_what_is_lost_is_counted_once_when_a_journal_is_read_again(
    database: sqlite3.Connection, new_run: MakeRun
) -> None:
    journal = new_run(JOB)
    for _ in range(2):
        journal.write_bytes(line(0) + b"nonsense\n")
        ingest_all(database, journal)
        database.execute("DELETE FROM workbench_journal")
    assert str(lost(database, JOB)) == "1 metric line could not be read"
    journal.write_bytes(line(0))
    ingest_all(database, journal)
    assert not any(lost(database, JOB))


def test_points_linked_to_models(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    number = database.execute("SELECT experiment_id FROM runs").fetchone()[0]
    database.execute(
        "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,"
        " last_updated_timestamp_ms, status) VALUES ('m-1', ?, 'model', 'file:///x', 1, 1, 2)",
        (number,),
    )
    journal.write_bytes(
        line(1, 0.5, m="m-1")
        + line(2, "NaN", m="m-1", d="data", g="abc")
        + line(3, 0.1, m="m-gone")
        + line(4, 0.2, m="m-1", run="gone")
        + line(1, 0.5, m="m-1")
    )
    ingest_all(database, journal)
    rows = database.execute(
        "SELECT model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, experiment_id, run_id,"
        " dataset_uuid, dataset_name, dataset_digest FROM logged_model_metrics ORDER BY metric_step"
    )
    assert [tuple(row) for row in rows] == [
        ("m-1", "loss", 1_000, 1, 0.5, number, JOB, None, None, None),
        ("m-1", "loss", 1_000, 2, 0.0, number, JOB, None, "data", "abc"),
    ]
    assert steps(database) == [1, 2, 3]


@pytest.mark.parametrize("after", [line(8) + line(9), line(8) * 40, b"", b"x" * 300])
def test_a_journal_that_another_took_the_place_of_is_read_from_its_start(
    after: bytes, database: sqlite3.Connection, new_run: MakeRun
) -> None:
    journal = new_run(JOB)
    journal.write_bytes(line(100) + line(101) + line(102))
    ingest_all(database, journal)
    journal.write_bytes(after)
    ingest_all(database, journal)
    assert set(steps(database)) == {100, 101, 102} | {8 for _ in [0] if after.startswith(line(8))} | (
        {9} if line(9) in after else set()
    )
    journal.write_bytes(after + b"\n" + line(200))
    ingest_all(database, journal)
    assert 200 in steps(database)


def test_a_stretch_without_line_ends_does_not_stop_the_reader(database: sqlite3.Connection, new_run: MakeRun) -> None:
    journal = new_run(JOB)
    with journal.open("wb") as file:
        file.write(line(0))
        file.seek(9_000_000, os.SEEK_CUR)  # a hole: zeros
        file.write(b"\n" + line(1))
    assert ingest_all(database, journal, limit=10) == Progress(2, True, 1, 0)


def test_a_second_ingester_takes_nothing_twice(
    database: sqlite3.Connection, tracked: Layout, new_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another connection commits between the reading of the offset and the write."""
    journal = new_run(JOB)
    journal.write_bytes(line(0) + line(1))
    parse = module.parse

    def overtaken(data: bytes) -> object:
        monkeypatch.setattr(module, "parse", parse)
        with closing(runs.connect(tracked)) as other:
            assert ingest(other, JOB, journal).rows == 2
        return parse(data)

    monkeypatch.setattr(module, "parse", overtaken)
    assert ingest(database, JOB, journal) == Progress(0, False)
    assert ingest(database, JOB, journal) == Progress(0, True)
    assert steps(database) == [0, 1]


INGESTER = """
import sys
from pathlib import Path
from store.layout import Layout
from store.tracking import runs
from store.tracking.ingest import ingest
layout, job = Layout(Path(sys.argv[1])), sys.argv[2]
connection = runs.connect(layout)
print("ready", flush=True)
while not ingest(connection, job, layout.job(job).journal, limit_rows=500).done:
    print("chunk", flush=True)
"""


@pytest.mark.slow
def test_a_kill_in_mid_ingest_loses_nothing_and_doubles_nothing(
    database: sqlite3.Connection, tracked: Layout, new_run: MakeRun
) -> None:
    """The ingester is killed at random moments until the journal is in, by chance or by the last one that lives."""
    journal = new_run(JOB)
    count = 60_000
    journal.write_bytes(b"".join(line(step, step / 7, key=f"k{step % 3}") for step in range(count)))
    chance = random.Random(7)
    kills = 0
    while True:
        before = ingested(database, JOB)
        process = subprocess.Popen(
            [sys.executable, "-c", INGESTER, str(tracked.root), JOB],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(chance.randrange(12)):
            process.stdout.readline()
        if kills < 12:
            # Waits in the kernel until the process has run for some thousandths of a second more.
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.random() * 0.01)
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.stdout.read()
        process.wait()
        process.stdout.close()
        # Each commit leaves exactly the rows of the lines before the offset.
        offset = ingested(database, JOB)
        assert offset >= before
        lines = journal.read_bytes()[:offset].count(b"\n")
        assert database.execute("SELECT count(*) FROM metrics").fetchone()[0] == lines
        if process.returncode == 0:
            break
    assert kills == 12
    assert ingested(database, JOB) == journal.stat().st_size
    assert database.execute("SELECT count(*), sum(step) FROM metrics").fetchone()[:] == (
        count,
        count * (count - 1) // 2,
    )
    assert [last(database, f"k{key}")[1] for key in range(3)] == [59_997, 59_998, 59_999]
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
