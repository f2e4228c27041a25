from __future__ import annotations

import os
from pathlib import Path

from engines.environments import pip_settings
from engines.environments.pip_settings import UvSettings


def uv(environ: dict[str, str], *options: tuple[str, str]) -> UvSettings:
    return pip_settings.for_uv(pip_settings.read(environ), options, environ)


def test_files_and_variables_are_merged_as_pip_does(tmp_path: Path) -> None:
    user = tmp_path / "config" / "pip" / "pip.conf"
    user.parent.mkdir(parents=True)
    user.write_text(
        "[global]\nindex-url = https://user.example\nfind-links =\n  /a\n  /b\ntimeout = 9\n"
        "[install]\nextra_index_url = https://install.example\n[freeze]\nindex-url = https://other.example\n"
    )
    named = tmp_path / "named.conf"
    named.write_text("[global]\nindex-url = https://named.example\n")
    environ = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_DIRS": str(tmp_path / "none"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PIP_TRUSTED_HOST": "user.example",
        "PIP_DEFAULT_TIMEOUT": "30",
        "PIP_EMPTY": "",
    }
    settings = pip_settings.read(environ)
    assert settings.values["index-url"] == "https://user.example"
    assert settings.words("find-links") == ["/a", "/b"]
    assert settings.values["extra-index-url"] == "https://install.example"
    assert settings.values["timeout"] == "30"
    assert "empty" not in settings.values
    assert pip_settings.read({**environ, "PIP_CONFIG_FILE": str(named)}).values["index-url"] == "https://named.example"
    assert "index-url" not in pip_settings.read({**environ, "PIP_CONFIG_FILE": os.devnull}).values


def test_a_broken_file_is_said_and_passed_over(tmp_path: Path) -> None:
    named = tmp_path / "pip.conf"
    named.write_text("no section\n")
    settings = pip_settings.read({"PIP_CONFIG_FILE": str(named), "PIP_PRE": "1"})
    assert str(named) in settings.notes[0]
    assert settings.is_on("pre")


def test_pips_settings_become_uvs(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    found = uv(
        {
            "HOME": str(tmp_path),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "https://user:hunter2@a.example/simple",
            "PIP_EXTRA_INDEX_URL": "https://b.example https://c.example",
            "PIP_FIND_LINKS": "~/wheels https://more.example/page /not/there file:///not/there",
            "PIP_TRUSTED_HOST": "a.example",
            "PIP_CERT": "/ca.pem",
            "PIP_PRE": "yes",
            "PIP_NO_BINARY": "x,y",
        }
    )
    assert found.variables == {
        "UV_DEFAULT_INDEX": "https://user:hunter2@a.example/simple",
        "UV_INDEX": "https://b.example https://c.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": f"{tmp_path}/wheels,https://more.example/page",
        "UV_INSECURE_HOST": "a.example",
        "SSL_CERT_FILE": "/ca.pem",
    }
    assert found.flags == ["--prerelease", "allow", "--no-binary", "x", "--no-binary", "y"]


def test_what_the_user_set_for_uv_stays() -> None:
    environ = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://a.example",
        "PIP_EXTRA_INDEX_URL": "https://b.example",
        "PIP_CERT": "/ca.pem",
        "UV_DEFAULT_INDEX": "https://uv.example",
        "UV_INDEX": "https://more.example",
        "SSL_CERT_FILE": "/own.pem",
    }
    assert uv(environ).variables == {"UV_INDEX": "https://more.example"}


def test_a_requirements_files_options_come_first() -> None:
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://a.example", "PIP_FIND_LINKS": "/usr"}
    found = uv(
        environ,
        ("index-url", "https://1.example"),
        ("index-url", "https://2.example"),
        ("find-links", "/"),
        ("no-index", ""),
        ("require-hashes", ""),
    )
    assert found.variables == {"UV_DEFAULT_INDEX": "https://2.example", "UV_FIND_LINKS": "/,/usr"}
    assert found.flags == ["--no-index", "--require-hashes"]


def test_the_hash_knows_settings_but_no_secrets(tmp_path: Path) -> None:
    own = tmp_path / "uv" / "uv.toml"
    own.parent.mkdir()
    own.write_text("# hunter2\n")
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_CONFIG_DIRS": str(tmp_path / "none"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "https://user:hunter2@a.example/simple",
        "UV_EXCLUDE_NEWER": "2024-01-01",
        "HTTPS_PROXY": "http://proxy.example",
    }
    decided = pip_settings.deciding(uv(environ), environ)
    assert decided[:2] == ["UV_DEFAULT_INDEX=https://a.example/simple", "UV_EXCLUDE_NEWER=2024-01-01"]
    assert [entry.split("=")[0] for entry in decided[2:]] == ["uv.toml"]
    other = {**environ, "PIP_INDEX_URL": "https://user:changed@a.example/simple"}
    assert pip_settings.deciding(uv(other), other) == decided
