"""adlfs, told exactly where to connect and how to log in: nothing of the environment decides."""

from __future__ import annotations

from typing import Any

from adlfs import AzureBlobFileSystem
from azure.core.exceptions import HttpResponseError
from azure.storage.blob.aio import BlobServiceClient, ExponentialRetry

from store.datastores.azure import ANSWER_SECONDS, CONNECT_SECONDS, token_credential


class BlobFileSystem(AzureBlobFileSystem):  # type: ignore[misc]
    """The containers of an account as folders.

    adlfs alone lets AZURE_STORAGE_* variables win, has no plain http but by connection strings, and waits 15 seconds
    before it tries again.
    """

    def __init__(self, url: str, login: dict[str, Any], **options: Any) -> None:
        self._url, self._given = url, login
        super().__init__(
            account_name=login.get("account_name") or "account",
            anon=True,
            assume_container_exists=True,  # else a write makes a missing container, and SAS tokens are warned of
            **options,
        )

    def do_connect(self) -> None:
        """Make the client of the service: called by adlfs, in its constructor and after a fork."""
        given = self._given
        self.connection_string, self.sas_token, self.account_key = None, None, given.get("account_key")
        self.account_url, self.credential = self._url, None
        credential: Any
        if given.get("account_key"):
            credential = {"account_name": given["account_name"], "account_key": given["account_key"]}
        elif given.get("sas_token"):
            credential = given["sas_token"].lstrip("?")
        else:
            credential = self.credential = token_credential(given, asynchronous=True)
        self.service_client = BlobServiceClient(
            self._url,
            credential=credential,
            retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3, random_jitter_range=1),
            connection_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
        )

    async def _info(self, path: str, refresh: bool = False, **options: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = await super()._info(path, refresh, **options)
        except HttpResponseError as error:
            container, below, _ = self.split_path(path)
            if error.status_code != 403 or below:
                raise
            # A SAS token of a container never allows to look at the container itself, only at what it holds.
            return {"name": container, "size": None, "type": "directory"}
        return found
