"""What a job asks of its compute, and the limits and rank it gets there."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from store.specs.fields import AnyCase, Count
from store.specs.spec import Maybe, Spec


def _form(value: object) -> str:
    return "list" if isinstance(value, list) else "text"


DockerArguments = Annotated[Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")], Discriminator(_form)]


class JobResourceConfiguration(Spec):
    """What a job needs to run."""

    instance_count: Maybe[Count] = Field(None, description="On how many nodes the job runs; by default 1.")
    instance_type: Maybe[str] = Field(None, description="The size of the machines (on Azure ML).")
    properties: Maybe[dict[str, Any]] = Field(None, description="Further settings for the compute.")
    locations: Maybe[list[str]] = Field(None, description="The regions in which the job may run (on Azure ML).")
    shm_size: Maybe[str] = Field(None, description="The shared memory of the container, such as 2g.")
    max_instance_count: Maybe[Count] = Field(None, description="The most nodes that an elastic job may use.")
    docker_args: Maybe[DockerArguments] = Field(None, description="Further arguments of docker run.")


class CommandJobLimits(Spec):
    """The limits of a job."""

    timeout: Maybe[Count] = Field(None, description="Seconds after which the job is stopped.")


class QueueSettings(Spec):
    """The job's place in the queue."""

    job_tier: Maybe[Annotated[Literal["spot", "basic", "standard", "premium", "null"], AnyCase]] = Field(
        None, description="The tier of the job: premium goes before standard, basic and spot."
    )
    priority: Maybe[Annotated[Literal["low", "medium", "high"], AnyCase]] = Field(
        None, description="The priority among the jobs of one tier."
    )
