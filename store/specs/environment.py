"""Environments: what a job's code finds installed."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from store.specs.fields import AnyCase, AssetName, CondaFile, ContextPath, Integer, Version, environment_reference
from store.specs.spec import Choice, Maybe, ReadOnly, Spec

if TYPE_CHECKING:
    from store.specs.assets import AutoDeleteSetting
else:
    from store.specs.spec import Late

    AutoDeleteSetting = Annotated[Any, Late("store.specs.assets", "AutoDeleteSetting")]


class BuildContext(Spec):
    """A folder with a Dockerfile."""

    path: Maybe[ContextPath] = Field(None, description="The folder, or its URL.")
    dockerfile_path: Maybe[str] = Field(None, description="The Dockerfile inside the folder; by default Dockerfile.")


class Route(Spec):
    """A route of an inference server."""

    port: Integer = Field(description="The port.")
    path: str = Field(description="The path, such as /score.")


class InferenceConfig(Spec):
    """The routes of an inference server that an image brings along."""

    liveness_route: Route = Field(description="Answers while the server is alive.")
    scoring_route: Route = Field(description="Answers with a score.")
    readiness_route: Route = Field(description="Answers when the server is ready.")


class AnonymousEnvironment(Spec):
    """An environment, defined in place."""

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    name: Maybe[AssetName] = Field(None, description="The name of the environment.")
    id: Maybe[Annotated[str, AfterValidator(environment_reference)]] = Field(
        None, description="The reference of the registered environment that this was read from."
    )
    description: Maybe[str] = Field(None, description="What the environment is for.")
    tags: Maybe[dict[str, Any]] = Field(None, description="Tags.")
    version: Maybe[Version] = Field(None, description="The version; by default the next one.")
    latest_version: ReadOnly = Field(None, description="The latest version that there is.")
    auto_delete_setting: Maybe[AutoDeleteSetting] = Field(None, description="When a version is deleted by itself.")
    build: Maybe[BuildContext] = Field(None, description="The folder to build the image from.")
    image: Maybe[str] = Field(None, description="The Docker image.")
    conda_file: Maybe[CondaFile] = Field(None, description="The path of a conda file, or its content.")
    inference_config: Maybe[InferenceConfig] = Field(None, description="The routes of the image's own server.")
    os_type: Maybe[Annotated[Literal["linux", "windows"], AnyCase]] = Field(None, description="The operating system.")
    datastore: Maybe[str] = Field(None, description="The datastore that the build context is uploaded to.")
    intellectual_property: ReadOnly = Field(None, description="Whose property the environment is.")


class Environment(AnonymousEnvironment):
    """An environment to register."""

    url = "environment"

    name: AssetName = Field(description="The name of the environment.")


JobEnvironment = AnonymousEnvironment | str

JOB_ENVIRONMENT = Choice(
    AnonymousEnvironment,
    choose=lambda value: AnonymousEnvironment,
    plain=environment_reference,
    plain_schema={"type": "string", "pattern": "^(azureml:|file:)"},
)
