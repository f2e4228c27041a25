"""Workspaces. Here a workspace is a folder; the settings of its network and keys are for Azure ML."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from store.specs.fields import AssetName, PascalCase, SnakeOrCamel, TextMap, read_reference
from store.specs.identity import WorkspaceIdentity
from store.specs.references import Url
from store.specs.spec import Choice, Maybe, ReadOnly, Spec, refusal


def _url(value: str) -> str:
    if not isinstance(read_reference(value), Url):
        raise refusal(f"{value!r} is no URL", "Write https://HOST/PATH.")
    return value


class CustomerManagedKey(Spec):
    """The customer's own key for the data at rest."""

    key_vault: Maybe[str] = Field(None, description="The full Azure id of the key vault.")
    key_uri: Maybe[Annotated[str, AfterValidator(_url)]] = Field(None, description="The address of the key.")
    cosmosdb_id: Maybe[str] = Field(None, description="The full Azure id of a Cosmos DB account.")
    storage_id: Maybe[str] = Field(None, description="The full Azure id of a storage account.")
    search_id: Maybe[str] = Field(None, description="The full Azure id of a search service.")


class IPRule(Spec):
    """Addresses that may reach the workspace."""

    value: str = Field(description="An address, or a range such as 10.0.0.0/24.")


class NetworkAcls(Spec):
    """Who may reach the workspace over the network."""

    default_action: str = Field(description="Allow or Deny, for whoever no rule names.")
    ip_rules: list[IPRule] | None = Field(None, description="The addresses that may.")


class ManagedNetworkStatus(Spec):
    """The state of a managed network."""

    spark_ready: ReadOnly = Field(None, description="Whether Spark can use it.")
    status: ReadOnly = Field(None, description="Its state.")


class PrivateEndpointDestination(Spec):
    """Where a private endpoint leads."""

    service_resource_id: str = Field(description="The full Azure id of the service.")
    subresource_target: str = Field(description="The part of the service.")
    spark_enabled: bool = Field(description="Whether Spark jobs may use it.")


class ServiceTagDestination(Spec):
    """Where a service tag leads."""

    service_tag: str = Field(description="The tag.")
    protocol: str = Field(description="The protocol, such as TCP.")
    port_ranges: str = Field(description="The ports, such as 80, 443.")
    address_prefixes: Maybe[list[str]] = Field(None, description="The addresses.")


class PrivateEndpointOutboundRule(Spec):
    """A way out of the managed network through a private endpoint."""

    name: str = Field(description="The name of the rule.")
    parent_rule_names: ReadOnly = Field(None, description="The rules that it stems from.")
    type: Any = Field("private_endpoint", description="Says that it is a private endpoint.")
    destination: PrivateEndpointDestination = Field(description="Where it leads.")
    fqdns: Maybe[list[str]] = Field(None, description="The host names that it answers for.")
    category: ReadOnly = Field(None, description="Who asked for the rule.")
    status: ReadOnly = Field(None, description="Its state.")


class ServiceTagOutboundRule(Spec):
    """A way out of the managed network to a service."""

    name: str = Field(description="The name of the rule.")
    parent_rule_names: ReadOnly = Field(None, description="The rules that it stems from.")
    type: Any = Field("service_tag", description="Says that it is a service tag.")
    destination: ServiceTagDestination = Field(description="Where it leads.")
    category: ReadOnly = Field(None, description="Who asked for the rule.")
    status: ReadOnly = Field(None, description="Its state.")


class FqdnOutboundRule(Spec):
    """A way out of the managed network to a host."""

    name: str = Field(description="The name of the rule.")
    parent_rule_names: ReadOnly = Field(None, description="The rules that it stems from.")
    type: Any = Field("fqdn", description="Says that it is a host.")
    destination: str = Field(description="The host's name.")
    category: ReadOnly = Field(None, description="Who asked for the rule.")
    status: ReadOnly = Field(None, description="Its state.")


_RULES: dict[str, type[Spec]] = {
    "private_endpoint": PrivateEndpointOutboundRule,
    "service_tag": ServiceTagOutboundRule,
    "fqdn": FqdnOutboundRule,
}


