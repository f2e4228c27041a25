from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_packages import write_wheel

from engines.environments.addresses import Secrets, expand, redact, without_secrets
from engines.environments.requirements import Requirements, RequirementsReader, fingerprint


def read(text: str, folder: Path, **environ: str) -> Requirements:
    file = folder / "requirements.txt"
    file.write_text(text)
    reader = RequirementsReader(Secrets(environ), environ)
    reader.read_file(file)
    return reader.result


def test_lines_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    result = read(
        "# a comment\n"
        "Six == 1.16.0   # pinned\n"
        "tiny>=1, \\\n"
        "   <2\n"
        "\n"
        "pandas[parquet]~=2.2; python_version >= '3.9'\n"
        "git+https://host.example/x.git@main#egg=x\n"
        "named @ https://host.example/named-1.0-py3-none-any.whl\n",
        tmp_path,
    )
    assert result.problems == []
    assert result.lines == [
        "six==1.16.0",
        "tiny<2,>=1",
        'pandas[parquet]~=2.2; python_version >= "3.9"',
        "git+https://host.example/x.git@main#egg=x",
        "named @ https://host.example/named-1.0-py3-none-any.whl",
    ]


def test_options_are_kept_apart(tmp_path: Path) -> None:
    result = read(
        "--index-url https://a.example/simple --extra-index-url=https://b.example/simple\n"
        "-i https://c.example/simple\n"
        "-f wheels\n"
        "--pre\n--no-index\n--prefer-binary\n--only-binary :all:\n"
        "six --hash=sha256:aa --hash=sha256:bb\n",
        tmp_path,
    )
    assert result.problems == []
    assert result.options == [
        ("index-url", "https://a.example/simple"),
        ("extra-index-url", "https://b.example/simple"),
        ("index-url", "https://c.example/simple"),
        ("find-links", str(tmp_path / "wheels")),
        ("pre", ""),
        ("no-index", ""),
        ("only-binary", ":all:"),
    ]
    assert result.lines == ["six --hash=sha256:aa --hash=sha256:bb"]


def test_files_that_are_named_are_read_in(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "more.txt").write_text("tiny\n-c limits.txt\n")
    (tmp_path / "deep" / "limits.txt").write_text("six<2\n")
    result = read("-r deep/more.txt\n--constraint=deep/limits.txt\n-rdeep/more.txt\n", tmp_path)
    assert (result.lines, result.constraints) == (["tiny"] * 2, ["six<2"] * 3)
    (tmp_path / "deep" / "more.txt").write_text("six\n-r ../requirements.txt\n")
    assert "names itself" in read("-r deep/more.txt\n", tmp_path).problems[0].message


def test_local_packages_become_absolute_and_are_fingerprinted(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    wheel = write_wheel(folder, "tiny", "1.0")
    (folder / "source").mkdir()
    (folder / "source" / "pyproject.toml").write_text("")
    result = read(
        "tiny-1.0-py3-none-any.whl\n./source[extra] ; python_version > '3'\n-e ./source\n"
        f"tiny @ {wheel.as_uri()}\n${{PLACE}}/tiny-1.0-py3-none-any.whl\n",
        folder,
        PLACE=str(folder),
    )
    assert result.problems == []
    assert result.lines == [
        wheel.as_uri(),
        f"{folder.as_uri()}/source[extra] ; python_version > '3'",
        f"{folder.as_uri()}/source",
        f"tiny @ {wheel.as_uri()}",
        wheel.as_uri(),
    ]
    assert set(result.files) == {str(wheel), str(folder / "source")}
    assert "as it is now, not as an editable package" in result.notes[0]


def test_a_source_folders_fingerprint_is_that_of_its_sources(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "package").mkdir(parents=True)
    (source / "package" / "module.py").write_text("A = 1\n")
    before = fingerprint(source)
    for built in ("build/x.py", "package/__pycache__/module.pyc", "name.egg-info/PKG-INFO", ".git/HEAD"):
        (source / built).parent.mkdir(parents=True, exist_ok=True)
        (source / built).write_text("built")
    assert fingerprint(source) == before
    (source / "package" / "module.py").write_text("A = 2\n")
    assert fingerprint(source) != before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("six=1.0", "is no requirement that pip knows"),
        ("-r missing.txt", "cannot read requirements file"),
        ("-r https://host.example/r.txt", "a requirements file on the network can change"),
        ("--index-url", "lacks its value"),
        ("--target x", "pip's option --target is not supported"),
        ("--extra-index-url 'unclosed", "cannot be read"),
        ("./nothing", "cannot be read"),
    ],
)
def test_problems_have_file_and_line(text: str, says: str, tmp_path: Path) -> None:
    (problem,) = read(f"six\n\n{text}\n", tmp_path).problems
    assert says in problem.message
    assert (problem.file, problem.line) == (str(tmp_path / "requirements.txt"), 3)


def test_relative_paths_need_a_folder() -> None:
    reader = RequirementsReader(Secrets({}), {})
    reader.read_line("./x.whl", None)
    assert "relative path" in reader.result.problems[0].message


USERS = st.from_regex(r"[A-Za-z0-9%._~-]{1,12}(:[A-Za-z0-9%._~-]{1,12})?", fullmatch=True).filter(
    lambda user: user not in ("git", "hg", "svn")
)


@given(USERS, st.sampled_from(["https://{}@host.example/simple", "git+https://{}@host.example/x.git"]))
def test_a_hidden_secret_comes_back_where_it_was(user: str, form: str) -> None:
    address = form.format(user)
    secrets = Secrets({})
    hidden = secrets.hide(address)
    assert expand(hidden, secrets.found) == address
    assert hidden == form.format("${WORKBENCH_INDEX_SECRET_1}")
    assert redact(address) == redact(hidden) == form.format("****")
    assert without_secrets(address) == form.format("").replace("@host", "host")


def test_a_user_name_that_says_nothing_stays() -> None:
    address = "git+ssh://git@host.example/x.git"
    assert Secrets({}).hide(address) == redact(address) == address
