"""Where everything lies inside a workspace folder."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The folder of one job: ``<workspace>/jobs/<name>``."""

    root: Path

    @property
    def working_copy(self) -> Path:
        """The copy of the code that the job runs in."""
        return self.root / "work"

    @property
    def inputs(self) -> Path:
        return self.root / "inputs"

    @property
    def user_logs(self) -> Path:
        return self.root / "user_logs"

    @property
    def log(self) -> Path:
        """What the job itself prints; of the first process where there are several."""
        return self.user_logs / "std_log.txt"

    @property
    def system_logs(self) -> Path:
        return self.root / "system_logs"

    @property
    def tracking_log(self) -> Path:
        """What MLflow's server prints, where the job's environment needs one (see ``workbench/tracking_server.py``)."""
        return self.system_logs / "tracking_server.log"

    @property
    def journal(self) -> Path:
        """Metrics as they are logged, one JSON line each (see ``workbench/journal.py``)."""
        return self.root / "metrics.jsonl"

    @property
    def submitted_environment(self) -> Path:
        """Variables of the submitter that the job needs (JSON, 0600, removed at the job's end)."""
        return self.root / "environment.json"

    @property
    def secret_addresses(self) -> Path:
        """Addresses of the document that hold a secret (JSON, 0600, removed at the job's end)."""
        return self.root / "addresses.json"

    def attempt(self, number: int) -> Path:
        """What the shim reads and leaves behind: ``task.json``, ``started``, ``exit.json``."""
        return self.root / "attempts" / str(number)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one workspace; ``root`` is absolute."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "workbench.db"

    @property
    def mlflow_database(self) -> Path:
        return self.root / "mlflow.db"

    @property
    def blobstore(self) -> Path:
        return self.root / "blobstore"

    @property
    def filestore(self) -> Path:
        return self.root / "filestore"

    @property
    def snapshots(self) -> Path:
        """Code by content hash."""
        return self.filestore / "snapshots"

    @property
    def manifests(self) -> Path:
        """Which files a version of data had, by fingerprint (see ``store/data/manifest.py``)."""
        return self.root / "manifests"

    @property
    def vault(self) -> Path:
        """Secrets, encrypted; the key is elsewhere (see ``store/vault/``)."""
        return self.root / "vault"

    @property
    def environments(self) -> Path:
        return self.root / "environments"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def run(self) -> Path:
        """The agent's lock, log and state."""
        return self.root / "run"

    @property
    def agent_lock(self) -> Path:
        return self.run / "agent.lock"

    @property
    def agent_log(self) -> Path:
        return self.run / "agent.log"

    @property
    def agent_socket(self) -> Path:
        """In the runtime folder under a short hash: the path of a Unix socket is limited to 107 bytes (unix(7))."""
        return runtime_folder() / f"wb-{hashlib.sha256(bytes(self.root)).hexdigest()[:16]}.sock"

    def job(self, name: str) -> JobFolder:
        return JobFolder(self.jobs / name)

    def artifacts(self, job: str) -> Path:
        """A job's artifacts, which are also those of its MLflow run."""
        return self.blobstore / "ExperimentRun" / f"dcid.{job}"

    def output(self, job: str, name: str) -> Path:
        """The default place of a named output."""
        return self.blobstore / "azureml" / job / name


LONGEST_RUNTIME_FOLDER = 75
"""Bytes. The path of a socket in it may have 103 where it is shortest (macOS), and its name takes 25."""


def runtime_folder() -> Path:
    """The user's runtime folder (XDG base directory specification), else one of ours in /tmp.

    The latter also where the given one is another user's (as after ``sudo -E``) or too long for a socket in it.
    """
    given = os.path.realpath(os.environ.get("XDG_RUNTIME_DIR") or "/")
    if len(os.fsencode(given)) <= LONGEST_RUNTIME_FOLDER and given != "/" and is_own(Path(given)):
        return Path(given)
    return Path(f"/tmp/workbench-{os.getuid()}")  # noqa: S108  (whose it is, is looked at before it is used)


def is_own(folder: Path) -> bool:
    """Whether this is a folder, and no link to one, of this user's, that nobody else may write to."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
