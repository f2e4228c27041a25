"""The inputs of a job: data, a model, a table, or a literal."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from store.specs.fields import AnyCase, DataPath
from store.specs.spec import Choice, Maybe, Spec, by_type, expected, refusal

PATH = "Where it is: a local path, a URL, azureml:NAME:VERSION or an azureml:// address."
DATASTORE = "The datastore that a local path is uploaded to (on Azure ML)."
MODE = "How the job gets it: a read-only view (ro_mount, the default), a copy (download), or its address (direct)."
LITERAL_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
PATH_ON_COMPUTE = "Where the compute mounts it (on Azure ML)."


class DataInput(Spec):
    """A file or a folder that a job reads."""

    type: Maybe[Annotated[Literal["uri_file", "uri_folder"], AnyCase]] = Field(
        None, description="What it is: a file, or a folder (the default)."
    )
    mode: Maybe[Annotated[Literal["download", "ro_mount", "direct"], AnyCase]] = Field(None, description=MODE)
    path: Maybe[DataPath] = Field(None, description=PATH)
    path_on_compute: Maybe[DataPath] = Field(None, description=PATH_ON_COMPUTE)
    datastore: Maybe[str] = Field(None, description=DATASTORE)


class ModelInput(Spec):
    """A model that a job reads."""

    type: Maybe[Annotated[Literal["custom_model", "mlflow_model", "triton_model"], AnyCase]] = Field(
        None, description="The format of the model."
    )
    mode: Maybe[Annotated[Literal["download", "ro_mount", "direct"], AnyCase]] = Field(None, description=MODE)
    path: Maybe[DataPath] = Field(None, description=PATH)
    datastore: Maybe[str] = Field(None, description=DATASTORE)


class MLTableInput(Spec):
    """A table (a folder with an MLTable file) that a job reads."""

    type: Maybe[Annotated[Literal["mltable"], AnyCase]] = Field(None, description="Says that it is a table.")
    mode: Maybe[Annotated[Literal["download", "ro_mount", "eval_mount", "eval_download", "direct"], AnyCase]] = Field(
        None, description=MODE + " The eval_ modes give the files that the table stands for."
    )
    path: Maybe[DataPath] = Field(None, description=PATH)
    path_on_compute: Maybe[DataPath] = Field(None, description=PATH_ON_COMPUTE)
    datastore: Maybe[str] = Field(None, description=DATASTORE)


def _literal(value: object) -> str | bool | int | float:
    """A literal keeps the type that it has in YAML; a command gets it as a text."""
    if isinstance(value, float) and not math.isfinite(value):
        raise refusal(f"{value} cannot be an input", f'Put it in quotes: "{value}".')
    if isinstance(value, str | bool | int | float):
        return value
    raise expected("a text, a number, true or false, or a mapping with a `path`")


class LiteralInput(Spec):
    """A literal in the long form: ``{value: 20}`` is the same as ``20``."""

    value: Annotated[Any, AfterValidator(_literal)] = Field(
        description="A text, a number, true or false.", json_schema_extra=LITERAL_SCHEMA
    )


_MODELS: dict[str, type[Spec]] = {
    "uri_file": DataInput,
    "uri_folder": DataInput,
    "custom_model": ModelInput,
    "mlflow_model": ModelInput,
    "triton_model": ModelInput,
    "mltable": MLTableInput,
}
_by_type = by_type(_MODELS)


def _choose(value: Mapping[str, Any]) -> type[Spec]:
    if "value" in value and not value.keys() & {"path", "type", "mode"}:
        return LiteralInput
    if "type" not in value and str(value.get("mode")).lower() in ("eval_mount", "eval_download"):
        return MLTableInput
    return _by_type(value)


def _unwrap(value: Any) -> Any:
    return value.value if isinstance(value, LiteralInput) else value


if TYPE_CHECKING:
    Input = DataInput | ModelInput | MLTableInput | str | bool | int | float
else:
    Input = Annotated[
        Any,
        Choice(
            DataInput,
            ModelInput,
            MLTableInput,
            LiteralInput,
            choose=_choose,
            plain=_literal,
            plain_schema=LITERAL_SCHEMA,
        ),
        AfterValidator(_unwrap),
    ]
