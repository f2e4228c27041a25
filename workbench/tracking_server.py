"""MLflow's server on a workspace's database, for a job whose own MLflow is of another version.

    python -m workbench.tracking_server TRACKING_URI REGISTRY_URI

It runs as a service process of the job; standard input is the socket that it serves. The tracking address is one with a
job's name (see ``journal.py``), so that metrics go to the job's journal. Requests must carry the key that the
environment gives to both sides.

The socket listens before the job begins, and MLflow is imported when the first client comes: a job that logs nothing
pays for neither time nor memory, and clients that come meanwhile wait instead of being refused.

Like the journal it imports nothing else of ours.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import select
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

USER, KEY = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
"""The variables that MLflow's clients take a name, which is any here, and the key from. They go before those of
``~/.mlflow/credentials``, which go before MLFLOW_TRACKING_TOKEN."""

REFUSAL = {
    "error_code": "UNAUTHENTICATED",
    "message": f"the job's tracking server answers requests that carry {USER} and {KEY} as they are when the job "
    "begins. A `default` entry of ~/.netrc, and MLFLOW_TRACKING_AUTH, send something else in their place.",
}


class Locked:
    """An application that only those with the key reach."""

    def __init__(self, application: Application, key: str) -> None:
        self._application, self._key = application, key.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if hmac.compare_digest(password(dict(scope["headers"]).get(b"authorization", b"")), self._key):
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Basic")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(REFUSAL).encode()})


def password(authorization: bytes) -> bytes:
    """What a header of HTTP's basic authentication gives as the password; nothing for any other."""
    scheme, _, credentials = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def mlflow_application(tracking_uri: str, registry_uri: str) -> Application:
    """MLflow's own application on these two stores."""
    # What the job sets for its MLflow is not meant for this one.
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        del os.environ[name]
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    warnings.simplefilter("ignore")  # of MLflow's libraries to MLflow's authors
    from mlflow.server import fastapi_app, handlers

    handlers.initialize_backend_stores(tracking_uri, registry_uri)
    application: Application = fastapi_app.app
    return application


def main(arguments: Sequence[str]) -> None:
    """Wait for the first client, then serve until SIGTERM."""
    tracking_uri, registry_uri = arguments
    key = os.environ[KEY]
    os.chdir("/")  # so that the working copy can be removed or unmounted
    # Where the protocol is named, asyncio sets TCP_NODELAY: else each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=sys.stdin.fileno())
    select.select([listener], [], [])
    import uvicorn

    application = Locked(mlflow_application(tracking_uri, registry_uri), key)
    # Without the lifespan: MLflow's clears up after its assistant's containers then.
    config = uvicorn.Config(application, lifespan="off", log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1:])
