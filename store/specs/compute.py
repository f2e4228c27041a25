"""Computes: where jobs run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from store.specs.fields import AnyCase, AssetName, Count, Natural, TextMap
from store.specs.identity import ComputeIdentity
from store.specs.spec import Maybe, ReadOnly, Spec

if TYPE_CHECKING:
    from store.errors import Fault
    from store.specs.document import Document


class AmlComputeSshSettings(Spec):
    """How to log in to the nodes."""

    admin_username: Maybe[str] = Field(None, description="The administrator's name.")
    admin_password: Maybe[str] = Field(None, description="The administrator's password.")
    ssh_key_value: Maybe[str] = Field(None, description="The administrator's public key.")


class NetworkSettings(Spec):
    """The network of the nodes."""

    vnet_name: Maybe[str] = Field(None, description="The virtual network.")
    subnet: Maybe[str] = Field(None, description="The subnet.")
    public_ip_address: ReadOnly = Field(None, description="The public address.")
    private_ip_address: ReadOnly = Field(None, description="The private address.")


class AmlCompute(Spec):
    """A cluster; here a pool on this machine that runs up to ``max_instances`` jobs at once."""

    url = "amlCompute"

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    name: AssetName = Field(description="The name of the compute.")
    type: Annotated[Literal["amlcompute"], AnyCase] = Field(description="Says that it is a cluster.")
    id: ReadOnly = Field(None, description="The full Azure id.")
    location: Maybe[str] = Field(None, description="The region (on Azure ML).")
    description: Maybe[str] = Field(None, description="What the compute is for.")
    tags: Maybe[TextMap] = Field(None, description="Tags.")
    provisioning_errors: ReadOnly = Field(None, description="What went wrong when it was made.")
    created_on: ReadOnly = Field(None, description="When it was made.")
    provisioning_state: ReadOnly = Field(None, description="Its state.")
    resource_id: Maybe[str] = Field(None, description="The full Azure id of the cluster.")
    size: Maybe[str] = Field(None, description="The size of the machines (on Azure ML).")
    tier: Maybe[Annotated[Literal["low_priority", "dedicated"], AnyCase]] = Field(
        None, description="Dedicated machines, or cheaper ones that can be taken away (on Azure ML)."
    )
    min_instances: Natural = Field(0, description="The nodes that are kept at rest.")
    max_instances: Natural = Field(4, description="The most nodes; here: jobs at once.")
    idle_time_before_scale_down: Natural = Field(
        120, description="Seconds after which an idle node is given up (on Azure ML)."
    )
    ssh_public_access_enabled: Maybe[bool] = Field(None, description="Whether the nodes can be reached by SSH.")
    ssh_settings: Maybe[AmlComputeSshSettings] = Field(None, description="How to log in to the nodes.")
    network_settings: Maybe[NetworkSettings] = Field(None, description="The network of the nodes.")
    identity: Maybe[ComputeIdentity] = Field(None, description="The identities of the nodes.")
    enable_node_public_ip: bool = Field(True, description="Whether the nodes have public addresses.")

    @classmethod
    def inspect(cls, document: "Document") -> Iterator["Fault"]:
        """The two sizes belong together."""
        least, most = document.data.get("min_instances", 0), document.data.get("max_instances", 4)
        if isinstance(least, int) and isinstance(most, int) and least > most >= 0:
            message = f"at least {least} nodes and at most {most}: no number is both"
            yield document.fault(("min_instances",), message, f"`max_instances` is {most}.")


class LocalCompute(Spec):
    """This machine as a compute: a pool that runs up to ``max_instances`` jobs at once. Azure ML has no such kind."""

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    name: AssetName = Field(description="The name of the compute.")
    type: Annotated[Literal["local"], AnyCase] = Field(description="Says that it is this machine.")
    description: Maybe[str] = Field(None, description="What the compute is for.")
    tags: Maybe[TextMap] = Field(None, description="Tags.")
    max_instances: Maybe[Count] = Field(None, description="Jobs at once; by default what suits the machine.")


Compute = AmlCompute | LocalCompute
