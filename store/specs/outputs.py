"""The outputs of a job."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from store.specs.fields import AnyCase, AssetName, Version, absolute, read_reference
from store.specs.references import LocalPath
from store.specs.spec import Choice, Maybe, Spec


def _output_path(value: str, info: ValidationInfo) -> str:
    reference = read_reference(value)
    return absolute(reference.path, info) if isinstance(reference, LocalPath) else str(reference)


class Output(Spec):
    """A file, folder or model that a job writes."""

    name: Maybe[AssetName] = Field(None, description="Register it under this name when the job completes.")
    version: Maybe[Version] = Field(None, description="The version to register it as; by default the next one.")
    mode: Maybe[Annotated[Literal["mount", "upload", "rw_mount", "direct"], AnyCase]] = Field(
        None,
        description="How the job writes it: into its place (rw_mount, the default), "
        "copied there after the run (upload), or by its address (direct).",
    )
    type: Maybe[
        Annotated[Literal["uri_file", "uri_folder", "custom_model", "mlflow_model", "mltable", "triton_model"], AnyCase]
    ] = Field(None, description="What it is; by default uri_folder.")
    path: Maybe[Annotated[str, AfterValidator(_output_path)]] = Field(
        None, description="Where it goes, such as azureml://datastores/workspaceblobstore/paths/models/${{name}}."
    )


def _nothing(value: object) -> object:
    return {} if value is None else value


if TYPE_CHECKING:
    DeclaredOutput = Output
else:
    # An output that is only named, `model:`, is declared with all defaults.
    _OUTPUT = Choice(Output, choose=lambda value: Output, plain_schema={"type": "null"})
    DeclaredOutput = Annotated[Any, _OUTPUT, BeforeValidator(_nothing)]
