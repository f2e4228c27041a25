"""How the processes of a distributed job are started."""

from typing import Annotated, Literal

from pydantic import Field

from store.specs.fields import AnyCase, Count, Integer, Natural
from store.specs.spec import Choice, Maybe, Spec, by_type


class PyTorchDistribution(Spec):
    """Processes that find each other through MASTER_ADDR, RANK and WORLD_SIZE."""

    type: Annotated[Literal["pytorch"], AnyCase] = Field(description="Says that it is PyTorch's kind.")
    process_count_per_instance: Maybe[Count] = Field(None, description="Processes on each node; by default 1.")


class TensorFlowDistribution(Spec):
    """Workers and parameter servers that find each other through TF_CONFIG."""

    type: Annotated[Literal["tensorflow"], AnyCase] = Field(description="Says that it is TensorFlow's kind.")
    parameter_server_count: Natural = Field(0, description="Parameter servers.")
    worker_count: Maybe[Count] = Field(None, description="Workers; by default one on each node.")


class MPIDistribution(Spec):
    """Processes that know each other through the OMPI_ variables."""

    type: Annotated[Literal["mpi"], AnyCase] = Field(description="Says that it is MPI's kind.")
    process_count_per_instance: Maybe[Count] = Field(None, description="Processes on each node; by default 1.")


class RayDistribution(Spec):
    """A Ray cluster for the time of the job."""

    type: Annotated[Literal["ray"], AnyCase] = Field(description="Says that it is Ray's kind.")
    port: Maybe[Integer] = Field(None, description="The port of the head process.")
    address: Maybe[str] = Field(None, description="The address of the head node.")
    include_dashboard: Maybe[bool] = Field(None, description="Start Ray's dashboard.")
    dashboard_port: Maybe[Integer] = Field(None, description="The port of the dashboard.")
    head_node_additional_args: Maybe[str] = Field(None, description="Further arguments of ray start on the head.")
    worker_node_additional_args: Maybe[str] = Field(None, description="Further arguments of ray start on workers.")


Distribution = PyTorchDistribution | TensorFlowDistribution | MPIDistribution | RayDistribution

DISTRIBUTION = Choice(
    PyTorchDistribution,
    TensorFlowDistribution,
    MPIDistribution,
    RayDistribution,
    choose=by_type(
        {
            "pytorch": PyTorchDistribution,
            "tensorflow": TensorFlowDistribution,
            "mpi": MPIDistribution,
            "ray": RayDistribution,
        }
    ),
)
