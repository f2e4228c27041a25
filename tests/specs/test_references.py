"""References and paths: what each form means, and that it is written as it was read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.specs.references import (
    AssetReference,
    DatastorePath,
    JobOutputPath,
    LocalPath,
    ModelPath,
    Reference,
    ReferenceFault,
    RegistryReference,
    ResourceId,
    RunPath,
    Url,
    Workspace,
    asset_reference,
    parse_reference,
)

ARM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
LONG = "subscriptions/s/resourcegroups/g/workspaces/w/"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("azureml:iris", AssetReference("iris")),
        ("azureml:iris:1.2", AssetReference("iris", version="1.2")),
        ("azureml:AzureML-sklearn-1.0@latest", AssetReference("AzureML-sklearn-1.0", label="latest")),
        (
            "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
            RegistryReference("azureml", "environments", "sklearn-1.5", label="latest"),
        ),
        ("azureml://feeds/r/codes/c/versions/1", RegistryReference("r", "codes", "c", "1", scheme="feeds")),
        (f"azureml:{ARM}/environments/e/versions/3", ResourceId(ARM, "environments", "e", "3")),
        (f"{ARM}/computes/cpu", ResourceId(ARM, "computes", "cpu", prefix="")),
        ("azureml://datastores/d/paths/a/b c.csv", DatastorePath("d", "a/b c.csv")),
        ("azureml://datastores/d/paths/", DatastorePath("d", "")),
        (f"azureml://{LONG}datastores/d/paths/a", DatastorePath("d", "a", Workspace("s", "g", "w"))),
        ("azureml://jobs/j/outputs/artifacts/paths/model", JobOutputPath("j", "artifacts", "model")),
        ("azureml://jobs/j/outputs/o", JobOutputPath("j", "o")),
        (f"azureml://{LONG}jobs/j/outputs/o/paths/", JobOutputPath("j", "o", "", Workspace("s", "g", "w"))),
        ("runs:/abc/model", RunPath("abc", "model")),
        ("models:/churn/3", ModelPath("churn", "3")),
        ("models:/churn@champion/MLmodel", ModelPath("churn", alias="champion", path="MLmodel")),
        ("models:/m-0123", ModelPath("m-0123")),
        ("https://example.org/a?b=c", Url("https://example.org/a?b=c")),
        ("wasbs://c@acct.blob.core.windows.net/p", Url("wasbs://c@acct.blob.core.windows.net/p")),
        ("git+https://example.org/r.git", Url("git+https://example.org/r.git")),
        ("S3://bucket/key", Url("S3://bucket/key")),
        ("./data", LocalPath("./data")),
        ("data/a:b.csv", LocalPath("data/a:b.csv")),
        ("C:/data", LocalPath("C:/data")),
        ("/mnt/azureml:x", LocalPath("/mnt/azureml:x")),
        ("file:./data", LocalPath("file:./data")),
    ],
)
def test_form(text: str, reference: Reference) -> None:
    found = parse_reference(text)
    assert found == reference and type(found) is type(reference)
    assert str(found) == text


def test_what_a_local_path_and_a_url_tell() -> None:
    assert [LocalPath(text).path for text in ("a b", "file:a", "file:///a%20b", "file://localhost/a")] == [
        "a b",
        "a",
        "/a b",
        "/a",
    ]
    assert Url("ABFSS://x/y").scheme == "abfss"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "empty text", None),
        ("  ", "empty text", None),
        ("azureml:", "is no reference", "azureml:NAME:VERSION"),
        ("azureml:a b", "is no reference", "azureml:NAME:VERSION"),
        ("azureml:a:1@latest", "is no reference", "azureml:NAME:VERSION"),
        ("azureml:/subscriptions/s", "is no full Azure id", "azureml:/subscriptions/S"),
        ("azureml://datastores/d", "is not a whole address", "azureml://datastores/DATASTORE/paths/PATH"),
        ("azureml://job/j/outputs/o", "no address begins with azureml://job", "did you mean 'jobs'?"),
        ("azureml://registries/r/model/m/versions/1", "a registry holds no 'model'", "did you mean 'models'?"),
        ("runs://abc/model", "is no path of a run", "runs:/RUN_ID/PATH"),
        ("models:churn/1", "is no model", "models:/NAME/VERSION"),
        ("azurml:iris:1", "is no reference", "did you mean 'azureml:iris:1'?"),
    ],
)
def test_what_is_none(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(ReferenceFault, match=message) as caught:
        parse_reference(text)
    assert (hint or "") in (caught.value.hint or "")


def test_a_reference_to_an_asset_of_one_kind() -> None:
    assert asset_reference("azureml:e@latest", "environments") == AssetReference("e", label="latest")
    with pytest.raises(ReferenceFault, match="is one of the models, expected one of the environments"):
        asset_reference("azureml://registries/r/models/m/versions/1", "environments")
    for text in ("./e.yml", "https://example.org/e", "azureml://datastores/d/paths/p", "e"):
        with pytest.raises(ReferenceFault, match="no reference to an asset"):
            asset_reference(text, "environments")


names = st.text(st.characters(exclude_characters=":@/", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
rest = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
workspaces = st.none() | st.builds(
    Workspace, names, names, names, st.sampled_from(["resourcegroups", "resourceGroups"])
)
ends = names.map(lambda version: {"version": version}) | names.map(lambda label: {"label": label})
model_ends = names.map(lambda version: {"version": version}) | names.map(lambda alias: {"alias": alias})
references = st.one_of(
    names.map(AssetReference),
    st.builds(lambda name, end: AssetReference(name, **end), names, ends),
    st.builds(
        lambda registry, kind, name, end: RegistryReference(registry, kind, name, **end),
        names,
        st.sampled_from(["environments", "models", "components", "data", "codes"]),
        names,
        ends,
    ),
    st.builds(lambda kind, name, end: ResourceId(ARM, kind, name, **end), words, names, ends | st.just({})),
    st.builds(DatastorePath, names, rest, workspaces),
    st.builds(JobOutputPath, names, names, st.none() | rest, workspaces),
    st.builds(RunPath, names, rest),
    names.map(ModelPath),
    st.builds(lambda name, end, path: ModelPath(name, **end, path=path), names, model_ends, st.none() | rest),
    st.builds(lambda scheme, path: Url(f"{scheme}://{path}x"), st.sampled_from(["https", "s3", "abfss"]), rest),
    st.builds(lambda path: LocalPath(f"./{path}"), rest),
)


@given(references)
def test_what_is_written_is_read_as_the_same(reference: Reference) -> None:
    found = parse_reference(str(reference))
    assert found == reference and type(found) is type(reference)


@given(st.text() | st.text().map(lambda text: "azureml:" + text) | st.text().map(lambda text: "azureml://" + text))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        assert str(parse_reference(text)) == text
    except ReferenceFault as fault:
        assert fault.message
