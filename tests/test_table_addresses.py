"""Tables by addresses that cannot be read: what failed and what to do is told, and nothing of a library's own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.services.running import free_port
from workbench.cli.main import exit_code


@pytest.fixture(autouse=True)
def without_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No login of AWS or Azure, wherever the tests run."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_ID", "AZURE_STORAGE_ANON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")


def told(capfd: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str, code: int = 1) -> str:
    """What a command that fails says: a line, and one of what to do."""
    found = exit_code(["-w", str(tmp_path / "ws"), "data", *arguments])
    out, err = capfd.readouterr()
    assert (found, out) == (code, ""), err
    assert len(err.splitlines()) <= 3, err
    return err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "library", "hint"),
    [
        ("s3://sales/d.csv", "s3fs", "aws configure"),
        ("s3://sales/*.csv", "s3fs", "aws configure"),
        ("wasbs://c@acct.blob.core.windows.net/x.csv", "adlfs", "az login"),
    ],
)
def test_a_machine_without_login_says_so(
    address: str, library: str, hint: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip(library)
    (tmp_path / "here.csv").write_text("a\n1\n")
    for command in (["preview", address], ["diff", str(tmp_path / "here.csv"), address]):
        err = told(capfd, tmp_path, *command)
        assert f"error: {address}: login failed: " in err
        assert hint in err and "workbench datastore create" in err


@pytest.mark.parametrize("scheme", ["https", "sftp", "ftp"])
def test_a_server_that_is_not_there_is_named(scheme: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    port = free_port()
    err = told(capfd, tmp_path, "preview", f"{scheme}://127.0.0.1:{port}/x.csv")
    assert f"error: {scheme}://127.0.0.1:{port}/x.csv: connection failed: 127.0.0.1:{port} refuses connections\n" in err
    assert "Is the server running" in err


def test_what_a_table_names_is_told_as_what_a_command_names(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    address = f"https://127.0.0.1:{free_port()}/x.csv"
    (tmp_path / "MLTable").write_text(f"paths: [{{file: '{address}'}}]\ntransformations: [read_delimited]\n")
    assert f"error: {address}: connection failed: " in told(capfd, tmp_path, "preview", str(tmp_path))


@pytest.mark.parametrize("scheme", ["https", "sftp", "ftp"])
def test_a_machine_that_nobody_knows_is_named(scheme: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    err = told(capfd, tmp_path, "preview", f"{scheme}://nobody.invalid/x.csv")
    assert "name resolution failed: no machine of the name 'nobody.invalid' is known" in err


@pytest.mark.parametrize(("name", "sign"), [("a b#c%2520.csv", "#"), ("a?b.csv", "?")])
def test_what_an_address_cannot_have_is_told(
    name: str, sign: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    err = told(capfd, tmp_path, "preview", f"sftp://root@127.0.0.1:1/{name}", code=2)
    assert f"an address of sftp:// cannot have a {sign}" in err and "azureml://datastores/" in err


def test_gen1_is_retired(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    err = told(capfd, tmp_path, "preview", "adl://acct.azuredatalakestore.net/x.csv", code=2)
    assert "was retired on 29 February 2024" in err and "Gen2" in err and "abfss://" in err


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="gcsfs is installed here")
@pytest.mark.parametrize("scheme", ["gs", "gcs"])
def test_a_missing_library_is_named_with_its_command(
    scheme: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "Install it: pip install gcsfs\n" in told(capfd, tmp_path, "preview", f"{scheme}://bucket/x.csv")


def test_a_model_is_looked_for_in_the_registry(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "there is no model 'nix'" in told(capfd, tmp_path, "preview", "models:/nix/1", code=3)
