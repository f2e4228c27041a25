"""A newer program meets the workspace of an older one, whose agent still runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import create_engine

from store import computes, database, jobs, migrate
from store.layout import Layout
from tests.conftest import Cli

OLDER_AGENT = """
import sys
from pathlib import Path
from store.layout import Layout
from workbench.agent.lock import AgentLock

assert AgentLock(Layout(Path(sys.argv[1]))).acquire("0.0.1")
print("held", flush=True)
sys.stdin.read()
"""


def make_database(layout: Layout, revision: str) -> None:
    engine = create_engine(f"sqlite:///{layout.database}")
    with engine.begin() as connection:
        config = migrate.configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


@pytest.fixture
def older_agent(layout: Layout) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the agent's lock, as an agent of an older version does, beside a database of that time."""
    for file in layout.root.glob("workbench.db*"):
        file.unlink()
    make_database(layout, "0001")
    with subprocess.Popen(
        [sys.executable, "-c", OLDER_AGENT, str(layout.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_an_older_agent_makes_room_for_the_migration(
    older_agent: subprocess.Popen[str], layout: Layout, cli: Cli
) -> None:
    done = cli("job", "list")
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert "ended the agent of an older version" in done.stderr
    assert older_agent.wait(10) != 0
    connection = database.open_unchecked(layout.database)
    assert database.revision(connection) == database.REVISION
    assert list(layout.root.glob("workbench.db.0001.*.backup"))


def test_an_agent_beside_a_newer_database_is_left_alone(
    older_agent: subprocess.Popen[str], layout: Layout, cli: Cli
) -> None:
    connection = database.open_unchecked(layout.database)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    done = cli("job", "list")
    assert done.returncode == 4 and "9999" in done.stderr
    assert older_agent.poll() is None


def test_commands_that_come_while_another_migrates_wait_for_it(
    older_agent: subprocess.Popen[str], layout: Layout, cli: Cli
) -> None:
    """None takes it for an agent. That agent was killed: nobody may signal the process that its lock file names."""
    older_agent.kill()
    older_agent.wait()
    with subprocess.Popen(["sleep", "1000"]) as innocent:
        layout.agent_lock.write_text(json.dumps({"pid": innocent.pid, "version": "0.0.1", "started_at": 1.0}))
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda _: cli("job", "list"), range(6)))
        assert [each.stderr for each in done if each.returncode] == []
        assert innocent.poll() is None
        innocent.kill()
    assert len(list(layout.root.glob("workbench.db.0001.*.backup"))) == 1


def test_secrets_that_an_older_version_stored_are_nowhere_any_more(layout: Layout) -> None:
    """In the database, in its free pages, and in the copy that is kept; a job under way still needs its own."""
    for file in layout.root.glob("workbench.db*"):
        file.unlink()
    address = "https://host.test/data.csv?sv=1&sig="
    make_database(layout, "0003")
    with closing(database.open_unchecked(layout.database)) as connection:
        computes.create(connection, {"name": "local", "type": "local"}, slots=1)
        for name, secret in (("ended", "swordfish"), ("deleted", "swordfish2"), ("waiting", "opensesame")):
            job_document = {"command": "true", "inputs": {"data": {"path": address + secret}, "n": 1}}
            source = {"overrides": [f"inputs.data.path={address}{secret}"]}
            jobs.submit(connection, jobs.NewJob(job_document, source, "local", name=name))
        with database.write(connection):
            cause = {"code": "exit_code", "message": f"no answer from {address}swordfish", "hint": None}
            jobs.record(
                connection, "ended", "Failed", cause["message"], cause=cause, inputs={"data": f"{address}swordfish"}
            )
            connection.execute("DELETE FROM job_event WHERE job_name = 'deleted'")
            connection.execute("DELETE FROM job WHERE name = 'deleted'")
    backup = migrate.migrate(layout.database)
    assert backup is not None
    for file in layout.root.glob("workbench.db*"):
        assert b"swordfish" not in file.read_bytes(), file
    with closing(database.connect(layout.database)) as connection:
        ended, waiting = jobs.get(connection, "ended"), jobs.get(connection, "waiting")
    assert ended.document["inputs"] == {"data": {"path": f"{address}***"}, "n": 1}
    assert ended.source["overrides"] == [f"inputs.data.path={address}***"]
    assert (ended.cause or {})["message"] == f"no answer from {address}***"
    assert waiting.document["inputs"]["data"]["path"] == f"{address}opensesame"
