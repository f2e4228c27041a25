from __future__ import annotations

import base64
import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from tiny_packages import write_gated_source, write_wheel

from engines.environments.build import build
from engines.environments.built import READY, activation, folder, interpreter, mlflow_package
from engines.environments.definition import Definition
from engines.environments.failures import explain
from engines.environments.interpreters import installed, own
from engines.environments.running import BuildCanceled
from store.errors import ConflictError, MachineError, WorkbenchError
from store.layout import Layout

Define = Callable[..., Definition]

BUILDER = """
import json, os, sys
from pathlib import Path
from engines.environments.build import build
from engines.environments.definition import Definition
from store.layout import Layout
definition = Definition.from_dict(json.loads(sys.argv[1]))
python = build(definition, Layout(Path(sys.argv[2])), Path(sys.argv[3]), say=lambda line: print(line, flush=True))
print(python, flush=True)
"""


def prints(python: Path, code: str) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, check=True, text=True).stdout.strip()


def builder(definition: Definition, layout: Layout, environ: Mapping[str, str]) -> subprocess.Popen[str]:
    """A process of its own that builds and says what it does."""
    arguments = [json.dumps(definition.as_dict()), str(layout.root), str(layout.root.parent / "log.txt")]
    path = os.pathsep.join(entry for entry in ("", *sys.path) if entry)
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, *arguments],
        env={**environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def left_over(place: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WORKBENCH_BUILDING") == str(place):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Take in what a builder says up to a line with ``text``."""
    assert process.stdout is not None
    assert any(text in line for line in process.stdout), f"the builder ended without saying '{text}'"


@pytest.fixture
def gated(tmp_path: Path, define: Define, environ: dict[str, str]) -> tuple[Definition, dict[str, str]]:
    """An environment whose build waits at the pipe ``gate``."""
    source = write_gated_source(tmp_path / "source")
    os.mkfifo(tmp_path / "gate")
    return define({"requirements": [str(source)]}), {**environ, "GATE": str(tmp_path / "gate")}


def test_a_conda_files_packages_are_there(
    conda: Define, layout: Layout, wheels: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    definition = conda("python>=3.9", "tiny=1")
    assert interpreter(definition, layout) is None
    said: list[str] = []
    log = tmp_path / "logs" / "build.txt"
    python = build(definition, layout, log, say=said.append, environ=environ)
    assert python == layout.environments / definition.hash / "bin" / "python" == interpreter(definition, layout)
    assert prints(python, "import tiny; print(tiny.VERSION)") == "1.1"
    assert list(python.parent.parent.glob("lib/*/site-packages/__pycache__/tiny.*.pyc"))
    assert said[0].startswith("Building environment anonymous") and said[-1].startswith(
        "Environment anonymous is ready"
    )
    assert "+ tiny==1.1" in log.read_text()
    assert layout.environments.stat().st_mode & 0o777 == 0o700
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_environment_is_built_once(
    conda: Define, layout: Layout, wheels: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    definition = conda("tiny==1.0")
    first = build(definition, layout, tmp_path / "log.txt", environ=environ)
    marker = (first.parent.parent / READY).stat().st_mtime_ns
    said: list[str] = []
    assert build(conda("tiny==1.0"), layout, tmp_path / "other.txt", say=said.append, environ=environ) == first
    assert (first.parent.parent / READY).stat().st_mtime_ns == marker
    assert said == [] and not (tmp_path / "other.txt").exists()


def test_an_environment_whose_python_is_gone_is_built_again(
    conda: Define, layout: Layout, wheels: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    definition = conda("tiny")
    python = build(definition, layout, tmp_path / "log.txt", environ=environ)
    python.unlink()
    python.symlink_to(tmp_path / "removed")
    assert interpreter(definition, layout) is None
    assert build(definition, layout, tmp_path / "log.txt", environ=environ) == python
    assert prints(python, "import tiny; print(tiny.VERSION)") == "2.0"


def test_another_python_of_this_machine(
    conda: Define, layout: Layout, wheels: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    del environ["UV_CACHE_DIR"]  # uv remembers there what Pythons it has looked at
    others = [one for one in installed(environ) if one.minor not in (own().minor, "3.6", "3.7")]
    if not others:
        pytest.skip("this machine has one Python")
    definition = conda(f"python={others[0].minor}", "tiny", environ=environ)
    python = build(definition, layout, tmp_path / "log.txt", environ=environ)
    assert prints(python, "import tiny, sys; print('%d.%d' % sys.version_info[:2])") == others[0].minor


def test_two_builders_at_once_build_once(
    gated: tuple[Definition, dict[str, str]], layout: Layout, tmp_path: Path
) -> None:
    definition, environ = gated
    first = builder(definition, layout, environ)
    read_until(first, "Building gated")
    second = builder(definition, layout, environ)
    read_until(second, "Another job is building this environment")
    (tmp_path / "gate").write_text("")
    python = str(folder(definition, layout) / "bin" / "python")
    assert first.communicate()[0].splitlines()[-1] == python
    assert second.communicate()[0].splitlines() == [python], "the second one built nothing"


@pytest.mark.slow
def test_a_builder_killed_in_mid_build_leaves_nothing_in_the_way(
    gated: tuple[Definition, dict[str, str]], layout: Layout, tmp_path: Path
) -> None:
    definition, environ = gated
    killed = builder(definition, layout, environ)
    read_until(killed, "Building gated")
    killed.kill()
    killed.communicate()
    place = folder(definition, layout)
    assert killed.returncode == -signal.SIGKILL
    assert left_over(place), "uv and the package's build go on alone"
    assert place.exists() and interpreter(definition, layout) is None
    python = build(definition, layout, tmp_path / "log.txt", environ={**environ, "GATE": ""})
    assert prints(python, "import gated; print(gated.VERSION)") == "1.0"
    assert left_over(place) == []


def test_a_build_can_be_canceled(gated: tuple[Definition, dict[str, str]], layout: Layout, tmp_path: Path) -> None:
    definition, environ = gated
    said: list[str] = []

    def cancelled() -> bool:
        return any("Building gated" in line for line in said)

    with pytest.raises(BuildCanceled):
        build(definition, layout, tmp_path / "log.txt", cancelled, said.append, environ=environ)
    place = folder(definition, layout)
    assert left_over(place) == [] and not place.exists()


def test_waiting_for_another_builder_can_be_canceled(
    gated: tuple[Definition, dict[str, str]], layout: Layout, tmp_path: Path
) -> None:
    definition, environ = gated
    first = builder(definition, layout, environ)
    read_until(first, "Building gated")
    cancel = threading.Event()
    with pytest.raises(BuildCanceled):
        build(definition, layout, tmp_path / "log.txt", cancel.is_set, lambda line: cancel.set(), environ=environ)
    (tmp_path / "gate").write_text("")
    assert first.communicate()[0] and first.returncode == 0


def test_a_local_package_changed_after_submission_is_refused(
    define: Define, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    wheel = write_wheel(tmp_path, "tiny", "1.0")
    definition = define({"requirements": [str(wheel)]})
    write_wheel(tmp_path, "tiny", "1.0", source="CHANGED = True\n")
    with pytest.raises(ConflictError, match="is not what it was when the job was submitted"):
        build(definition, layout, tmp_path / "log.txt", environ=environ)
    assert not folder(definition, layout).exists()


@pytest.mark.parametrize(
    ("requirements", "says"),
    [
        (["nosuch"], "there is no package 'nosuch' on the package index"),
        (["tiny==9"], "no version of 'tiny' is what the environment asks for"),
        (["tiny==1.0", "tiny==2.0"], "cannot be installed together"),
    ],
)
def test_what_cannot_be_installed_is_said_in_words(
    requirements: list[str],
    says: str,
    define: Define,
    layout: Layout,
    wheels: Path,
    environ: dict[str, str],
    tmp_path: Path,
) -> None:
    definition = define({"requirements": requirements})
    with pytest.raises(WorkbenchError) as caught:
        build(definition, layout, tmp_path / "log.txt", environ=environ)
    assert says in caught.value.message
    assert "No solution found" in caught.value.message, "uv's own words are shown too"
    assert not folder(definition, layout).exists()


def test_a_package_that_does_not_build_is_named(
    define: Define, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    source = write_gated_source(tmp_path / "source")
    (source / "backend.py").write_text("raise SystemExit('needs a compiler')\n")
    with pytest.raises(WorkbenchError) as caught:
        build(define({"requirements": [f"gated @ {source.as_uri()}"]}), layout, tmp_path / "log.txt", environ=environ)
    assert "'gated' has no wheel for this Python and could not be built" in caught.value.message
    assert "needs a compiler" in caught.value.message


def test_an_index_out_of_reach_is_said_and_its_password_is_not(
    define: Define, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = {
        **environ,
        "PIP_NO_INDEX": "",
        "PIP_INDEX_URL": "http://user:hunter2@127.0.0.1:9/simple",
        "UV_HTTP_RETRIES": "0",
    }
    definition = define({"requirements": ["tiny"]}, environ=elsewhere)
    log = tmp_path / "log.txt"
    with pytest.raises(MachineError) as caught:
        build(definition, layout, log, environ=elsewhere)
    assert "the package index cannot be reached" in caught.value.message
    assert "127.0.0.1:9" in log.read_text()
    assert "hunter2" not in log.read_text() + str(caught.value)


def test_a_network_switched_off_is_said(
    define: Define, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    offline = {**environ, "PIP_NO_INDEX": "", "UV_OFFLINE": "1"}
    with pytest.raises(MachineError, match="the network is switched off"):
        build(define({"requirements": ["tiny"]}, environ=offline), layout, tmp_path / "log.txt", environ=offline)


class GuardedIndex(http.server.SimpleHTTPRequestHandler):
    """A package index that wants user and password."""

    def do_GET(self) -> None:
        wanted = f"Basic {base64.b64encode(b'user:hunter2').decode()}"
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def guarded_index(tmp_path: Path) -> Iterator[str]:
    page = tmp_path / "index" / "simple" / "tiny"
    wheel = write_wheel(page, "tiny", "3.0")
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    handler = functools.partial(GuardedIndex, directory=str(tmp_path / "index"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"127.0.0.1:{server.server_port}/simple"
        server.shutdown()


def test_an_index_with_a_password_in_the_conda_file(
    conda: Define, guarded_index: str, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    with_network = {**environ, "PIP_NO_INDEX": ""}
    definition = conda({"pip": [f"--index-url http://user:hunter2@{guarded_index}", "tiny"]}, environ=with_network)
    stored = Definition.from_dict(json.loads(json.dumps(definition.as_dict())))
    log = tmp_path / "log.txt"
    python = build(stored, layout, log, environ={**with_network, **definition.secrets})
    assert prints(python, "import tiny; print(tiny.VERSION)") == "3.0"
    written = [path.read_text(errors="replace") for path in python.parent.parent.rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in [*written, log.read_text()])


def test_an_index_that_refuses_access_is_said(
    conda: Define, guarded_index: str, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    definition = conda({"pip": [f"--index-url http://{guarded_index}", "tiny"]})
    with pytest.raises(MachineError, match="refuses access"):
        build(definition, layout, tmp_path / "log.txt", environ={**environ, "PIP_NO_INDEX": ""})


def test_a_full_disk_is_said(
    define: Define, layout: Layout, wheels: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    definition = define({"requirements": ["tiny"]})
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(MachineError, match="the disk is full"):
        build(definition, layout, Path("/dev/full"), environ=environ)
    assert not folder(definition, layout).exists()


def test_a_disk_that_fills_up_while_uv_writes(
    define: Define, wheels: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    write_wheel(wheels, "large", "1.0", source="# " + "x" * 3_000_000)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        definition, layout = define({"requirements": ["large"]}), Layout(small)
        with pytest.raises(MachineError, match="the disk is full"):
            build(definition, layout, tmp_path / "log.txt", environ=environ)
        assert not folder(definition, layout).exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_folder_that_cannot_be_made_is_said(
    define: Define, layout: Layout, environ: dict[str, str], tmp_path: Path
) -> None:
    layout.root.mkdir()
    layout.environments.write_text("in the way")
    with pytest.raises(MachineError, match="cannot be built"):
        build(define({"requirements": ["tiny"]}), layout, tmp_path / "log.txt", environ=environ)


def test_words_for_what_uv_cannot_say_itself() -> None:
    error = explain("e", ["error: odd"])
    assert "error: odd" in error.message and "--set environment=azureml:current@latest" in str(error)


@pytest.mark.slow
def test_packages_of_the_real_index(conda: Define, layout: Layout, tmp_path: Path) -> None:
    environ = dict(os.environ)
    definition = conda("python>=3.9", "pip", "six=1.16", {"pip": ["iniconfig>=2"]}, environ=environ)
    python = build(definition, layout, tmp_path / "log.txt", environ=environ)
    assert prints(python, "import six, iniconfig; print(six.__version__)") == "1.16.0"
    run = subprocess.run(["pip", "--version"], env=activation(python), capture_output=True, text=True)
    assert str(python.parent.parent) in run.stdout, "a job's own `pip install` goes into its environment"


SCRIPT = """
import mlflow, numpy, sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
mlflow.set_tracking_uri("sqlite:///runs.db")
mlflow.autolog()
data = load_iris(as_frame=True)
for model in (make_pipeline(StandardScaler(), LogisticRegression()), RandomForestClassifier(n_estimators=5)):
    with mlflow.start_run():
        model.fit(data.data, data.target)   # autologged, with the model
with mlflow.start_run():
    model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    mlflow.sklearn.load_model(mlflow.sklearn.log_model(model, name="again").model_uri)
print(sklearn.__version__, mlflow.__version__)
"""


@pytest.mark.slow
def test_the_curated_environment_trains_and_tracks(define: Define, layout: Layout, tmp_path: Path) -> None:
    environ = dict(os.environ)
    definition = define("azureml:sklearn-1.5@latest", environ=environ)
    python = build(definition, layout, tmp_path / "log.txt", environ=environ)
    run = subprocess.run(
        [python, "-W", "error::FutureWarning:sklearn", "-c", SCRIPT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=activation(python, {**environ, "MLFLOW_DISABLE_TELEMETRY": "true"}),
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].startswith("1.5.")
    assert ("mlflow", run.stdout.split()[-1]) == mlflow_package(python) == mlflow_package(Path(sys.executable))
