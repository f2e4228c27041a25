"""Buckets of S3, and of servers that speak as S3 does, as datastores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from store.datastores.checking import Failure, Server, chain, server_of
from store.datastores.registry import Datastore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

WRITES_WHOLE = True
SECONDS = 10
"""How long connecting may take; reading has a minute."""


def open_filesystem(datastore: Datastore, credentials: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """s3fs by an access key, or by what AWS's tools go by: variables, a profile, the machine's role."""
    from s3fs import S3FileSystem

    document = datastore.document
    if credentials:
        login = {
            "key": credentials["access_key_id"],
            "secret": credentials["secret_access_key"],
            "token": credentials.get("session_token"),
        }
    else:
        login = {"profile": document.get("profile")} if document.get("profile") else {}
    region = document.get("region") or ("us-east-1" if document.get("endpoint_url") else None)
    system = S3FileSystem(
        endpoint_url=document.get("endpoint_url"),
        client_kwargs={"region_name": region} if region else {},
        config_kwargs={
            "connect_timeout": SECONDS,
            "read_timeout": 60,
            "retries": {"max_attempts": 2, "mode": "standard"},
            "s3": {"addressing_style": "path" if document.get("endpoint_url") else "auto"},
            "signature_version": "s3v4",
        },
        skip_instance_cache=True,
        use_listings_cache=False,
        default_fill_cache=False,
        **login,
    )
    return system, _root(datastore)


def _root(datastore: Datastore) -> str:
    return f"{datastore.document['bucket']}/{(datastore.document.get('prefix') or '').strip('/')}".rstrip("/")


def check(datastore: Datastore, credentials: Mapping[str, Any]) -> str | None:
    """Ask for the first name in the bucket: a listing may be long."""
    system, root = open_filesystem(datastore, credentials)
    bucket, _, prefix = root.partition("/")
    found: Any = system.call_s3("list_objects_v2", Bucket=bucket, Prefix=f"{prefix}/" if prefix else "", MaxKeys=1)
    if prefix and not found.get("KeyCount", len(found.get("Contents", ()))):
        return f"nothing begins with {prefix}/ in the bucket {bucket} yet"
    return None


def server(datastore: Datastore) -> Server | None:
    """What is connected to; Amazon's servers are for the library to find."""
    url = datastore.document.get("endpoint_url")
    return server_of(url) if url else None


_LOGIN = {
    "InvalidAccessKeyId": "the server does not know the access key's id",
    "SignatureDoesNotMatch": "the secret of the access key is wrong",
    "InvalidToken": "the session token is not valid",
    "ExpiredToken": "the session token has expired",
    "ExpiredTokenException": "the session token has expired",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "AuthorizationHeaderMalformed": "the region is another",
    "401": "the server wants another login",
}


def explain(error: BaseException, datastore: Datastore) -> Failure | None:
    """What botocore's errors mean."""
    from botocore import exceptions

    for each in chain(error):
        if isinstance(each, exceptions.ClientError):
            return _refused(each.response, datastore)
        if isinstance(each, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
            hint = "Give credentials, or log in as AWS's tools want it: `aws configure`, AWS_ACCESS_KEY_ID, a role."
            return Failure("login", "this machine has no login to S3", hint)
        if isinstance(each, exceptions.ProfileNotFound):
            return Failure("login", str(each), "`aws configure list-profiles` shows all.")
        if isinstance(each, exceptions.ParamValidationError):
            return Failure("place", f"{datastore.document['bucket']!r} cannot be a bucket", "Check its name.")
    return None


def _refused(answer: Mapping[str, Any], datastore: Datastore) -> Failure | None:
    about, status = answer.get("Error", {}), answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code, bucket = str(about.get("Code", "")), datastore.document["bucket"]
    if code in _LOGIN:
        return Failure("login", f"{_LOGIN[code]} ({code})", "Check `credentials`, and the `region` and the clock.")
    if code == "NoSuchBucket" or (status == 404 and code in ("404", "NotFound")):
        return Failure("place", f"there is no bucket {bucket!r}", "Check its name, and the server it is on.")
    if code in ("AccessDenied", "403", "Forbidden", "AllAccessDisabled"):
        why = f"listing the bucket {bucket!r} is not allowed ({code})"
        return Failure("right", why, "The login needs s3:ListBucket and s3:GetObject there, and s3:PutObject to write.")
    if code in ("PermanentRedirect", "301", "IllegalLocationConstraintException"):
        return Failure("place", f"the bucket {bucket!r} is in another region", "Say which: `region: eu-west-1`.")
    return Failure("answer", f"the server refuses: {code}: {about.get('Message', '')}", "Check the datastore's fields.")


def address(datastore: Datastore, path: str) -> str:
    """As an s3 URL; of another server than Amazon's, as the web has it."""
    inside = "/".join([_root(datastore), *(part for part in path.split("/") if part)])
    server = datastore.document.get("endpoint_url")
    return f"{server.rstrip('/')}/{quote(inside)}" if server else f"s3://{quote(inside)}"
