"""What jobs read and write of datastores on real servers, in every mode that there is for inputs and outputs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engines.jobs import inputs as job_inputs
from engines.jobs import outputs as job_outputs
from engines.jobs.download import download
from engines.jobs.working_copy import prepare_working_copy
from store import cache
from store.datastores import cached, filesystems
from store.errors import ConflictError, MachineError, NotFoundError
from store.jobs import Job
from store.layout import Layout
from store.transfer.incoming import AbandonedError
from store.unfinished import PARTIAL
from tests.conftest import Cli
from tests.file_trees import fill, tree
from tests.services.job_datastores import Remote, remote
from tests.stored_jobs import stored_job

__all__ = ["remote"]
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]

TWO = {"a__csv": "a,b\n1,2\n", "deep_OF_b__csv": "c\n"}


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))


def job_with(name: str = "brave_owl_1", **document: Any) -> Job:
    return stored_job(name, document={"name": name, "command": "true", **document}, status="Completed")


def place(layout: Layout, name: str = "brave_owl_1", said: list[str] | None = None, **inputs: Any) -> dict[str, str]:
    say = (said if said is not None else []).append
    found = job_inputs.place_inputs(job_with(name, inputs=inputs), layout, say, lambda: False)
    return {key.removeprefix("inputs."): value.text for key, value in found.items()}


def written(layout: Layout, outputs: dict[str, Any], **files: dict[str, str]) -> Job:
    """A job that wrote files into its outputs."""
    job = job_with(outputs=outputs)
    values = job_outputs.prepare_outputs(job, layout)
    for name, content in files.items():
        place = Path(values[f"outputs.{name}"].text)
        if outputs[name].get("type") == "uri_file":
            place.write_text(content[""])
        else:
            fill(place, content)
    return job


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_folder_and_a_file_are_here_when_the_job_begins(remote: Remote, tmp_path: Path, mode: str) -> None:
    remote.put(tmp_path / "up", **TWO)
    given = {
        "d": {"type": "uri_folder", "path": remote.path(), "mode": mode},
        "f": {"type": "uri_file", "path": remote.path("a.csv"), "mode": mode},
    }
    found = place(remote.layout, **given)
    assert tree(Path(found["d"])) == {"a.csv": "a,b\n1,2\n", "deep/b.csv": "c\n"}
    assert Path(found["f"]).read_text() == "a,b\n1,2\n"
    assert Path(found["d"]).is_relative_to(remote.layout.job("brave_owl_1").inputs)
    writable = os.stat(Path(found["d"]) / "a.csv").st_mode & 0o200
    assert bool(writable) is (mode == "download")


def test_direct_gives_the_address_without_a_secret(remote: Remote, tmp_path: Path) -> None:
    given = {"f": {"type": "uri_file", "path": remote.path("a.csv"), "mode": "direct"}}
    from contextlib import closing

    from store import database
    from store.datastores import registry

    with closing(database.connect(remote.layout.database)) as connection:
        store = registry.get(connection, remote.layout, "away")
    assert place(remote.layout, **given) == {"f": filesystems.address(store, f"{remote.below}/a.csv")}


def test_a_changed_source_is_fetched_anew_and_nothing_else(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached, "RACY_SECONDS", -60.0)
    remote.put(tmp_path / "up", **TWO)
    given = {"d": {"path": remote.path()}}
    first, said = Path(place(remote.layout, "first", **given)["d"]), list[str]()
    again = Path(place(remote.layout, "again", said, **given)["d"])
    assert said == [], "nothing was fetched again"
    assert (again / "a.csv").samefile(first / "a.csv")

    there = remote.opened()
    there.system.rm_file(there.full(f"{remote.below}/deep/b.csv"))
    remote.put(tmp_path / "up", a__csv="another length\n", new__csv="n")
    third = Path(place(remote.layout, "third", **given)["d"])
    assert tree(third) == {"a.csv": "another length\n", "new.csv": "n"}
    assert tree(first) == {"a.csv": "a,b\n1,2\n", "deep/b.csv": "c\n"}, "a running job keeps what it was given"


def test_a_change_within_the_same_second_is_seen(remote: Remote, tmp_path: Path) -> None:
    given = {"f": {"type": "uri_file", "path": remote.path("a.csv")}}
    for number in range(4):
        remote.put(tmp_path / "up", a__csv=f"text {number}")
        assert Path(place(remote.layout, f"job_{number}", **given)["f"]).read_text() == f"text {number}"


def test_a_connection_that_drops_is_taken_up_again(remote: Remote, tmp_path: Path) -> None:
    big = "".join(f"{number}\n" for number in range(2_000_000))
    remote.put(tmp_path / "up", big__txt=big, small__txt="s")
    with remote.dropping() as proxy:
        proxy.drop(times=2, after=1_000_000)
        found = Path(place(remote.layout, d={"path": remote.path()})["d"])
        assert proxy.dropped == 2
    assert tree(found) == {"big.txt": big, "small.txt": "s"}


def test_a_connection_that_is_gone_for_good_leaves_no_input(remote: Remote, tmp_path: Path) -> None:
    big = "".join(f"{number}\n" for number in range(2_000_000))
    remote.put(tmp_path / "up", a__txt="a", big__txt=big)
    with remote.dropping() as proxy:
        proxy.drop(times=10_000, after=1_000_000)
        with pytest.raises(MachineError, match="input 'd'"):
            place(remote.layout, d={"path": remote.path()})
        assert [entry.complete for entry in cache.entries()] == [False]
        assert list(remote.layout.job("brave_owl_1").inputs.glob("*")) == []
        proxy.drop(times=0, after=0)
        assert tree(Path(place(remote.layout, d={"path": remote.path()})["d"])) == {"a.txt": "a", "big.txt": big}


def test_what_is_not_there_is_said_at_once(remote: Remote) -> None:
    with pytest.raises(NotFoundError, match=r"input 'f'.*'away' has no '.*nope\.csv'"):
        place(remote.layout, f={"type": "uri_file", "path": remote.path("nope.csv")})


def test_a_source_that_cannot_be_reached_leaves_what_was_fetched(remote: Remote, tmp_path: Path) -> None:
    from tests.services.job_datastores import _keep
    from tests.services.running import free_port

    remote.put(tmp_path / "up", **TWO)
    given = {"d": {"path": remote.path()}}
    place(remote.layout, "first", **given)
    port = free_port()
    gone = dict(remote.document)
    key = next(key for key in ("endpoint_url", "endpoint", "port") if key in gone)
    gone[key] = {"endpoint_url": f"http://127.0.0.1:{port}", "endpoint": f"127.0.0.1:{port}", "port": port}[key]
    _keep(remote.layout, gone)
    with pytest.raises(MachineError, match="input 'd'"):  # it is another place, of which nothing is here
        place(remote.layout, "second", **given)


@pytest.mark.parametrize("mode", ["rw_mount", "mount", "upload"])
def test_outputs_are_there_when_the_job_has_ended(remote: Remote, tmp_path: Path, mode: str) -> None:
    outputs = {
        "d": {"path": remote.path("out/${{name}}"), "mode": mode},
        "f": {"type": "uri_file", "path": remote.path("m.txt"), "mode": mode},
    }
    job = written(remote.layout, outputs, d={"x.csv": "x", "deep/ü y.csv": "y"}, f={"": "42"})
    assert remote.tree() == {}
    job_outputs.collect_outputs(job, remote.layout)
    assert remote.tree() == {"out/brave_owl_1/x.csv": "x", "out/brave_owl_1/deep/ü y.csv": "y", "m.txt": "42"}
    assert not (remote.layout.job(job.name).root / "upload/d").exists()
    job_outputs.collect_outputs(job, remote.layout)
    assert len(remote.tree()) == 3, "once more changes nothing"
    download(job, remote.layout, tmp_path / "got", output_name="d")
    assert tree(tmp_path / "got") == {"named-outputs/d/x.csv": "x", "named-outputs/d/deep/ü y.csv": "y"}


def test_an_output_in_a_folder_that_is_there_adds_to_it(remote: Remote, tmp_path: Path) -> None:
    remote.put(tmp_path / "up", old__csv="old", x__csv="before")
    job = written(remote.layout, {"d": {"path": remote.path()}}, d={"x.csv": "x"})
    job_outputs.collect_outputs(job, remote.layout)
    assert remote.tree() == {"old.csv": "old", "x.csv": "x"}


def test_direct_outputs_are_the_jobs_own_affair(remote: Remote) -> None:
    job = job_with(outputs={"d": {"path": remote.path("d"), "mode": "direct"}})
    prepare_working_copy(job, remote.layout)
    assert "://" in job_outputs.prepare_outputs(job, remote.layout)["outputs.d"].text
    job_outputs.collect_outputs(job, remote.layout)
    assert remote.tree() == {}


def test_a_folder_that_is_marked_as_partial_is_not_read(remote: Remote, tmp_path: Path) -> None:
    remote.put(tmp_path / "up", **TWO, **{PARTIAL.replace(".", "__"): "{}"})
    with pytest.raises(ConflictError, match=r"input 'd'.*is not complete"):
        place(remote.layout, d={"path": remote.path()})


def test_an_upload_goes_on_after_a_dropped_connection(remote: Remote, tmp_path: Path) -> None:
    big = {f"{number}.bin": str(number) * 3_000_000 for number in range(3)}
    job = written(remote.layout, {"d": {"path": remote.path("d")}}, d=big)
    with remote.dropping() as proxy:
        proxy.drop_uploads(times=2, after=2_000_000)
        job_outputs.collect_outputs(job, remote.layout)
        assert proxy.dropped == 2
    assert remote.tree("d") == big
    assert sorted(remote.tree()) == [f"d/{name}" for name in big], "nothing else is left"


def test_an_upload_that_breaks_for_good_is_no_output_and_can_be_done_again(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.datastores import uploading

    monkeypatch.setattr(uploading, "PAUSE_SECONDS", 0.0)
    big = {"0.txt": "small", "1.bin": "1" * 6_000_000}
    job = written(remote.layout, {"d": {"path": remote.path("d")}}, d=big)
    with remote.dropping() as proxy:
        proxy.drop_uploads(times=10_000, after=2_000_000)
        with pytest.raises(MachineError, match=r"output 'd'(.*\n)*.*kept here: ") as told:
            job_outputs.collect_outputs(job, remote.layout)
    assert tree(remote.layout.job(job.name).root / "upload/d") == big, str(told.value)
    assert "d/1.bin" not in remote.tree()
    with pytest.raises((NotFoundError, ConflictError)):
        place(remote.layout, "reads", d={"path": remote.path("d")})
    job_outputs.collect_outputs(job, remote.layout)
    assert remote.tree("d") == big
    assert len(remote.tree()) == 2, "nothing else is left"
    assert tree(Path(place(remote.layout, "reads", d={"path": remote.path("d")})["d"])) == big


def test_a_job_reads_and_makes_versions_that_lie_there(remote: Remote, cli: Cli, tmp_path: Path) -> None:
    remote.put(tmp_path / "up", **TWO)
    assert cli("data", "create", "--name", "sets", "--path", remote.path()).returncode == 0
    (tmp_path / "job.yml").write_text(
        "command: cat ${{inputs.d}}/a.csv; cp ${{inputs.d}}/a.csv ${{outputs.o}}/copy.csv\n"
        "inputs:\n  d: {path: 'azureml:sets@latest'}\n"
        f"outputs:\n  o: {{path: '{remote.path('made/')}${{{{name}}}}', mode: upload, name: made}}\n"
    )
    done = cli("run", tmp_path / "job.yml", "--name", "copier")
    assert (done.returncode, done.stdout) == (0, "a,b\n1,2\n"), done.stderr
    assert remote.tree("made") == {"copier/copy.csv": "a,b\n1,2\n"}
    assert not (remote.layout.job("copier").inputs / "d").exists(), "what is in the cache is not held twice"
    shown = json.loads(cli("job", "show", "copier").stdout)
    sets, made = (json.loads(cli("data", "show", name).stdout) for name in ("sets", "made"))
    assert shown["data_read"][0]["fingerprint"] == sets["fingerprint"] is not None
    assert shown["data_made"] == [{"data": "azureml:made:1", "output": "o", "fingerprint": made["fingerprint"]}]
    assert (made["files"], made["bytes"]) == (1, 8)

    (tmp_path / "reads.yml").write_text("command: cat ${{inputs.m}}/*\ninputs:\n  m: {path: 'azureml:made:1'}\n")
    assert cli("run", tmp_path / "reads.yml", "--name", "reader").stdout == "a,b\n1,2\n"
    assert json.loads(cli("data", "show", "made").stdout)["used_by"][0]["fingerprint"] == made["fingerprint"]
    remote.put(tmp_path / "up", made_OF_copier_OF_copy__csv="changed, and longer\n")
    done = cli("run", tmp_path / "reads.yml", "--name", "late")
    assert done.stdout == "changed, and longer\n"
    assert "the bytes behind azureml:made:1 are no longer those that it was made with" in done.stderr


COLLECT = """
import json, sys
from pathlib import Path
from engines.jobs import outputs
from store.layout import Layout
from tests.stored_jobs import stored_job
job = stored_job("brave_owl_1", document=json.loads(sys.argv[2]), status="Completed")
outputs.collect_outputs(job, Layout(Path(sys.argv[1])))
"""


def test_an_uploader_that_is_killed_leaves_no_output_that_looks_whole(remote: Remote) -> None:
    big = {"0.txt": "small", "1.bin": "1" * 6_000_000}
    job = written(remote.layout, {"d": {"path": remote.path("d")}}, d=big)
    with remote.dropping() as proxy:
        proxy.stall_uploads(after=1_000_000)
        arguments = [str(remote.layout.root), json.dumps(dict(job.document))]
        process = subprocess.Popen([sys.executable, "-c", COLLECT, *arguments], cwd=ROOT)
        assert proxy.stalled.wait(60), "nothing was uploaded"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert "d/1.bin" not in remote.tree()
    with pytest.raises((NotFoundError, ConflictError)):
        place(remote.layout, "reads", d={"path": remote.path("d")})
    job_outputs.collect_outputs(job, remote.layout)
    assert remote.tree() == {f"d/{name}": text for name, text in big.items()}, "nothing else is left"


def test_an_upload_that_is_called_off_ends_at_once_and_is_done_again(remote: Remote) -> None:
    job = written(remote.layout, {"d": {"path": remote.path("d")}}, d={"1.bin": "1" * 6_000_000})
    with remote.dropping() as proxy:
        proxy.stall_uploads(after=1_000_000)
        with pytest.raises(AbandonedError):
            job_outputs.collect_outputs(job, remote.layout, cancelled=proxy.stalled.is_set)
    assert "d/1.bin" not in remote.tree()
    job_outputs.collect_outputs(job, remote.layout)
    assert remote.tree() == {"d/1.bin": "1" * 6_000_000}


def test_an_agent_that_stops_in_mid_upload_leaves_it_to_the_next(remote: Remote, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(
        "command: head -c 6000000 /dev/zero > ${{outputs.o}}/1.bin\n"
        f"outputs:\n  o: {{path: '{remote.path('o')}', mode: upload}}\n"
    )
    with remote.dropping() as proxy:
        proxy.stall_uploads(after=1_000_000)
        assert cli("run", tmp_path / "job.yml", "--name", "slow_up", "--detach").returncode == 0
        assert proxy.stalled.wait(60), "nothing was uploaded"
        assert cli("agent", "stop").returncode == 0
        assert proxy.stalled.is_set() and "o/1.bin" not in remote.tree()
    done = cli("job", "stream", "slow_up")
    assert done.returncode == 0, done.stderr
    assert {name: len(text) for name, text in remote.tree().items()} == {"o/1.bin": 6_000_000}


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_the_files_of_a_table(remote: Remote, tmp_path: Path, mode: str) -> None:
    text = "paths: [{pattern: ./**/*.csv}]\ntransformations:\n  - read_delimited: {delimiter: ','}\n"
    remote.put(tmp_path / "up", MLTable=text, **TWO, notes__txt="x")
    given = {"t": {"type": "mltable", "path": remote.path(), "mode": mode}}
    assert tree(Path(place(remote.layout, **given)["t"])) == {"a.csv": "a,b\n1,2\n", "deep/b.csv": "c\n"}


def test_the_cache_tells_of_what_was_fetched(remote: Remote, tmp_path: Path) -> None:
    remote.put(tmp_path / "up", **TWO)
    place(remote.layout, d={"path": remote.path()})
    (entry,) = cache.entries()
    assert (entry.files, entry.is_folder, entry.complete, entry.added) == (2, True, True, False)
