"""Where paths lead: every form of them, in a real workspace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import database, jobs
from store.data import assets
from store.data.assets import DataVersion
from store.datastores import registry
from store.errors import NotFoundError, UsageError
from store.layout import Layout
from store.tracking import runs
from store.uris import Place, Resolver, substitute

OUTPUTS: dict[str, Any] = {
    "plain": None,
    "named": {"type": "uri_folder"},
    "there": {"path": "azureml://datastores/${{default_datastore}}/paths/sets/${{name}}/${{ output_name }}/"},
    "away": {"path": "wasbs://c@a.blob.core.windows.net/out/", "mode": "direct"},
}


@pytest.fixture
def job(layout: Layout) -> str:
    connection = database.connect(layout.database)
    document = {"command": "true", "outputs": OUTPUTS, "experiment_name": "e"}
    name = jobs.submit(connection, jobs.NewJob(document=document, source={}, compute="local", name="quick_panda_1"))
    connection.close()
    return name


def find(layout: Layout, text: str) -> str:
    return str(Resolver(layout).find(text))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/data/a b.csv", "/data/a b.csv"),
        ("file:///data/a%20b.csv", "/data/a b.csv"),
        ("file:/data/x", "/data/x"),
        ("/data/", "/data"),
    ],
)
def test_paths_of_this_machine(layout: Layout, text: str, path: str) -> None:
    assert Resolver(layout).find(text) == Place(Path(path))


def test_relative_paths_start_at_the_base_else_here(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Resolver(layout).find("./a/b", base=Path("/base")) == Place(Path("/base/a/b"))
    assert Resolver(layout).find("file:./a", base=Path("/base")) == Place(Path("/base/a"))
    assert Resolver(layout).find("a") == Place(Path.cwd() / "a")
    monkeypatch.setenv("HOME", "/home/me")
    assert Resolver(layout).find("~/a") == Place(Path("/home/me/a"))


@pytest.mark.parametrize(
    "text", ["https://h/a.csv", "wasbs://c@a.blob.core.windows.net/x", "abfss://c@a/x", "s3://b/k"]
)
def test_addresses_stay_addresses(layout: Layout, text: str) -> None:
    assert Resolver(layout).find(text) == Place(url=text)


@pytest.mark.parametrize(
    ("datastore", "folder"),
    [("workspaceblobstore", "blobstore"), ("workspaceartifactstore", "blobstore"), ("workspacefilestore", "filestore")],
)
def test_datastores_are_folders_of_the_workspace(layout: Layout, datastore: str, folder: str) -> None:
    assert find(layout, f"azureml://datastores/{datastore}/paths/a b/c.csv") == str(layout.root / folder / "a b/c.csv")
    assert find(layout, f"azureml://datastores/{datastore}/paths/") == str(layout.root / folder)


def test_an_artifact_store_path_as_azure_has_it(layout: Layout) -> None:
    text = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.j1/outputs/m.pkl"
    assert find(layout, text) == str(layout.artifacts("j1") / "outputs/m.pkl")


def test_the_long_form_must_name_this_workspace(layout: Layout) -> None:
    long = "azureml://subscriptions/s/resourcegroups/g/workspaces/{}/datastores/workspaceblobstore/paths/x"
    assert find(layout, long.format("ws")) == find(layout, long.format("WS")) == str(layout.blobstore / "x")
    with pytest.raises(UsageError, match="names the workspace 'other', and this is 'ws'"):
        find(layout, long.format("other"))


@pytest.mark.parametrize(
    "text",
    ["azureml://datastores/workspaceblobstore/paths/../../etc", "azureml://jobs/j/outputs/artifacts/paths/a/../../b"],
)
def test_no_path_climbs_out(layout: Layout, text: str) -> None:
    layout.artifacts("j").mkdir(parents=True)
    with pytest.raises(UsageError, match="leads out of"):
        find(layout, text)


def test_an_unknown_datastore(layout: Layout) -> None:
    with pytest.raises(NotFoundError, match="no datastore 'mine'; it has workspaceblobstore"):
        find(layout, "azureml://datastores/mine/paths/x")


@pytest.fixture
def versions(layout: Layout) -> None:
    connection = database.connect(layout.database)
    for path in ("/data/one", "azureml://datastores/workspaceblobstore/paths/sets/two"):
        assets.create(connection, DataVersion("iris", "", "uri_folder", path, {}))
    assets.label(connection, "iris", "good", "1")
    connection.close()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("azureml:iris:1", "/data/one"),
        ("azureml:iris@good", "/data/one"),
        ("azureml:iris:2", "sets/two"),
        ("azureml:iris@latest", "sets/two"),
        ("azureml:iris", "sets/two"),
        ("azureml:/subscriptions/s/resourceGroups/g/providers/P/workspaces/w/data/iris/versions/1", "/data/one"),
        ("/subscriptions/s/resourceGroups/g/providers/P/workspaces/w/data/iris/labels/good", "/data/one"),
    ],
)
def test_data_assets_lead_to_their_own_path(layout: Layout, versions: None, text: str, path: str) -> None:
    assert find(layout, text) == str(layout.blobstore / path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("azureml:iris:3", r"has no version '3'\n.*2, 1, @good, @latest"),
        ("azureml:iris@best", "no version with the label 'best'"),
        ("azureml:irsi", "no data asset named 'irsi'\n.*'iris'"),
        ("azureml://registries/r/data/iris/versions/1", r"kept elsewhere.*\n.*as `path`"),
    ],
)
def test_data_assets_that_there_are_not(layout: Layout, versions: None, text: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        find(layout, text)


def test_datastores_of_ones_own(layout: Layout) -> None:
    connection = database.connect(layout.database)
    registry.create(connection, {"type": "local", "name": "inbox", "path": "/data/inbox"})
    blob = {"type": "azure_blob", "name": "sales", "account_name": "acme", "container_name": "c"}
    registry.create(connection, blob)
    connection.close()
    assert Resolver(layout).find("azureml://datastores/inbox/paths/a/b.csv") == Place(Path("/data/inbox/a/b.csv"))
    remote = Resolver(layout).find("azureml://datastores/sales/paths/a")
    assert remote.datastore == "sales" and str(remote.url).endswith("/a") and remote.path is None
    assert remote.below("b.csv") == Place(url=f"{remote.url}/b.csv", datastore="sales", within="a/b.csv")
    with pytest.raises(UsageError, match="leads out of"):
        Resolver(layout).find("azureml://datastores/sales/paths/../x")


@pytest.mark.parametrize("text", ["", "azureml:", "azureml://data/x", "runs:x"])
def test_what_is_no_path_at_all(layout: Layout, text: str) -> None:
    with pytest.raises(UsageError):
        find(layout, text)


# Outputs of jobs


def test_outputs_by_name(layout: Layout, job: str) -> None:
    root = layout.blobstore
    assert find(layout, f"azureml://jobs/{job}/outputs/plain") == str(root / f"azureml/{job}/plain")
    assert find(layout, f"azureml://jobs/{job}/outputs/named/paths/a/b.csv") == str(
        root / f"azureml/{job}/named/a/b.csv"
    )
    assert find(layout, f"azureml://jobs/{job}/outputs/there/paths/x") == str(root / f"sets/{job}/there/x")
    assert find(layout, f"azureml://jobs/{job}/outputs/away/paths/x") == "wasbs://c@a.blob.core.windows.net/out/x"


def test_an_open_connection_is_used(layout: Layout, job: str) -> None:
    connection = database.connect(layout.database)
    assert Resolver(layout, connection).find(f"azureml://jobs/{job}/outputs/plain").path
    connection.execute("SELECT 1")


def test_artifacts(layout: Layout, job: str) -> None:
    model = layout.artifacts(job) / "outputs/model.pkl"
    model.parent.mkdir(parents=True)
    model.touch()
    for text in (
        f"azureml://jobs/{job}/outputs/artifacts/paths/outputs/model.pkl",
        f"azureml://jobs/{job}/outputs/default/paths/outputs/model.pkl",
        f"runs:/{job}/outputs/model.pkl",
    ):
        assert find(layout, text) == str(model)
    assert find(layout, f"azureml://jobs/{job}/outputs/artifacts") == str(layout.artifacts(job))
    with pytest.raises(NotFoundError, match=r"keeps no 'model'\n.*It keeps outputs\."):
        find(layout, f"runs:/{job}/model")


def test_jobs_and_outputs_that_are_not_there(layout: Layout, job: str) -> None:
    with pytest.raises(NotFoundError, match=r"no output 'plan'\n.*plain, named, there, away, artifacts"):
        find(layout, f"azureml://jobs/{job}/outputs/plan")
    for text in ("azureml://jobs/quick_panda_2/outputs/x", "runs:/quick_panda_2/model"):
        with pytest.raises(NotFoundError, match=r"no job named 'quick_panda_2'\n.*quick_panda_1"):
            find(layout, text)
    with pytest.raises(NotFoundError, match="keeps no artifacts at all"):
        find(layout, f"runs:/{job}/model")


def test_without_a_workspace(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "none")
    with pytest.raises(NotFoundError, match="no job named 'j'"):
        find(layout, "azureml://jobs/j/outputs/o")
    with pytest.raises(NotFoundError, match="no job named 'j'"):
        find(layout, "runs:/j/model")
    assert not layout.root.exists()


@pytest.mark.slow
def test_models_that_mlflow_keeps_elsewhere(layout: Layout, job: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    connection = runs.connect(layout)
    experiment = runs.create_run(
        connection, layout, job=job, experiment="e", display_name=job, user="me", start_ms=1, tags={}
    )
    connection.close()
    client = MlflowClient(f"sqlite:///{layout.mlflow_database}")
    folder = tmp_path / "made"
    folder.mkdir()
    for text in ("old", "new"):
        (folder / "MLmodel").write_text(text)
        model = client.create_logged_model(experiment, name="model", source_run_id=job)
        client.log_model_artifacts(model.model_id, str(folder))
    for text in (f"azureml://jobs/{job}/outputs/artifacts/paths/model/MLmodel", f"runs:/{job}/model/MLmodel"):
        assert Path(find(layout, text)).read_text() == "new"
    with pytest.raises(NotFoundError, match="It keeps model"):
        find(layout, f"runs:/{job}/other")
    assert (Path(find(layout, f"models:/{model.model_id}")) / "MLmodel").read_text() == "new"
    with pytest.raises(NotFoundError, match="no run has logged a model with the id 'm-1'"):
        find(layout, "models:/m-1")
    other = client.create_run(experiment)  # a run that is no job
    client.log_text(other.info.run_id, "x", "notes/a.txt")
    assert Path(find(layout, f"runs:/{other.info.run_id}/notes/a.txt")).read_text() == "x"


@pytest.mark.slow
def test_models_of_the_registry(layout: Layout, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{layout.mlflow_database}", f"sqlite:///{layout.mlflow_database}")
    with pytest.raises(NotFoundError, match=r"no model 'churn'\n.*It is empty"):
        find(layout, "models:/churn/1")
    client.create_registered_model("churn")
    for number in range(1, 12):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}/MLmodel").write_text(str(number))
        client.create_model_version("churn", f"file://{tmp_path}/{number}")
    client.set_registered_model_alias("churn", "champion", "2")
    for text, number in (("/1", 1), ("/latest", 11), ("@champion", 2)):
        assert find(layout, f"models:/churn{text}") == str(tmp_path / f"{number}")
        assert find(layout, f"models:/churn{text}/MLmodel") == str(tmp_path / f"{number}/MLmodel")
    for text, message in (
        ("/12", r"no version '12'\n.*11, 10, 9"),
        ("@best", "no alias 'best'"),
    ):
        with pytest.raises(NotFoundError, match=message):
            find(layout, f"models:/churn{text}")
    with pytest.raises(NotFoundError, match="It has churn"):
        find(layout, "models:/chrn/1")
    with pytest.raises(UsageError, match="leads out of"):
        find(layout, "models:/churn/1/../2")


# Where outputs go


def output(layout: Layout, path: str) -> str:
    return str(Resolver(layout).output("j1", "o", {"outputs": {"o": {"path": path}}}))


def test_where_outputs_go(layout: Layout) -> None:
    assert output(layout, "/data/out") == "/data/out"
    assert output(layout, "/data/${{name}}/${{output_name}}") == "/data/j1/o"
    assert output(layout, "azureml://datastores/workspacefilestore/paths/x") == str(layout.filestore / "x")
    for path in ("azureml://jobs/j/outputs/o", "runs:/j/x", "models:/m/1", "azureml:set:1"):
        with pytest.raises(UsageError, match="cannot be written to"):
            output(layout, path)
    with pytest.raises(UsageError, match=r"\$\{\{inputs\.x\}\} means nothing in a path"):
        output(layout, "/data/${{inputs.x}}")


def test_substituting_is_not_recursive() -> None:
    assert substitute("${{a}}${{ b }}", {"a": "${{b}}", "b": "1"}) == "${{b}}1"


def test_places_below() -> None:
    below: Callable[[str], Place] = Place(url="https://h/d/").below
    assert [str(below(path)) for path in ("", "/a", "a/b")] == ["https://h/d/", "https://h/d/a", "https://h/d/a/b"]
    assert os.fspath(Place(Path("/d")).below("a/b/").path or "") == "/d/a/b"
