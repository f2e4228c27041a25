"""Whose rights a job, a compute or a workspace has on Azure."""

from typing import Annotated, Literal

from pydantic import Field

from store.specs.fields import SnakeOrCamel
from store.specs.spec import Choice, Maybe, ReadOnly, Spec, by_type


class ManagedIdentity(Spec):
    """The job acts as a managed identity."""

    type: Annotated[Literal["managed", "managed_identity"], SnakeOrCamel] = Field(
        description="Says that it is a managed identity."
    )
    client_id: Maybe[str] = Field(None, description="The client id of the identity.")
    object_id: Maybe[str] = Field(None, description="The object id of the identity.")
    msi_resource_id: Maybe[str] = Field(None, description="The full Azure id of the identity.")


class AMLTokenIdentity(Spec):
    """The job acts with a token of the workspace."""

    type: Annotated[Literal["aml_token"], SnakeOrCamel] = Field(description="Says that it is the workspace's token.")


class UserIdentity(Spec):
    """The job acts as the user who submits it."""

    type: Annotated[Literal["user_identity"], SnakeOrCamel] = Field(description="Says that it is the user.")


JobIdentity = ManagedIdentity | AMLTokenIdentity | UserIdentity

JOB_IDENTITY = Choice(
    ManagedIdentity,
    AMLTokenIdentity,
    UserIdentity,
    choose=by_type(
        {
            "managed": ManagedIdentity,
            "managed_identity": ManagedIdentity,
            "aml_token": AMLTokenIdentity,
            "user_identity": UserIdentity,
        }
    ),
)

IdentityType = Annotated[
    Literal["system_assigned", "user_assigned", "none", "system_assigned,user_assigned"], SnakeOrCamel
]


class ComputeUserAssignedIdentity(Spec):
    """A user-assigned identity of a compute."""

    resource_id: Maybe[str] = Field(None, description="The full Azure id of the identity.")
    principal_id: ReadOnly = Field(None, description="The principal's id.")
    client_id: ReadOnly = Field(None, description="The client's id.")
    tenant_id: ReadOnly = Field(None, description="The tenant's id.")


class ComputeIdentity(Spec):
    """The identities of a compute."""

    type: Maybe[IdentityType] = Field(None, description="Which identities there are.")
    user_assigned_identities: Maybe[list[ComputeUserAssignedIdentity]] = Field(
        None, description="The user-assigned identities."
    )
    principal_id: ReadOnly = Field(None, description="The principal's id of the system-assigned identity.")
    tenant_id: ReadOnly = Field(None, description="The tenant's id of the system-assigned identity.")


class WorkspaceUserAssignedIdentity(Spec):
    """A user-assigned identity of a workspace."""

    principal_id: Maybe[str] = Field(None, description="The principal's id.")
    client_id: Maybe[str] = Field(None, description="The client's id.")
    resource_id: Maybe[str] = Field(None, description="The full Azure id of the identity.")


class WorkspaceIdentity(Spec):
    """The identities of a workspace."""

    type: Maybe[IdentityType] = Field(None, description="Which identities there are.")
    principal_id: Maybe[str] = Field(None, description="The principal's id of the system-assigned identity.")
    tenant_id: Maybe[str] = Field(None, description="The tenant's id of the system-assigned identity.")
    user_assigned_identities: dict[str, WorkspaceUserAssignedIdentity | None] | None = Field(
        None, description="The user-assigned identities, by their Azure ids."
    )
