"""Datastores: connections to where data lies, by type.

Azure ML knows ``azure_blob``, ``azure_file``, ``azure_data_lake_gen1``, ``azure_data_lake_gen2`` and ``one_lake``; the
other types are Workbench's own.
"""

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from store.specs.credentials import (
    AccessKey,
    AccessToken,
    AccountKey,
    Certificate,
    Credentials,
    NoneCredentials,
    Password,
    SasToken,
    ServicePrincipal,
    SshKey,
    one_of,
)
from store.specs.fields import AnyCase, AssetName, SnakeOrCamel, TextMap, absolute
from store.specs.spec import Choice, Maybe, ReadOnly, Spec, refusal

Port = Annotated[int, Field(ge=1, le=65535)]
CREDENTIALS = "How to log in; without them the machine's own login is used."
ENDPOINT = "The end of the account's host names; another one for Azure's other clouds."


class Datastore(Spec):
    """What every datastore has."""

    secret_places = ("credentials",)

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    name: AssetName = Field(description="The name of the datastore.")
    id: ReadOnly = Field(None, description="The full Azure id.")
    description: Maybe[str] = Field(None, description="What lies there.")
    tags: Maybe[TextMap] = Field(None, description="Tags.")


class AzureStorage(Datastore):
    """What the datastores of an Azure storage account share."""

    account_name: str = Field(description="The storage account.")
    protocol: str = Field("https", description="https, or http for an emulator.")


class AzureBlob(AzureStorage):
    """A container of Azure Blob Storage."""

    url = "azureBlob"

    type: Annotated[Literal["azure_blob"], SnakeOrCamel] = Field(description="Says that it is a blob container.")
    container_name: str = Field(description="The container.")
    endpoint: Maybe[str] = Field(None, description=ENDPOINT)
    credentials: Maybe[Annotated[Any, one_of(AccountKey, SasToken, NoneCredentials)]] = Field(
        None, description=CREDENTIALS
    )


class AzureFile(AzureStorage):
    """A share of Azure Files."""

    url = "azureFile"

    type: Annotated[Literal["azure_file"], SnakeOrCamel] = Field(description="Says that it is a file share.")
    file_share_name: str = Field(description="The share.")
    endpoint: str = Field("core.windows.net", description=ENDPOINT)
    credentials: Maybe[Annotated[Any, one_of(AccountKey, SasToken, NoneCredentials)]] = Field(
        None, description=CREDENTIALS
    )


class AzureDataLakeGen1(Datastore):
    """A store of Azure Data Lake Storage Gen1, which its owner has retired: it is kept, and cannot be used."""

    url = "azureDataLakeGen1"

    type: Annotated[Literal["azure_data_lake_gen1"], SnakeOrCamel] = Field(description="Says that it is of Gen1.")
    store_name: str = Field(description="The store.")
    credentials: Maybe[Annotated[Any, one_of(ServicePrincipal, Certificate, NoneCredentials)]] = Field(
        None, description=CREDENTIALS
    )
    tags: Maybe[dict[str, Any]] = Field(None, description="Tags.")


class AzureDataLakeGen2(AzureStorage):
    """A file system of Azure Data Lake Storage Gen2."""

    url = "azureDataLakeGen2"

    type: Annotated[Literal["azure_data_lake_gen2"], SnakeOrCamel] = Field(description="Says that it is of Gen2.")
    filesystem: str = Field(description="The file system.")
    endpoint: str = Field("core.windows.net", description=ENDPOINT)
    credentials: Maybe[Annotated[Any, one_of(ServicePrincipal, Certificate, NoneCredentials)]] = Field(
        None, description=CREDENTIALS
    )


class OneLakeArtifact(Spec):
    """What is used of a OneLake workspace."""

    name: str = Field(description="Its name or its id.")
    type: Annotated[Literal["lake_house"], SnakeOrCamel] = Field("lake_house", description="What it is.")


def _one_word(value: object) -> object:
    return "one_lake" if value == "onelake" else value


class OneLake(Datastore):
    """A lakehouse of Microsoft Fabric's OneLake."""

    url = "oneLake"

    type: Annotated[Literal["one_lake"], SnakeOrCamel, BeforeValidator(_one_word)] = Field(
        description="Says that it is a lakehouse; onelake is read too."
    )
    one_lake_workspace_name: str = Field(description="The workspace of Fabric, by name or id.")
    endpoint: str = Field(description="The host, such as onelake.dfs.fabric.microsoft.com.")
    artifact: Maybe[OneLakeArtifact] = Field(None, description="The lakehouse.")
    credentials: Maybe[Annotated[Any, one_of(ServicePrincipal, NoneCredentials)]] = Field(None, description=CREDENTIALS)


def _folder(value: str, info: ValidationInfo) -> str:
    import os

    return absolute(os.path.expanduser(value), info)


class Local(Datastore):
    """A folder of this machine."""

    type: Annotated[Literal["local"], AnyCase] = Field(description="Says that it is a folder of this machine.")
    path: Annotated[str, AfterValidator(_folder)] = Field(description="The folder; relative to the document.")


