"""Open what a person names as a table: a data asset, a path of this machine, or an address.

    churn, churn:2, churn@latest, azureml:churn:2      a data asset; its own path is followed
    ./data/churn.csv, data/*.parquet, ./churn-table    this machine
    azureml://datastores/D/paths/P, https://, s3://    elsewhere; of a SQL database P is a table, or a query

A word that is both a file and an asset is the file; ``azureml:`` before it means the asset.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.data import assets
from store.data.assets import DataVersion
from store.errors import UsageError, WorkbenchError
from store.layout import Layout
from store.specs.references import AssetReference, DatastorePath, LocalPath, Reference
from store.tabular.table import Table
from store.uris import Resolver, take_apart

if TYPE_CHECKING:
    from store.addresses import Address
    from store.datastores.registry import Datastore
    from store.datastores.transfers import Opened
    from store.tabular.database import Database

ASSET = re.compile(r"[^:@/\\\s]+([:@][^:@/\\\s]+)?")


@dataclass(frozen=True, slots=True)
class Source:
    """Something that can be opened: ``name`` is how it is called, ``asset`` the version that it is, if it is one."""

    name: str
    system: Any
    path: str
    asset: DataVersion | None = None

    def local(self) -> Path | None:
        """Where it lies on this machine; None where it does not, or is a pattern."""
        from fsspec.implementations.local import LocalFileSystem

        path = Path(self.path)
        return path if isinstance(self.system, LocalFileSystem) and path.exists() else None


class Opening:
    """Finds and opens tables for one workspace."""

    def __init__(self, layout: Layout, connection: sqlite3.Connection) -> None:
        self.layout = layout
        self.connection = connection
        self.connected: list[Opened] = []
        self.addresses: list[Address] = []

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While rows are read: what the library of a datastore raises becomes an error that names the place."""
        try:
            yield
        except (WorkbenchError, ImportError):
            raise
        except Exception:  # the edge to libraries; what is read may have come to light only while it was opened
            from store.datastores.checking import explained
            from store.transfer.remote import translated

            with ExitStack() as stack:
                for each in self.connected:
                    stack.enter_context(explained(each.datastore, each.given))
                for address in self.addresses:
                    stack.enter_context(translated(address))
                raise

    def find(self, text: str) -> Source:
        """What a text means. Raises NotFoundError and UsageError."""
        if "://" not in text and not text.startswith(("azureml:", "runs:", "models:")):
            if os.path.exists(os.path.expanduser(text)) or not ASSET.fullmatch(text) or _is_file_name(text):
                return Source(text, *self._place(LocalPath(text)))
            text = f"azureml:{text}"
        reference = take_apart(text)
        asset = self.asset(reference) if isinstance(reference, AssetReference) else None
        return Source(str(asset) if asset else text, *self._place(reference), asset)

    def asset(self, reference: AssetReference) -> DataVersion:
        """The version that a reference means. Raises NotFoundError."""
        return assets.get(self.connection, reference.name, reference.version, reference.label)

    def table(self, source: Source) -> Table:
        """The table behind it. Raises UsageError for what is none."""
        from store.tabular.source import open_table

        with self.reading():
            return open_table(source.path, filesystem=source.system, resolve=self.resolve)

    def resolve(self, address: str) -> tuple[Any, str]:
        """The file system of an address, and the path there."""
        return self._place(take_apart(address))

    def _place(self, reference: Reference, depth: int = 0) -> tuple[Any, str]:
        from store.tabular.files import absolute, address_of, any_address, local_system

        if isinstance(reference, LocalPath):
            return local_system(), absolute(reference.path)
        if isinstance(reference, AssetReference):
            if depth > 20:
                raise UsageError(f"{reference} leads back to itself")
            return self._place(take_apart(self.asset(reference).path), depth + 1)
        if isinstance(reference, DatastorePath):
            return self._in_datastore(reference)
        place = Resolver(self.layout, self.connection).find(str(reference))
        if place.path is not None:
            return local_system(), str(place.path)
        found = any_address(str(place.url))
        self.addresses.append(address_of(str(place.url)))
        return found

    def _in_datastore(self, reference: DatastorePath) -> tuple[Any, str]:
        from store.datastores import registry
        from store.datastores.transfers import opened
        from store.vault import open_vault

        Resolver(self.layout, self.connection).check_workspace(reference.workspace)
        datastore = registry.get(self.connection, self.layout, reference.datastore)
        if datastore.type == "sql":
            return self._database(datastore), reference.path
        there = opened(datastore, open_vault(self.layout))
        self.connected.append(there)
        return there.system, there.full(reference.path)

    def _database(self, datastore: Datastore) -> Database:
        from store.datastores import credentials, sql
        from store.tabular.database import Database
        from store.vault import open_vault

        given = credentials.put_back(datastore, open_vault(self.layout))
        return Database(datastore.name, lambda wanted: sql.read(datastore, given, wanted))


def _is_file_name(text: str) -> bool:
    """Whether a word without a colon has the end of a file of a table: then the file is meant that is not there."""
    from store.tabular.compression import plain_name
    from store.tabular.source import FORMATS

    return os.path.splitext(plain_name(text))[1].lower() in FORMATS
