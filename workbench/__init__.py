"""Workbench: what a person or a script touches, and the agent. No imports here: any process may import a leaf of it."""


def __getattr__(name: str) -> object:
    """``Dataset``, imported by whoever asks for it and by nobody else."""
    if name == "Dataset":
        from workbench.dataset import Dataset

        return Dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