class Sftp(Datastore):
    """A folder of another machine, over SSH."""

    type: Annotated[Literal["sftp"], AnyCase] = Field(description="Says that it is reached over SSH.")
    host: str = Field(description="The machine.")
    port: Port = Field(22, description="The port.")
    username: Maybe[str] = Field(None, description="The user, where the machine's own login is used.")
    path: str = Field("/", description="The folder there.")
    known_hosts: Maybe[Annotated[str, AfterValidator(_folder)]] = Field(
        None, description="The file of known host keys; by default ~/.ssh/known_hosts."
    )
    credentials: Maybe[Annotated[Any, one_of(Password, SshKey, NoneCredentials)]] = Field(
        None, description=CREDENTIALS + " That is the SSH agent, then the keys in ~/.ssh."
    )


class S3(Datastore):
    """A bucket of S3, or of a server that speaks as S3 does."""

    type: Annotated[Literal["s3"], AnyCase] = Field(description="Says that it is a bucket.")
    bucket: str = Field(description="The bucket.")
    prefix: Maybe[str] = Field(None, description="What all paths begin with.")
    endpoint_url: Maybe[str] = Field(None, description="The server; by default that of Amazon.")
    region: Maybe[str] = Field(None, description="The region.")
    profile: Maybe[str] = Field(None, description="The profile of ~/.aws, where the machine's own login is used.")
    credentials: Maybe[Annotated[Any, one_of(AccessKey, NoneCredentials)]] = Field(None, description=CREDENTIALS)


class Smb(Datastore):
    """A share of a Windows or Samba server."""

    type: Annotated[Literal["smb"], AnyCase] = Field(description="Says that it is a share.")
    host: str = Field(description="The server.")
    port: Port = Field(445, description="The port.")
    share: str = Field(description="The share.")
    path: str = Field("/", description="The folder in the share.")
    domain: Maybe[str] = Field(None, description="The domain of the user.")
    credentials: Maybe[Annotated[Any, one_of(Password, NoneCredentials)]] = Field(
        None, description=CREDENTIALS + " That is Kerberos, or else a guest."
    )


class WebDav(Datastore):
    """A folder of a WebDAV server."""

    type: Annotated[Literal["webdav"], AnyCase] = Field(description="Says that it speaks WebDAV.")
    endpoint_url: str = Field(description="The folder's address, such as https://HOST/remote.php/dav/files/USER.")
    credentials: Maybe[Annotated[Any, one_of(Password, AccessToken, NoneCredentials)]] = Field(
        None, description="How to log in; without them nobody is named."
    )


class Dbfs(Datastore):
    """The file system of a Databricks workspace (DBFS)."""

    type: Annotated[Literal["dbfs"], AnyCase] = Field(description="Says that it is DBFS.")
    workspace_url: str = Field(description="The workspace, such as https://adb-1234.5.azuredatabricks.net.")
    path: str = Field("/", description="The folder there.")
    credentials: Maybe[Annotated[Any, one_of(AccessToken, NoneCredentials)]] = Field(
        None, description=CREDENTIALS + " That is DATABRICKS_TOKEN, or a profile of ~/.databrickscfg."
    )


def _without_password(value: str) -> str:
    from urllib.parse import urlsplit

    try:
        has_password = bool(urlsplit(value).password)
    except ValueError:
        has_password = False
    if has_password:
        raise refusal(
            "the address holds a password",
            "Give it as `credentials: {username: ..., password: ...}`, which the vault keeps.",
        )
    return value


class Sql(Datastore):
    """A SQL database: its tables, and queries of it, are read as tables."""

    type: Annotated[Literal["sql"], AnyCase] = Field(description="Says that it is a SQL database.")
    database_url: Annotated[str, AfterValidator(_without_password)] = Field(
        description="SQLAlchemy's URL, such as postgresql+psycopg://HOST:5432/DATABASE."
    )
    credentials: Maybe[Annotated[Any, one_of(Password, NoneCredentials)]] = Field(
        None, description=CREDENTIALS + " That is what the driver finds by itself, such as ~/.pgpass."
    )


MODELS: dict[str, type[Datastore]] = {
    "azure_blob": AzureBlob,
    "azure_file": AzureFile,
    "azure_data_lake_gen1": AzureDataLakeGen1,
    "azure_data_lake_gen2": AzureDataLakeGen2,
    "one_lake": OneLake,
    "local": Local,
    "sftp": Sftp,
    "s3": S3,
    "smb": Smb,
    "webdav": WebDav,
    "dbfs": Dbfs,
    "sql": Sql,
}
"""Every type of datastore."""


def allowed_credentials(kind: str) -> tuple[type[Credentials], ...]:
    """The credentials that a type of datastore allows: read off its model, which says it once."""
    field = MODELS[kind].model_fields.get("credentials")
    models = next((mark.models for mark in field.metadata if isinstance(mark, Choice)), ()) if field else ()
    return cast("tuple[type[Credentials], ...]", models)
