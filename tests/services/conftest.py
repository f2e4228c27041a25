"""The services, as fixtures of the tests in this folder."""

from __future__ import annotations

from tests.services.azurite import azurite
from tests.services.file_servers import s3_server, smb_server, ssh_server, webdav_server
from tests.services.mariadb import mariadb
from tests.services.network_mount import network_mount
from tests.services.postgresql import postgresql
from tests.services.ssh_logins import ssh_password_server

__all__ = [
    "azurite",
    "mariadb",
    "network_mount",
    "postgresql",
    "s3_server",
    "smb_server",
    "ssh_password_server",
    "ssh_server",
    "webdav_server",
]
