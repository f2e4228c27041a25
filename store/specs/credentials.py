"""Credentials of datastores: how one logs in. Which of them a type of datastore allows is said by its model alone."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from store.specs.spec import Choice, Maybe, Spec, expected


class Credentials(Spec):
    """A way to log in. ``secrets`` are the fields that are kept in the vault, never in the database."""

    label: ClassVar[str]
    """What it is called in listings."""
    secrets: ClassVar[tuple[str, ...]] = ()


class NoneCredentials(Credentials):
    """No credentials: the machine's own login is used."""

    label = "identity"


class AccountKey(Credentials):
    """The key of a storage account."""

    label = "account key"
    secrets = ("account_key",)

    account_key: str = Field(description="The key.")


class SasToken(Credentials):
    """A shared access signature."""

    label = "SAS token"
    secrets = ("sas_token",)

    sas_token: str = Field(description="The signature, with or without a question mark first.")


class Application(Credentials):
    """An application of a directory; how it proves to be itself is said by what derives from this."""

    authority_url: Maybe[str] = Field(None, description="Where the application logs in.")
    resource_url: Maybe[str] = Field(None, description="What it logs in for.")
    tenant_id: str = Field(description="The directory (tenant) of the application.")
    client_id: str = Field(description="The application (client).")


class ServicePrincipal(Application):
    """An application that logs in with a password."""

    label = "service principal"
    secrets = ("client_secret",)

    client_secret: str = Field(description="The application's password.")


class Certificate(Application):
    """An application that logs in with a certificate."""

    label = "certificate"
    secrets = ("certificate",)

    certificate: Maybe[str] = Field(None, description="The certificate with its private key, as PEM.")
    thumbprint: str = Field(description="The certificate's thumbprint.")


class Password(Credentials):
    """A user and a password."""

    label = "user and password"
    secrets = ("password",)

    username: str = Field(description="The user.")
    password: str = Field(description="The password.")


class SshKey(Credentials):
    """A user and a private key."""

    label = "SSH key"
    secrets = ("private_key", "passphrase")

    username: str = Field(description="The user.")
    private_key: str = Field(description="The private key itself, in OpenSSH's or PEM form.")
    passphrase: Maybe[str] = Field(None, description="The passphrase of the key.")


class AccessKey(Credentials):
    """An access key of S3."""

    label = "access key"
    secrets = ("secret_access_key", "session_token")

    access_key_id: str = Field(description="The key's id.")
    secret_access_key: str = Field(description="The key's secret.")
    session_token: Maybe[str] = Field(None, description="The token of a session that ends.")


class AccessToken(Credentials):
    """A personal access token."""

    label = "access token"
    secrets = ("token",)

    token: str = Field(description="The token.")


def one_of(*models: type[Credentials]) -> Choice:
    """Marks the field ``credentials`` of a type of datastore that allows these; told apart by their keys."""
    return Choice(*models, choose=_by_keys(models), plain=_refuse)


def _by_keys(models: tuple[type[Credentials], ...]) -> Callable[[Mapping[str, Any]], type[Spec]]:
    def choose(value: Mapping[str, Any]) -> type[Spec]:
        if not value:
            return NoneCredentials if NoneCredentials in models else models[0]
        return max(models, key=lambda model: len(value.keys() & model.model_fields.keys()))

    return choose


def _refuse(value: object) -> Any:
    raise expected("a mapping such as {account_key: ...}")
