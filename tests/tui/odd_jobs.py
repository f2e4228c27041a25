"""A workspace in which every text is one that breaks careless layouts, and the way to every view of it."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from store import database
from store.data import assets, events, uses
from store.data.assets import DataVersion
from store.data.uses import Use
from store.datastores import registry
from store.layout import Layout
from tests.many_jobs import add_jobs
from tests.tui.charted_jobs import add_job, log, take_in

LONG = "an_endless_name_" * 32
CHINESE = "模型训练实验第一号" * 20
ARABIC = "تجربة النموذج الأول " * 15
CONTROL = "tab\there\x1b[31m red\x07\x9b2J\r\x00\u202eturned\u2066\u200b"
MARKUP = "[bold]no markup[/bold] [@click=app.quit]x[/] [/] $primary \\["
COMBINED = "e\u0301👩\u200d💻🇩🇪" * 20
ODD = (LONG, CHINESE, ARABIC, CONTROL, MARKUP, COMBINED)

WATCHED, ENDED = "watched", "ended"
VIEWS = (
    *(":home", ":jobs", ":compute", ":environments", ":events", ":events agent", ":compute local"),
    *(":data", ":data odd", ":data odd:1", ":datastores", ":datastores odd", ":datastores workspaceblobstore"),
    *(f":job {ENDED} {tab}" for tab in ("overview", "metrics", "log", "outputs", "system", "yaml")),
    *(f":job {WATCHED} {tab}" for tab in ("overview", "metrics", "log", "system")),
    *(f":compare {ENDED} {WATCHED} odd_0", ":job nowhere"),
)
"""The commands that lead to every view."""


def fill(layout: Layout) -> None:
    """Jobs of every state, with odd texts wherever a text may stand."""
    now = time.time()
    states = ("Running", "Queued", "Failed", "Completed", "Canceled", "Finalizing")
    rows = []
    for number, text in enumerate(ODD):
        document = {
            "type": "command",
            "command": f"echo {text}",
            "description": text,
            "inputs": {text[:200]: text, "data": {"type": "uri_file", "path": f"azureml:{text[:80]}:1"}},
            "tags": {text[:100]: text},
        }
        told = {
            "display_name": text,
            "experiment_name": text,
            "compute": "local" if number % 2 else text[:60],
            "document": document,
            "status": states[number],
            "cause": {"message": text, "hint": text} if states[number] == "Failed" else None,
            "ended_at": now - 60 if states[number] in ("Failed", "Completed", "Canceled") else None,
        }
        rows.append((f"odd_{number}", told, {text[:240]: float(number)}))
    add_jobs(layout, rows)
    add_data(layout)
    for name, status in ((ENDED, "Completed"), (WATCHED, "Running")):
        ended = {"ended_at": now - 5.0, "exit_code": 0} if status == "Completed" else {}
        journal = add_job(layout, name, status, started_at=now - 90, **ended)
        keys = [text[:240] for text in ODD] + [f"loss_{number}" for number in range(6)]
        log(
            journal,
            [(key, value, second, second) for key in keys for second, value in enumerate(values(len(key)))],
            job=name,
        )
        take_in(layout, name)
        write_files(layout, name)


def add_data(layout: Layout) -> None:
    """Versions, datastores and events with odd texts, as somebody else's program may have written them."""
    with closing(database.connect(layout.database)) as connection:
        for text in ODD:
            told = {"description": text, "tags": {text[:100]: text}}
            for name in ("odd", text[:255]):
                made = DataVersion(name, "", "uri_folder", f"/nowhere/{text}", told, job_name=ENDED, job_output=text)
                version = assets.create(connection, made)
            uses.add(connection, Use("odd", "1", "job", text[:100], text, text))
            assets.label(connection, "odd", text[:100], "1")
            registry.create(connection, {"name": text[:255], "type": "local", "path": f"/nowhere/{text}"})
            with database.write(connection):
                document = {"event": events.NEW_FILES, "data": str(version), "error": text, "paths": [text]}
                events.add(connection, text[:100], (), document)
                events.add(connection, text[:100], (), {"event": events.LOST, "message": text})
        registry.create(connection, {"name": "odd", "type": "local", "path": str(layout.root)})


def values(seed: int) -> list[float]:
    """A curve with all that is no number in it."""
    return [*((seed * 37 * step % 101) / 10 - 3 for step in range(40)), float("nan"), float("inf"), -1e300, 1e300, 0.0]


def write_files(layout: Layout, name: str) -> None:
    """A log and outputs with odd names and contents."""
    folder = layout.job(name)
    folder.user_logs.mkdir(parents=True, exist_ok=True)
    folder.log.write_text("\n".join([*ODD, "Traceback (most recent call last):", "x" * 100_000]) + "\n")
    artifacts = layout.artifacts(name)
    artifacts.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(ODD):
        file = artifacts / (odd_file_name(text) + (".txt", ".json", ".csv", ".md", ".png", "")[number])
        file.write_text(f'{text}\n"{text}",{text}\n')


def odd_file_name(text: str) -> str:
    """As much of a text as a file's name may have."""
    return text.replace("/", "|").replace("\0", "").encode()[:200].decode(errors="ignore")


def crashes(state: Path) -> list[str]:
    """What the terminal UI kept of its own errors."""
    return [file.read_text() for file in (state / "workbench").glob("crash-*.txt")]
