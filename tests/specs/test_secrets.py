"""``${{secrets.NAME}}`` in documents: where one may stand, and what is said where one may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.addresses import split_secrets
from store.errors import DocumentError
from store.specs.loading import load
from store.specs.secrets import fill, references, stands_for_secret

JOB = """\
command: echo
environment_variables:
  A: ${{secrets.A}}
  B: "postgresql://u:${{ secrets.B-1.x_y }}@h/${{name}}?x=${{secrets._c}}"
description: put ${{secrets.A}} first
"""


def told(tmp_path: Path, text: str) -> list[str]:
    """The faults of a job, without their hints."""
    file = tmp_path / "job.yml"
    file.write_text(text)
    try:
        load("job", file)
    except DocumentError as error:
        return [str(fault).partition("\n")[0].removeprefix(f"{file}:") for fault in error.faults]
    return []


def test_a_job_may_name_secrets_in_its_variables(tmp_path: Path) -> None:
    assert told(tmp_path, JOB) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("command: curl -H ${{secrets.A}}", "1:18: command: no secret may stand here: ${{secrets.A}}"),
        (
            "command: |\n  echo\n  curl ${{ secrets.A }}",
            "3:8: command: no secret may stand here: ${{ secrets.A }}",
        ),
        ("command: x\ntags: {t: '${{secrets.A}}'}", "2:12: tags.t: no secret may stand here: ${{secrets.A}}"),
        ("command: x\ninputs: {i: 'a ${{secrets.A}}'}", "2:16: inputs.i: no secret may stand here: ${{secrets.A}}"),
        (
            "command: x\ninputs:\n  i: {type: uri_file, path: 'https://h/?sig=${{secrets.A}}'}",
            "3:45: inputs.i.path: no secret may stand here: ${{secrets.A}}",
        ),
        (
            "command: x\nenvironment_variables: {T: 'a${{secrets}}'}",
            "2:30: environment_variables.T: ${{secrets}} is no name of a secret",
        ),
        (
            "command: x\nenvironment_variables: {T: '${{secrets.a b}}'}",
            "2:29: environment_variables.T: ${{secrets.a b}} is no name of a secret",
        ),
        (
            "command: x\nenvironment_variables: {T: '${{secrets.datastore/blob/account_key}}'}",
            "2:29: environment_variables.T: ${{secrets.datastore/blob/account_key}} is no name of a secret",
        ),
        (
            "command: x\nenvironment_variables: {T: '${{secret.A}}'}",
            "2:29: environment_variables.T: unknown expression ${{secret.A}}",
        ),
        (
            "command: x\nenvironment_variables: {T: '${{secrets.A}'}",
            "2:29: environment_variables.T: the expression that begins with ${{secrets is not whole",
        ),
        (
            "command: x\nenvironment_variables: {T: '${secrets.A}'}",
            "2:29: environment_variables.T: the expression that begins with ${secrets.A} is not whole",
        ),
    ],
)
def test_what_is_refused_and_where(tmp_path: Path, text: str, fault: str) -> None:
    assert told(tmp_path, text) == [fault]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = "command: a ${{secrets.A}} ${{secrets.A}}\ncomputer: x\nenvironment_variables: {T: '${{secrets.}}'}"
    assert [fault[:5] for fault in told(tmp_path, text)] == ["1:12:", "1:27:", "2:1: ", "3:29:"]


def test_the_hint_says_where_one_may_stand(tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text("command: a ${{secrets.A}}")
    with pytest.raises(DocumentError) as refused:
        load("job", tmp_path / "job.yml")
    assert "`environment_variables` of a job" in str(refused.value.faults[0].hint)


def test_other_documents_name_none(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("name: c\ntype: amlcompute\nsize: ${{secrets.A}}\n")
    with pytest.raises(DocumentError, match="size: no secret may stand here"):
        load("compute", tmp_path / "c.yml")


def test_the_credentials_of_a_datastore_may_name_secrets(tmp_path: Path) -> None:
    text = "name: d\ntype: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {account_key: '${{secrets.K}}'}"
    (tmp_path / "d.yml").write_text(text)
    assert load("datastore", tmp_path / "d.yml").document()["credentials"] == {"account_key": "${{secrets.K}}"}
    (tmp_path / "d.yml").write_text(text.replace("account_name: a", "account_name: a${{secrets.A}}"))
    with pytest.raises(DocumentError, match=r"d\.yml:3:16: account_name: no secret may stand here"):
        load("datastore", tmp_path / "d.yml")


def test_references_are_filled_in_once() -> None:
    text = "a${{secrets.A}}${{ secrets.B }}$${{name}}"
    assert [(each.name, each.start) for each in references(text)] == [("A", 1), ("B", 15)]
    assert fill(text, {"A": "${{secrets.B}}\\1", "B": "b"}.__getitem__) == "a${{secrets.B}}\\1b$${{name}}"


@pytest.mark.parametrize(
    ("text", "yes"),
    [("${{secrets.A}}", True), ("${{ secrets.A }}${{secrets.B}}", True), ("", False), ("x${{secrets.A}}", False)],
)
def test_what_stands_for_a_secret(text: str, yes: bool) -> None:
    assert stands_for_secret(text) is yes


@pytest.mark.parametrize(
    ("address", "shown", "secrets"),
    [
        ("postgresql://u:${{secrets.P}}@h/d", "postgresql://u:${{secrets.P}}@h/d", []),
        ("https://${{secrets.T}}@h/d", "https://${{secrets.T}}@h/d", []),
        ("https://h/d?sv=1&sig=${{ secrets.S }}", "https://h/d?sv=1&sig=${{ secrets.S }}", []),
        ("https://u:a${{secrets.P}}@h/d", "https://u:***@h/d", ["a${{secrets.P}}"]),
        ("https://${{secrets.U}}:p4ss@h/d", "https://${{secrets.U}}:***@h/d", ["p4ss"]),
    ],
)
def test_what_names_a_secret_in_an_address_is_none(address: str, shown: str, secrets: list[str]) -> None:
    """So it stays in the stored document, and the job can be run again."""
    assert split_secrets(address) == (shown, secrets)
