"""Environments: from a definition to a Python that can run the job."""
