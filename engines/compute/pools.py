"""Computes that are added to a workspace."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from engines.compute.registry import engine
from store import computes


def create(connection: sqlite3.Connection, document: Mapping[str, Any]) -> None:
    """Add a compute, or replace its document; its engine says how many slots it has.

    Raises ConflictError where a waiting job would no longer fit, and what a missing or broken engine raises.
    """
    computes.create(connection, document, engine(document["type"]).capacity(document))
