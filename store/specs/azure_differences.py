"""What Azure ML would refuse in a job that runs here, or treat differently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from store.errors import Fault
from store.specs.document import Document
from store.specs.expressions import Reference, references
from store.specs.nodes import Path
from store.specs.references import AssetReference, LocalPath, Url, parse_reference

if TYPE_CHECKING:
    from store.specs.command_job import CommandJob

_AZURE_SCHEMES = {"http", "https", "wasb", "wasbs", "abfs", "abfss", "adl"}
_WITHOUT_EFFECT_HERE = {
    ("resources", "instance_type"): "the size of the machine",
    ("resources", "locations"): "the regions",
    ("resources", "shm_size"): "the container's shared memory",
    ("resources", "docker_args"): "the arguments of docker run",
    ("resources", "max_instance_count"): "the elastic number of nodes",
    ("identity",): "the identity",
    ("services",): "the services beside the job",
}


def differences(job: CommandJob, document: Document | None = None) -> list[Fault]:
    """Notes on a valid job, in the order of the file; the document, if given, says where each belongs."""
    notes = _Notes(job, document or Document.of(job.document()))
    found = [*notes.required(), *notes.names(), *notes.paths(), *notes.expressions(), *notes.without_effect()]
    return sorted(found, key=lambda note: (note.file, note.line, note.column))


class _Notes:
    def __init__(self, job: CommandJob, document: Document) -> None:
        self.job, self.document = job, document

    def required(self) -> Iterator[Fault]:
        """What the dialect requires and Workbench does not, and the names that mean something else there."""
        job, note = self.job, self.document.fault
        if job.environment is None:
            message = "Azure ML requires an `environment`; here the job gets the Python that runs Workbench"
            yield note(("environment",), message, "Name one, such as azureml:sklearn-1.5@latest.")
        elif str(job.environment).startswith("azureml:current"):
            message = "Azure ML does not know the environment 'current', which is the Python that runs Workbench"
            yield note(("environment",), message)
        yield from self._inline_environment()
        if job.compute is None:
            yield note(("compute",), "without `compute` Azure ML takes a serverless one; here the job runs on `local`")
        elif job.compute == "local":
            yield note(("compute",), "Azure ML runs `compute: local` in Docker on the machine of the submitter")

    def _inline_environment(self) -> Iterator[Fault]:
        environment = self.job.environment
        if environment is None or isinstance(environment, str):
            return
        if environment.image is None and environment.build is None:
            message = "Azure ML requires an `image` or a `build` for an environment that is defined in place"
            yield self.document.fault(("environment",), message)
        elif environment.conda_file is not None:
            message = "on Azure ML the packages are installed into the image; here into an environment of their own"
            yield self.document.fault(("environment", "conda_file"), message)

    def names(self) -> Iterator[Fault]:
        """Names that Azure ML does not allow."""
        compute = self.job.compute
        if compute not in (None, "local") and not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", str(compute)):
            message = f"Azure ML allows no compute of the name {compute!r}"
            yield self.document.fault(("compute",), message, "3 to 24 letters, digits and '-', a letter first.")
        experiment = self.job.experiment_name
        if experiment is not None and not re.fullmatch(r"[a-zA-Z0-9][\w-]{0,254}", experiment, re.ASCII):
            message = f"Azure ML allows no experiment of the name {experiment!r}"
            yield self.document.fault(("experiment_name",), message, "Letters, digits, '_' and '-', at most 255.")

    def paths(self) -> Iterator[Fault]:
        """Places of data that Azure ML cannot reach."""
        for name, value in (self.job.inputs or {}).items():
            path: Path = ("inputs", name, "path")
            if isinstance(value, str | bool | int | float) or value.path is None:
                continue
            reference = parse_reference(value.path)
            if isinstance(reference, Url) and reference.scheme not in _AZURE_SCHEMES:
                yield self.document.fault(path, f"Azure ML reads no {reference.scheme}:// address")
            if isinstance(reference, AssetReference) and reference.version is None and reference.label is None:
                message = f"Azure ML wants a version or a label of {reference.name!r}; here the latest is taken"
                yield self.document.fault(path, message, f"Write azureml:{reference.name}@latest.")
        for name, output in (self.job.outputs or {}).items():
            if output.path is not None and isinstance(parse_reference(output.path), LocalPath):
                message = "Azure ML writes no output into a local folder"
                hint = "Write azureml://datastores/workspaceblobstore/paths/PATH, or leave the path away."
                yield self.document.fault(("outputs", name, "path"), message, hint)

    def expressions(self) -> Iterator[Fault]:
        """Expressions that Azure ML's own tools refuse, deprecate, or leave as they are."""
        command = self.job.command
        refused = _refused_by_azure(command, set(self.job.inputs or {}))
        for reference, optional in references(command):
            message = hint = None
            if optional and reference.kind == "inputs" and reference.name in refused:
                message = f"Azure ML's own tools refuse {reference.text}: the job does not declare it"
                hint = "They take it as optional only if it is the last thing in $[[ ... ]], after plain words."
            elif reference.text.startswith("{"):
                message = f"{reference.text} is an old form, which Azure ML still rewrites to ${{{{{reference.key}}}}}"
            elif not self._known(reference):
                message = f"{reference.text} stands for nothing in this job and stays as it is, here as on Azure ML"
            if message is not None:
                occurrence = command[: reference.start].count(reference.text)
                yield self.document.fault_inside(("command",), reference.text, occurrence, message, hint)

    def _known(self, reference: Reference) -> bool:
        if reference.kind == "outputs":
            return reference.name in (self.job.outputs or {})
        return reference.kind == "inputs" or reference.key == "name"

    def without_effect(self) -> Iterator[Fault]:
        """What Azure ML acts on and one machine has no use for."""
        for path, what in _WITHOUT_EFFECT_HERE.items():
            holder = self.job if len(path) == 1 else self.job.resources
            if getattr(holder, path[-1], None) is not None:
                yield self.document.fault(path, f"{what} has an effect only on Azure ML")
        count = self.job.resources.instance_count if self.job.resources is not None else None
        if count is not None and count > 1:
            message = f"Azure ML takes {count} machines; here the nodes of the job share this one"
            yield self.document.fault(("resources", "instance_count"), message)


def _refused_by_azure(command: str, inputs: set[str]) -> set[str]:
    """The inputs that the rule of azure-ai-ml finds missing; it knows fewer optional groups than Azure ML does."""
    named = set(re.findall(r"\$\{\{inputs\.([\w.-]+)\}\}", command))
    optional = set(re.findall(r"\[[\w.\s-]*\$\{\{inputs\.([\w.-]+)\}\}\]", command))
    return named - optional - inputs
