"""The kinds of jobs that ``n`` offers, what each begins with, and how its form is ordered: a row for each."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Template:
    """What a new job may begin with: the key that takes it, its title, and its document."""

    key: str
    title: str
    detail: str
    text: str


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job.

    ``first`` are the keys that its form shows without being asked; ``subjects`` say what completes the values of which
    keys: a subject of ``reading_documents.names``, or ``files`` and ``folders`` of this machine, joined by ``+``.
    """

    kind: str
    title: str
    first: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]
    templates: tuple[Template, ...]

    def subject(self, path: tuple[str, ...]) -> str:
        """What completes the value at a path; empty where nothing does."""
        text = ".".join(path)
        return next((subject for pattern, subject in self.subjects if fnmatchcase(text, pattern)), "")


COMMAND = JobKind(
    kind="job.command",
    title="Command job",
    first=("command", "code", "inputs", "outputs", "environment", "compute", "experiment_name", "display_name"),
    subjects=(
        ("compute", "compute"),
        ("environment", "environment"),
        ("experiment_name", "experiment"),
        ("parent_job_name", "job"),
        ("code", "folders"),
        ("inputs.*", "data+files"),
    ),
    templates=(
        Template("c", "command", "nothing filled in", "type: command\n"),
        Template(
            "s",
            "script with parameters",
            "literal inputs, an output",
            """\
type: command
command: python train.py --epochs ${{inputs.epochs}} --rate ${{inputs.rate}} --model ${{outputs.model}}
code: .
inputs:
  epochs: 10
  rate: 0.01
outputs:
  model:
    type: uri_folder
""",
        ),
        Template(
            "d",
            "data in, data out",
            "a file read, a folder written",
            """\
type: command
command: python prepare.py --raw ${{inputs.raw}} --out ${{outputs.prepared}}
code: .
inputs:
  raw:
    type: uri_file
    path: data.csv
outputs:
  prepared:
    type: uri_folder
""",
        ),
    ),
)

JOB_KINDS = (COMMAND,)
