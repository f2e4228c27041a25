"""A command job: one command, run on a compute in an environment."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from store.specs.expressions import ExpressionFault, command_faults, has_value, path_faults
from store.specs.fields import (
    AnyCase,
    JobName,
    PortName,
    TextMap,
    Variables,
    environment_reference,
    existing,
    read_reference,
)
from store.specs.inputs import Input
from store.specs.outputs import DeclaredOutput
from store.specs.references import AssetReference, LocalPath, ResourceId, Url
from store.specs.spec import Late, Maybe, ReadOnly, Spec, refusal

if TYPE_CHECKING:
    from store.errors import Fault
    from store.specs.distribution import Distribution
    from store.specs.document import Document
    from store.specs.environment import JobEnvironment
    from store.specs.identity import JobIdentity
    from store.specs.resources import CommandJobLimits, JobResourceConfiguration, QueueSettings
    from store.specs.services import JobService
else:
    CommandJobLimits = Annotated[Any, Late("store.specs.resources", "CommandJobLimits")]
    Distribution = Annotated[Any, Late("store.specs.distribution", "DISTRIBUTION")]
    JobEnvironment = Annotated[Any, Late("store.specs.environment", "JOB_ENVIRONMENT", environment_reference)]
    JobIdentity = Annotated[Any, Late("store.specs.identity", "JOB_IDENTITY")]
    JobResourceConfiguration = Annotated[Any, Late("store.specs.resources", "JobResourceConfiguration")]
    JobService = Annotated[Any, Late("store.specs.services", "SERVICE")]
    QueueSettings = Annotated[Any, Late("store.specs.resources", "QueueSettings")]


def _command(value: str) -> str:
    if not value.strip():
        raise refusal("the command is empty", "Say what to run, such as python train.py.")
    return value


def _code(value: str, info: ValidationInfo) -> str:
    reference = read_reference(value)
    if isinstance(reference, LocalPath):
        return existing(reference.path, info, "folder or file")
    if isinstance(reference, AssetReference) and reference.version is None and reference.label is None:
        hint = f"Write azureml:{reference.name}:VERSION or azureml:{reference.name}@latest."
        raise refusal(f"{value!r} names no version of the code", hint)
    if isinstance(reference, Url | AssetReference) or getattr(reference, "kind", None) == "codes":
        return str(reference)
    raise refusal(f"{value!r} is no code", "Name a local folder, git+https://..., or azureml:NAME:VERSION.")


def _compute(value: str) -> str:
    reference = read_reference(value)
    if isinstance(reference, LocalPath) and value.strip() == value and "/" not in value:
        return "local" if value.lower() == "local" else value
    if isinstance(reference, AssetReference) and reference.version is None and reference.label is None:
        return "local" if reference.name.lower() == "local" else reference.name
    if isinstance(reference, ResourceId) and reference.kind == "computes":
        return reference.name
    raise refusal(f"{value!r} is no compute", "Name a compute: cpu-cluster, azureml:cpu-cluster or local.")


class CommandJob(Spec):
    """A command job."""

    url = "commandJob"
    secret_places = ("environment_variables",)

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    type: Annotated[Literal["command"], AnyCase] = Field("command", description="Says that it is a command job.")
    name: Maybe[JobName] = Field(None, description="The name of the job, which no other has; by default made up.")
    display_name: Maybe[str] = Field(None, description="The name that people see; by default the name.")
    experiment_name: Maybe[str] = Field(
        None, description="The experiment that the job belongs to; by default the name of the current folder."
    )
    description: Maybe[str] = Field(None, description="What the job is for.")
    tags: Maybe[TextMap] = Field(None, description="Tags.")
    properties: Maybe[TextMap] = Field(None, description="Properties, which unlike tags do not change later.")
    command: Annotated[str, AfterValidator(_command)] = Field(
        description="What to run, by a shell, with ${{inputs.NAME}} and ${{outputs.NAME}} for what is declared below."
    )
    code: Maybe[Annotated[str, AfterValidator(_code)]] = Field(
        None, description="The folder that is copied to where the command runs."
    )
    environment: JobEnvironment | None = Field(
        None,
        description="What is installed: azureml:NAME:VERSION, azureml:NAME@latest, or a definition; "
        "if absent, the Python that runs Workbench.",
    )
    environment_variables: Maybe[Variables] = Field(None, description="Environment variables of the command.")
    compute: Annotated[str, AfterValidator(_compute)] | None = Field(
        None, description="Where it runs: the name of a compute, or local; if absent, local."
    )
    inputs: Maybe[dict[PortName, Input]] = Field(None, description="What the command reads: data, models, literals.")
    outputs: Maybe[dict[PortName, DeclaredOutput]] = Field(None, description="What the command writes.")
    resources: Maybe[JobResourceConfiguration] = Field(None, description="What the job needs to run.")
    distribution: Maybe[Distribution] = Field(None, description="How the processes of a distributed job are started.")
    limits: Maybe[CommandJobLimits] = Field(None, description="Limits, such as the time limit.")
    queue_settings: Maybe[QueueSettings] = Field(None, description="The job's place in the queue.")
    services: Maybe[dict[str, JobService]] = Field(None, description="Interactive services beside the job.")
    identity: Maybe[JobIdentity] = Field(None, description="Whose rights the job has on Azure.")
    parent_job_name: Maybe[str] = Field(None, description="The job that this one belongs to.")
    id: ReadOnly = Field(None, description="The job's id.")
    status: ReadOnly = Field(None, description="The job's state.")
    log_files: ReadOnly = Field(None, description="The job's log files.")
    parameters: ReadOnly = Field(None, description="The job's parameters.")

    @classmethod
    def inspect(cls, document: "Document") -> Iterator["Fault"]:
        """The faults of the expressions: they are about the command and the declarations together."""
        data = document.data
        inputs, outputs = _mapping(data.get("inputs")), _mapping(data.get("outputs"))
        if isinstance(command := data.get("command"), str):
            empty = [name for name, value in inputs.items() if not has_value(value)]
            faults = command_faults(command, list(inputs), list(outputs), empty)
            yield from _placed(document, ("command",), command, faults)
        for name, output in outputs.items():
            if not isinstance(output, Mapping):
                continue
            if "version" in output and "name" not in output:
                yield document.fault(
                    ("outputs", name, "version"), "a `version` without the `name` to register it under"
                )
            if isinstance(path := output.get("path"), str):
                yield from _placed(document, ("outputs", name, "path"), path, path_faults(path))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _placed(
    document: "Document", path: tuple[str | int, ...], text: str, faults: list[ExpressionFault]
) -> Iterator["Fault"]:
    for fault in faults:
        occurrence = text[: fault.start].count(fault.text)
        yield document.fault_inside(path, fault.text, occurrence, fault.message, fault.hint)
