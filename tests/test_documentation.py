"""The documentation says what is so: commands exist, examples are valid, links lead somewhere, help is whole."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from typing import NamedTuple, get_args

import click
import pytest
import yaml

from store import database, jobs
from store.addresses import Address, split_secrets
from store.data import assets
from store.data.assets import DataVersion
from store.datastores import registry
from store.errors import NotFoundError
from store.layout import Layout
from store.specs.datastores import MODELS
from store.specs.document import Document
from store.specs.loading import parse
from store.specs.references import LocalPath, Reference, RegistryReference, ResourceId, Url, parse_reference
from store.transfer.remote import check_scheme
from store.uris import Resolver
from tests.conftest import ROOT, Cli
from workbench.cli.main import cli as program

PAGES = sorted(
    page for pattern in ("*.md", "docs/*.md", "examples/*.md", "benchmarks/*.md") for page in ROOT.glob(pattern)
)
REFERENCE = runpy.run_path(str(ROOT / "scripts" / "command_reference.py"))
COMMANDS: list[tuple[str, click.Command, click.Context]] = list(REFERENCE["walk"](program, ("workbench",)))


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str


def blocks() -> Iterator[Block]:
    """Every fenced block of the documentation."""
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 2
            yield Block(str(page.relative_to(ROOT)), line, found[1], found[2])


BLOCKS = list(blocks())


def of(*languages: str) -> list[object]:
    """The blocks in some languages, as parameters of a test."""
    found = [each for each in BLOCKS if each.language in languages]
    assert found, f"no block in {languages} was found: is the pattern still right?"
    return [pytest.param(each, id=f"{each.page}:{each.line}") for each in found]


def command_lines(block: Block) -> list[str]:
    """The commands of a shell block; of a recorded session, the lines behind a prompt."""
    lines = block.text.splitlines()
    if block.language == "console":
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return lines


def invocations(line: str) -> Iterator[list[str]]:
    """The words of each ``workbench`` command in a line of shell, also inside ``$(...)``."""
    for found in re.finditer(r"(?:^|[\s(/])workbench ((?:[^#\"')>&|;]|\"[^\"]*\"|'[^']*')+)", line):
        yield shlex.split(found[1])


def check_usage(words: list[str]) -> None:
    """Have click take the words apart; raises UsageError for a command or an option that does not exist."""
    command: click.Command = program
    context = click.Context(program, info_name="workbench")
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_parser(context).parse_args(list(words))


@pytest.mark.parametrize(("name", "command", "context"), COMMANDS, ids=[name for name, _, _ in COMMANDS])
def test_every_command_and_option_has_help(name: str, command: click.Command, context: click.Context) -> None:
    assert command.help, f"{name} has no help"
    first = command.help.strip().split("\n\n")[0].strip()
    assert first.endswith("."), f"{name}: its help does not begin with a sentence"
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"


@pytest.mark.parametrize(("name", "command", "context"), COMMANDS, ids=[name for name, _, _ in COMMANDS])
def test_no_command_is_cut_short_where_its_group_lists_it(
    name: str, command: click.Command, context: click.Context
) -> None:
    if isinstance(command, click.Group):
        narrow = click.Context(command, info_name=name, terminal_width=80)
        assert "..." not in command.get_help(narrow).partition("Commands:")[2]


def test_the_reference_of_commands_is_that_of_the_commands() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == REFERENCE["reference"](), (
        "run: .venv/bin/python scripts/command_reference.py > docs/commands.md"
    )


def table_of_commands() -> list[list[str]]:
    """The README's table: the words of each command in it, ``a | b`` told apart, a row for each."""
    rows = re.findall(r"^\| (`workbench .+`) \| ", (ROOT / "README.md").read_text(), re.MULTILINE)
    found = []
    for text in (text for row in rows for text in re.findall(r"`([^`]+)`", row)):
        words = text.removeprefix("workbench ").replace(" \\| ", "|").split()
        found += [list(each) for each in product(*(word.split("|") for word in words))]
    return found


def test_the_readmes_table_names_exactly_the_commands_that_exist() -> None:
    """Parse each row by the commands' own parser, and miss none."""
    named = set()
    for words in table_of_commands():
        path = []
        for word in words:
            if f"workbench {' '.join([*path, word])}" in {name for name, _, _ in COMMANDS}:
                path.append(word)
            else:
                break
        assert path, f"README names a command that does not exist: {words}"
        named.add(" ".join(["workbench", *path]))
    leaves = {name for name, command, _ in COMMANDS if not isinstance(command, click.Group)}
    assert named == leaves


@pytest.mark.parametrize("block", of("sh", "console"))
def test_commands_in_the_documentation_exist_with_their_options(block: Block) -> None:
    for line in command_lines(block):
        for words in invocations(line):
            check_usage(words)


@pytest.mark.parametrize("block", of("yaml"))
def test_documents_in_the_documentation_keep_the_dialect(block: Block, tmp_path: Path) -> None:
    content = yaml.safe_load(block.text)
    kind = "datastore" if content.get("type") in MODELS else content.get("type")
    if kind in ("mltable", "datastore"):
        parse(Document.of(content, file=f"{block.page}:{block.line}"), kind)
        return
    if "command" not in content:
        content["command"] = "true"  # a part of a job
    job = parse(Document.of(content, file=f"{block.page}:{block.line}"), "job")
    assert job.document()["command"] == content["command"]


