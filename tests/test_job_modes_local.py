"""A job with every mode there is, of data in a datastore of this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.file_trees import fill, tree

DOCUMENT = """
command: >-
  for each in ${{inputs.mounted}} ${{inputs.copied}} ${{inputs.named}}; do cat "$each/a.csv"; done;
  ls ${{inputs.files}} ${{inputs.copies}};
  echo mine > ${{inputs.copied}}/a.csv; echo mine > ${{inputs.copies}}/a.csv;
  for each in ${{outputs.written}} ${{outputs.mounted}} ${{outputs.moved}} ${{outputs.named}};
  do echo made > "$each/x"; done;
  echo one > ${{outputs.file}}
inputs:
  mounted: {path: 'azureml://datastores/inbox/paths/sets', mode: ro_mount}
  copied: {path: 'azureml://datastores/inbox/paths/sets', mode: download}
  named: {path: 'azureml://datastores/inbox/paths/sets', mode: direct}
  files: {type: mltable, path: 'azureml://datastores/inbox/paths/sets', mode: eval_mount}
  copies: {type: mltable, path: 'azureml://datastores/inbox/paths/sets', mode: eval_download}
outputs:
  written: {path: 'azureml://datastores/inbox/paths/out/written', mode: rw_mount}
  mounted: {path: 'azureml://datastores/inbox/paths/out/mounted', mode: mount}
  moved: {path: 'azureml://datastores/inbox/paths/out/moved', mode: upload}
  named: {path: 'azureml://datastores/inbox/paths/out/named', mode: direct}
  file: {type: uri_file, path: 'azureml://datastores/inbox/paths/out/file.txt', mode: upload}
"""


@pytest.mark.slow
def test_every_mode(cli: Cli, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    table = "paths: [{pattern: ./*.csv}]\ntransformations: [{read_delimited: {delimiter: ','}}]\n"
    fill(inbox / "sets", {"MLTable": table, "a.csv": "a\n", "notes.txt": ""})
    assert cli("datastore", "create", "--type", "local", "--name", "inbox", "--path", inbox).returncode == 0
    (tmp_path / "job.yml").write_text(DOCUMENT)
    done = cli("run", tmp_path / "job.yml", "--name", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n")[:3] == ["a", "a", "a"]
    assert done.stdout.count("a.csv") == 2 and "notes.txt" not in done.stdout
    assert tree(inbox) == {
        "sets/MLTable": table,
        "sets/a.csv": "a\n",
        "sets/notes.txt": "",
        **{f"out/{name}/x": "made\n" for name in ("written", "mounted", "moved", "named")},
        "out/file.txt": "one\n",
    }
    shown = json.loads(cli("job", "show", "all").stdout)
    assert shown["resolved_inputs"]["mounted"] == shown["resolved_inputs"]["named"] == str(inbox / "sets")
    assert shown["resolved_outputs"]["moved"] == str(inbox / "out/moved")
    assert "changed while the job ran" not in done.stderr
