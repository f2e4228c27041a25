"""The environment variables that a job's processes really see."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from store.layout import Layout
from tests.conftest import Cli

JOB = """
name: seen
command: python -c "import json, os; print(json.dumps(dict(os.environ)))"
inputs: {rate: 0.5, data: {type: uri_folder, path: .}}
outputs: {model: {type: uri_folder}}
environment_variables:
  MODE: fast
  LIVE: true
  DATA: ${{inputs.data}}/train.csv
  TO: "${{name}}:${{outputs.model}}"
  RATE: ${{ inputs.rate }}
  OTHER: ${{inputs.nothing}}
"""


def test_what_a_job_sees(cli: Cli, layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(JOB)
    of_submitter = {
        "AWS_SECRET_ACCESS_KEY": "s3cr3t",
        "GITHUB_TOKEN": "s3cr3t",
        "VIRTUAL_ENV_PROMPT": "x",
        "PYTHONPATH": "/sub",
        "LC_TIME": "C.UTF-8",
        "https_proxy": "http://u:pw@127.0.0.1:9",
        "SSL_CERT_FILE": "/c.pem",
        "UV_OFFLINE": "1",
    }
    done = cli("run", tmp_path / "job.yml", env=of_submitter)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert {name: seen[name] for name in ("LC_TIME", "https_proxy", "SSL_CERT_FILE", "UV_OFFLINE")}.items() <= (
        of_submitter.items()
    )
    assert "s3cr3t" not in done.stdout
    assert not {"VIRTUAL_ENV_PROMPT", "PYTHONHOME"} & set(seen)
    assert "/sub" not in seen.get("PYTHONPATH", "")
    assert (seen["MODE"], seen["LIVE"]) == ("fast", "True")
    assert (seen["DATA"], seen["RATE"]) == (f"{tmp_path}/train.csv", "0.5")
    assert seen["TO"] == f"seen:{seen['AZURE_ML_OUTPUT_model']}"
    assert seen["OTHER"] == "${{inputs.nothing}}"
    assert done.stderr.count("stands for nothing in this job and stays as it is") == 1
    assert "environment variable OTHER: ${{inputs.nothing}} stands for nothing" in done.stderr
    assert (seen["AZURE_ML_INPUT_rate"], seen["AZUREML_PARAMETER_rate"]) == ("0.5", "0.5")
    assert seen["AZURE_ML_INPUT_data"] == str(tmp_path)
    assert "AZUREML_PARAMETER_data" not in seen
    assert (seen["AZUREML_CR_NODE_RANK"], seen["AZUREML_NODE_COUNT"]) == ("0", "1")
    assert seen["AZUREML_RUN_ID"] == seen["MLFLOW_RUN_ID"] == "seen"
    assert not layout.job("seen").submitted_environment.exists(), "kept for as long as the job needs it"