@pytest.mark.parametrize("block", of("python"))
def test_python_in_the_documentation_parses(block: Block) -> None:
    assert ast.parse(block.text).body


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        place = (page.parent / file) if file else page
        assert place.exists(), f"{page.name} links to {file}, which does not exist"
        if heading:
            titles = re.findall(r"^#+ (.+)$", place.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_paths_in_the_documentation_exist() -> None:
    """What stands in backticks and begins with a folder of the project is there."""
    folders = "examples|scripts|docs|benchmarks|tests|store|engines|workbench|themes"
    for page in PAGES:
        for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", page.read_text()):
            if "NNNN" not in path:
                assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_the_smallest_job_of_the_documentation_runs(cli: Cli, tmp_path: Path) -> None:
    block = next(each for each in BLOCKS if each.page == "docs/jobs.md" and each.language == "yaml")
    (tmp_path / "job.yml").write_text(block.text)
    done = cli("run", tmp_path / "job.yml")
    assert (done.returncode, done.stdout) == (0, "hello, world\n"), done.stderr


def documented_addresses() -> list[str]:
    """Those of the table in the section on addresses."""
    section = (ROOT / "docs/data.md").read_text().partition("\n## Addresses\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("text", documented_addresses())
def test_an_address_of_the_documentation_is_one_that_is_read_as_it_is_written(text: str) -> None:
    found = parse_reference(text)
    assert str(found) == text
    assert isinstance(found, LocalPath) == text.startswith(("./", "file:"))
    if isinstance(found, Url):
        assert split_secrets(text) == (text, []), "it has no secret"
        check_scheme(Address.parse(text))


def test_every_kind_of_address_is_documented() -> None:
    kinds = {type(parse_reference(text)) for text in documented_addresses()}
    assert kinds == set(get_args(Reference)) - {RegistryReference, ResourceId}, "those of Azure alone are left out"


def test_the_addresses_of_the_documentation_lead_where_it_says(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    with closing(database.connect(layout.database)) as connection:
        connection.execute("UPDATE workspace SET name = 'main'")
        registry.create(connection, {"type": "local", "name": "inbox", "path": str(tmp_path)})
        registry.create(connection, {"type": "sql", "name": "shop", "database_url": "postgresql://db.example.org/shop"})
        for _ in range(2):
            assets.create(connection, DataVersion("churn", "", "uri_file", "/data/churn.csv", {}))
        assets.label(connection, "churn", "approved", "1")
        outputs = {"outputs": {"features": {"path": f"{tmp_path}/features"}}}
        job = jobs.NewJob(document={"command": "true", **outputs}, source={}, compute="local", name="brave_owl_1")
        jobs.submit(connection, job)
    logged = layout.artifacts("brave_owl_1") / "model"
    logged.mkdir(parents=True)
    found = dict[str, str]()
    for text in documented_addresses():
        with suppress(NotFoundError):
            found[text] = str(Resolver(layout).find(text))
    assert {text for text in documented_addresses() if text not in found} == {
        "models:/churn/3", "models:/churn@champion/MLmodel", "models:/m-0123456789"
    }, "MLflow's registry is empty here"  # fmt: skip
    assert [found[text] for text in found if text.startswith("azureml")] == [
        f"{tmp_path}/daily/monday.csv",
        f"{tmp_path}/daily",
        "postgresql://db.example.org/shop/sales.orders",
        "postgresql://db.example.org/shop/SELECT%20%2A%20FROM%20orders%20WHERE%20total%20%3E%2010",
        "/data/churn.csv",
        "/data/churn.csv",
        f"{tmp_path}/features/part-1.csv",
    ]
    assert found["runs:/brave_owl_1/model"] == str(logged)


def shape(line: str) -> str:
    """A line without what differs between two runs: numbers, names and places."""
    line = re.sub(r"\b[a-z]+_[a-z]+_[0-9a-z]{10}\b", "JOB", line)
    return re.sub(r"[\d.]+", "N", re.sub(r"/\S+/(?=blobstore)|(?<= at )/\S+", "", line))


@pytest.mark.slow
def test_the_recorded_session_of_the_readme_is_what_is_printed(cli: Cli) -> None:
    """Run its first command, and find each of its lines in the order of its stream; '...' leaves lines out."""
    recorded = next(each for each in BLOCKS if each.page == "README.md" and each.language == "console")
    command, *lines = recorded.text.partition("\n\n$ ")[0].splitlines()
    (words,) = invocations(command)
    done = cli(*(ROOT / word if word.endswith(".yml") else word for word in words))
    assert done.returncode == 0, done.stderr
    printed = {shape(line) for line in (done.stdout + done.stderr).splitlines()}
    expected = [
        shape(line) for line in lines if line and line.strip() != "..." and not line.startswith("new workspace")
    ]
    assert [line for line in expected if line not in printed] == []
    told = [shape(line) for line in lines if line.startswith(("baseline", "epoch"))]
    assert [shape(line) for line in done.stdout.splitlines()] == told
