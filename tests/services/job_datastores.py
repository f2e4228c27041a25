"""A datastore of each type that a real server is there for, in a test's workspace."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from store import database
from store.datastores import checking, transfers
from store.datastores.keeping import keep
from store.datastores.listing import walk
from store.datastores.transfers import Opened
from store.errors import NotFoundError
from store.layout import Layout
from store.vault import open_vault
from tests.services.azurite import ACCOUNT, KEY
from tests.services.dropping import DroppingProxy, dropping_proxy
from tests.services.file_servers import HOST
from tests.services.test_file_servers import KINDS

TYPES = (*KINDS, "azure_blob")
SERVERS = {"ssh": "ssh_server", "s3": "s3_server", "webdav": "webdav_server", "smb": "smb_server"}


@dataclass(frozen=True, slots=True)
class Remote:
    """The datastore ``away`` of a workspace; ``below`` is a folder that only this test has."""

    kind: str
    layout: Layout
    document: dict[str, Any]
    below: str

    def path(self, path: str = "") -> str:
        """As a document names it."""
        return f"azureml://datastores/away/paths/{self.below}/{path}"

    def opened(self) -> Opened:
        """Its file system, on a connection of its own."""
        from store.datastores import registry

        with closing(database.connect(self.layout.database)) as connection:
            return transfers.opened(registry.get(connection, self.layout, "away"), open_vault(self.layout))

    def put(self, folder: Path, **files: str) -> None:
        """Write files there, by names whose dots are written ``__``."""
        there = self.opened()
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / "text").write_text(text)
            target = f"{self.below}/{name.replace('__', '.').replace('_OF_', '/')}"
            transfers.upload(there, folder / "text", target, overwrite=True, progress=lambda done, total: None)

    def tree(self, path: str = "") -> dict[str, str]:
        """What lies there, by path."""
        there = self.opened()
        there.system.invalidate_cache()
        full = there.full(f"{self.below}/{path}")
        try:
            return {
                each.name: there.system.cat_file(f"{full}/{each.name}").decode() for each in walk(there.system, full)
            }
        except (NotFoundError, FileNotFoundError):
            return {}

    @contextmanager
    def dropping(self) -> Iterator[DroppingProxy]:
        """A proxy in between, through which the workspace goes within the context."""
        port = (
            self.document.get("port")
            or checking.server_of(self.document.get("endpoint_url") or f"http://{self.document['endpoint']}").port
        )
        with dropping_proxy(port) as proxy:
            changed = dict(self.document)
            if "endpoint_url" in changed:
                changed["endpoint_url"] = f"http://{HOST}:{proxy.port}"
            elif "endpoint" in changed:
                changed["endpoint"] = f"{HOST}:{proxy.port}"
            else:
                changed["port"] = proxy.port
            if "known_hosts" in changed:
                known = self.layout.root / "known_hosts"
                known.write_text(Path(changed["known_hosts"]).read_text().replace(f":{port} ", f":{proxy.port} "))
                changed["known_hosts"] = str(known)
            _keep(self.layout, changed)
            try:
                yield proxy
            finally:
                _keep(self.layout, self.document)


def _keep(layout: Layout, document: dict[str, Any]) -> None:
    with closing(database.connect(layout.database)) as connection:
        keep(layout, connection, {"name": "away", **document}, lambda _: None)


def _document(kind: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    if kind != "azure_blob":
        return KINDS[kind](request.getfixturevalue(SERVERS[kind]))
    from azure.storage.blob import BlobServiceClient

    azurite = request.getfixturevalue("azurite")
    name = f"c{uuid.uuid4().hex[:12]}"
    with BlobServiceClient(azurite.url, credential=KEY) as service:
        service.create_container(name)
    return {
        "type": "azure_blob",
        "account_name": ACCOUNT,
        "container_name": name,
        "endpoint": f"127.0.0.1:{azurite.port}",
        "protocol": "http",
        "credentials": {"account_key": KEY},
    }


@pytest.fixture(params=TYPES)
def remote(request: pytest.FixtureRequest, layout: Layout) -> Iterator[Remote]:
    """A datastore of each type; its folder is gone after the test, since other tests list the same servers."""
    document = _document(request.param, request)
    _keep(layout, document)
    found = Remote(request.param, layout, document, f"t{uuid.uuid4().hex[:8]}")
    yield found
    _keep(layout, document)  # where the test has led it elsewhere
    there = found.opened()
    if there.system.exists(there.full(found.below)):
        there.system.rm(there.full(found.below), recursive=True)
