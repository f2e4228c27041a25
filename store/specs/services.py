"""Interactive services beside a job."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from store.specs.fields import AnyCase, Integer
from store.specs.spec import Choice, Maybe, ReadOnly, Spec, by_type


class JobService(Spec):
    """A service beside a job."""

    type: Maybe[str] = Field(None, description="Which service it is.")
    port: Maybe[Integer] = Field(None, description="The port that the service listens on.")
    nodes: Maybe[str] = Field(None, description="all: on every node; by default on the first only.")
    properties: Maybe[dict[str, Any]] = Field(None, description="Further settings of the service.")
    endpoint: ReadOnly = Field(None, description="The address of the service.")
    status: ReadOnly = Field(None, description="The state of the service.")
    error_message: ReadOnly = Field(None, description="Why the service failed.")


class SshJobService(JobService):
    """A shell on the job's node."""

    type: Maybe[Annotated[Literal["ssh"], AnyCase]] = Field(None, description="Says that it is a shell.")
    ssh_public_keys: Maybe[str] = Field(None, description="The public keys that may log in.")


class TensorBoardJobService(JobService):
    """TensorBoard beside a job."""

    type: Maybe[Annotated[Literal["tensor_board"], AnyCase]] = Field(None, description="Says that it is TensorBoard.")
    log_dir: Maybe[str] = Field(None, description="The folder that TensorBoard shows.")


class VsCodeJobService(JobService):
    """VS Code on the job's node."""

    type: Maybe[Annotated[Literal["vs_code"], AnyCase]] = Field(None, description="Says that it is VS Code.")


class JupyterLabJobService(JobService):
    """JupyterLab on the job's node."""

    type: Maybe[Annotated[Literal["jupyter_lab"], AnyCase]] = Field(None, description="Says that it is JupyterLab.")


_MODELS: dict[str, type[Spec]] = {
    "ssh": SshJobService,
    "tensor_board": TensorBoardJobService,
    "vs_code": VsCodeJobService,
    "jupyter_lab": JupyterLabJobService,
}
_by_type = by_type(_MODELS)


def _choose(value: Mapping[str, Any]) -> type[Spec]:
    stated = value.get("type")
    return JobService if isinstance(stated, str) and stated.lower() not in _MODELS else _by_type(value)


SERVICE = Choice(
    SshJobService, TensorBoardJobService, VsCodeJobService, JupyterLabJobService, JobService, choose=_choose
)