def _choose(value: Mapping[str, Any]) -> type[Spec]:
    if rule := _RULES.get(str(value.get("type"))):
        return rule
    destination = value.get("destination")
    if isinstance(destination, Mapping):
        return ServiceTagOutboundRule if "service_tag" in destination else PrivateEndpointOutboundRule
    return FqdnOutboundRule


OutboundRule = Annotated[
    Any, Choice(PrivateEndpointOutboundRule, ServiceTagOutboundRule, FqdnOutboundRule, choose=_choose)
]


class ManagedNetwork(Spec):
    """A network that Azure manages for the workspace."""

    isolation_mode: Maybe[
        Annotated[Literal["disabled", "allow_internet_outbound", "allow_only_approved_outbound"], SnakeOrCamel]
    ] = Field(None, description="What may leave the network.")
    outbound_rules: list[OutboundRule] | None = Field(None, description="The ways out.")
    firewall_sku: Maybe[Annotated[Literal["standard", "basic"], SnakeOrCamel]] = Field(
        None, description="The size of the firewall."
    )
    network_id: ReadOnly = Field(None, description="The network's id.")
    status: Maybe[ManagedNetworkStatus] = Field(None, description="The state of the network.")


class ServerlessComputeSettings(Spec):
    """The network of serverless computes."""

    custom_subnet: str | None = Field(None, description="The full Azure id of the subnet.")
    no_public_ip: bool = Field(False, description="Whether they have no public addresses.")


class Workspace(Spec):
    """A workspace."""

    url = "workspace"

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    name: AssetName = Field(description="The name of the workspace.")
    location: Maybe[str] = Field(None, description="The region (on Azure ML).")
    id: ReadOnly = Field(None, description="The full Azure id.")
    resource_group: Maybe[str] = Field(None, description="The resource group (on Azure ML).")
    description: Maybe[str] = Field(None, description="What the workspace is for.")
    discovery_url: Maybe[str] = Field(None, description="The address of the workspace's services (on Azure ML).")
    display_name: Maybe[str] = Field(None, description="The name that people see.")
    hbi_workspace: bool = Field(False, description="Whether it holds data of high business impact.")
    storage_account: Maybe[str] = Field(None, description="The full Azure id of the storage account.")
    container_registry: Maybe[str] = Field(None, description="The full Azure id of the container registry.")
    key_vault: Maybe[str] = Field(None, description="The full Azure id of the key vault.")
    application_insights: Maybe[str] = Field(None, description="The full Azure id of Application Insights.")
    customer_managed_key: Maybe[CustomerManagedKey] = Field(None, description="The customer's own key.")
    tags: Maybe[TextMap] = Field(None, description="Tags.")
    mlflow_tracking_uri: ReadOnly = Field(None, description="The address of MLflow's tracking.")
    image_build_compute: Maybe[str] = Field(None, description="The compute that builds images.")
    public_network_access: Maybe[Annotated[Literal["Disabled", "Enabled"], PascalCase]] = Field(
        None, description="Whether it can be reached from the internet."
    )
    network_acls: Maybe[NetworkAcls] = Field(None, description="Who may reach it.")
    system_datastores_auth_mode: Maybe[str] = Field(None, description="How the built-in datastores are reached.")
    identity: Maybe[WorkspaceIdentity] = Field(None, description="The identities of the workspace.")
    primary_user_assigned_identity: Maybe[str] = Field(None, description="The first of its identities.")
    workspace_hub: Maybe[str] = Field(None, description="The full Azure id of the hub it belongs to.")
    managed_network: Maybe[ManagedNetwork] = Field(None, description="The network that Azure manages for it.")
    provision_network_now: Maybe[bool] = Field(None, description="Whether the network is made at once.")
    enable_data_isolation: bool = Field(False, description="Whether it sees no data of other workspaces of its hub.")
    allow_roleassignment_on_rg: Maybe[bool] = Field(None, description="Whether roles go to the resource group.")
    serverless_compute: Maybe[ServerlessComputeSettings] = Field(
        None, description="The network of serverless computes."
    )
