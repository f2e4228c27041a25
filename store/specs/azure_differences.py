"""What Azure ML would refuse in a job that runs here, or treat differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from store.errors import Fault
from store.specs.expressions import Reference, in_variables, references
from store.specs.nodes import Path, path_text
from store.specs.references import AssetReference, LocalPath, Url, parse_reference
from store.specs.secrets import stands_for_secret

if TYPE_CHECKING:
    from store.specs.command_job import CommandJob

Locate = Callable[[Path], tuple[str, int, int]]

_CURATED = "azureml://registries/azureml/environments/"
_IN_EVERY_WORKSPACE = "AzureML-"
"""How the older curated environments begin, which a workspace of Azure ML knows without the registry."""
_AZURE_SCHEMES = {"http", "https", "wasb", "wasbs", "abfs", "abfss", "adl"}
_WITHOUT_EFFECT_HERE: dict[Path, str] = {
    ("resources", "instance_type"): "the size of the machine",
    ("resources", "locations"): "the region",
    ("resources", "shm_size"): "the shared memory of the container",
    ("resources", "docker_args"): "the arguments of docker run",
    ("resources", "max_instance_count"): "the elastic number of nodes",
    ("identity",): "the identity",
    ("services",): "the services beside the job",
}


def differences(
    job: CommandJob | Mapping[str, Any], locate: Locate = lambda path: ("", 1, 1), *, curated: bool = False
) -> list[Fault]:
    """Notes on a valid job, or on its document, in the order of the file.

    ``locate``, such as that of the ``Document`` it was read from, tells file, line and column of a path; ``curated``
    that its environment is a curated one, and not one of the workspace.
    """
    document = job if isinstance(job, Mapping) else job.document()
    notes = _Notes(document, locate, curated)
    found = [*notes.required(), *notes.names(), *notes.paths(), *notes.expressions(), *notes.variables()]
    found += [*notes.registered_outputs(), *notes.without_effect()]
    return sorted(found, key=lambda note: (note.file, note.line, note.column))


class _Notes:
    def __init__(self, document: Mapping[str, Any], locate: Locate, curated: bool) -> None:
        self.document, self.locate, self.curated = document, locate, curated

    def _note(self, path: Path, message: str, hint: str | None = None) -> Fault:
        return Fault(*self.locate(path), path_text(path), message, hint)

    def required(self) -> Iterator[Fault]:
        """What the dialect requires and Workbench does not, and the names that mean something else there."""
        environment, compute = self.document.get("environment"), self.document.get("compute")
        if environment is None:
            message = "Azure ML requires an `environment`; here the job gets the Python that runs Workbench"
            yield self._note(("environment",), message, f"Name one, such as {_CURATED}sklearn-1.5/labels/latest.")
        elif isinstance(environment, Mapping):
            yield from self._inline_environment(environment)
        elif re.fullmatch("azureml:current([:@].*)?", environment):
            message = "Azure ML does not know the environment 'current', which is the Python that runs Workbench"
            yield self._note(("environment",), message)
        elif self.curated:
            yield from self._curated_environment(parse_reference(environment))
        if compute is None:
            message = "without a `compute` Azure ML takes a serverless one; here the job runs on `local`"
            yield self._note(("compute",), message)
        elif compute == "local":
            message = "Azure ML runs `compute: local` in Docker on the machine of whoever submits it"
            yield self._note(("compute",), message)

    def _inline_environment(self, environment: Mapping[str, Any]) -> Iterator[Fault]:
        if "image" not in environment and "build" not in environment:
            message = "Azure ML requires an `image` or a `build` for an environment that is defined in place"
            yield self._note(("environment",), message)
        elif "conda_file" in environment:
            message = "on Azure ML these packages are installed into the image; here into an environment of their own"
            yield self._note(("environment", "conda_file"), message)

    def _curated_environment(self, reference: object) -> Iterator[Fault]:
        if isinstance(reference, AssetReference) and not reference.name.startswith(_IN_EVERY_WORKSPACE):
            message = f"Azure ML looks for {reference.name!r} in the workspace; here it is a curated environment"
            end = f"versions/{reference.version}" if reference.version is not None else "labels/latest"
            yield self._note(("environment",), message, f"Write {_CURATED}{reference.name}/{end}, the same in both.")

    def names(self) -> Iterator[Fault]:
        """Names that Azure ML does not allow."""
        compute, experiment = self.document.get("compute"), self.document.get("experiment_name")
        if compute not in (None, "local") and not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", str(compute)):
            message = f"Azure ML allows no compute of the name {compute!r}"
            yield self._note(("compute",), message, "Allowed: 3 to 24 letters, digits and '-', a letter first.")
        if experiment is not None and not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}", experiment):
            message = f"Azure ML allows no experiment of the name {experiment!r}"
            yield self._note(("experiment_name",), message, "Allowed: letters, digits, '_' and '-', at most 255.")

    def paths(self) -> Iterator[Fault]:
        """Places of data that Azure ML cannot reach."""
        for name, path, reference in self._references("inputs"):
            if isinstance(reference, Url) and reference.scheme not in _AZURE_SCHEMES:
                yield self._note(path, f"Azure ML reads no {reference.scheme}:// address (input {name!r})")
            if isinstance(reference, AssetReference) and reference.version is None and reference.label is None:
                message = f"Azure ML wants a version or a label of {reference.name!r}; here the latest is taken"
                yield self._note(path, message, f"Write azureml:{reference.name}@latest.")
        for name, path, reference in self._references("outputs"):
            if isinstance(reference, LocalPath):
                message = f"Azure ML writes nothing into a local folder (output {name!r})"
                hint = "Write azureml://datastores/workspaceblobstore/paths/PATH, or leave the path away."
                yield self._note(path, message, hint)

    def registered_outputs(self) -> Iterator[Fault]:
        """Models among the outputs that Azure ML makes an asset of."""
        for name, value in self.document.get("outputs", {}).items():
            if isinstance(value, Mapping) and "name" in value and str(value.get("type")).endswith("_model"):
                message = (
                    f"Azure ML registers the output {name!r} as {value['name']!r}; here it stays with the job alone"
                )
                yield self._note(("outputs", name, "name"), message)

    def _references(self, ports: str) -> Iterator[tuple[str, Path, object]]:
        for name, value in self.document.get(ports, {}).items():
            if isinstance(value, Mapping) and "path" in value:
                yield name, (ports, name, "path"), parse_reference(value["path"])

    def expressions(self) -> Iterator[Fault]:
        """Expressions that Azure ML's own tools refuse, deprecate, or leave as they are."""
        command = self.document["command"]
        refused = _refused_by_azure(command, self.document.get("inputs", {}))
        told: set[str] = set()
        for reference, optional in references(command):
            message = hint = None
            if optional and reference.kind == "inputs" and reference.name in refused:
                message = f"Azure ML's own tools refuse {reference.text}: the job does not declare it"
                hint = "They take it as optional only where it ends $[[ ... ]], after nothing but plain words."
            elif reference.text.startswith("{"):
                message = f"{reference.text} is an old form, which Azure ML still rewrites to ${{{{{reference.key}}}}}"
            elif not self._known(reference):
                message = f"{reference.text} stands for nothing in this job and stays as it is, here as on Azure ML"
            if message is not None and message not in told:
                told.add(message)
                yield self._note(("command",), message, hint)

    def variables(self) -> Iterator[Fault]:
        """Expressions in environment variables, which the dialect describes for steps of pipelines alone."""
        for variable, text, known in in_variables(self.document):
            path, hint = ("environment_variables", variable), None
            message = f"{text} stands for nothing in this job and stays as it is"
            if stands_for_secret(text):
                message = f"Azure ML has no secrets in a job's variables: {text} stays as it is there"
                hint = "There a script asks the workspace's key vault, by the azure-keyvault-secrets package."
            elif known:
                message = f"Azure ML promises a value for {text} in a variable only in a step of a pipeline"
                hint = "Pass it in the command, where it stands for its value in every job."
            yield self._note(path, message, hint)

    def _known(self, reference: Reference) -> bool:
        if reference.kind == "outputs":
            return reference.name in self.document.get("outputs", {})
        return reference.kind == "inputs" or reference.key == "name"

    def without_effect(self) -> Iterator[Fault]:
        """What Azure ML acts on and one machine has no use for."""
        resources = self.document.get("resources", {})
        for path, what in _WITHOUT_EFFECT_HERE.items():
            if path[-1] in (self.document if len(path) == 1 else resources):
                yield self._note(path, f"only Azure ML makes use of {what}")
        if (count := resources.get("instance_count", 1)) > 1:
            message = f"Azure ML takes {count} machines; here all nodes of the job share this one"
            yield self._note(("resources", "instance_count"), message)


def _refused_by_azure(command: str, inputs: Mapping[str, Any]) -> set[str]:
    """The inputs that the rule of azure-ai-ml finds missing; it knows fewer optional groups than Azure ML does."""
    named = set(re.findall(r"\$\{\{inputs\.([\w.-]+)\}\}", command))
    optional = set(re.findall(r"\[[\w.\s-]*\$\{\{inputs\.([\w.-]+)\}\}\]", command))
    return named - optional - set(inputs)
