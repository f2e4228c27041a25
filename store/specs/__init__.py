"""Pydantic models of the Azure ML v2 dialect, and the loader of documents."""
