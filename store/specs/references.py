"""References and paths of the dialect, taken apart; ``str()`` of each gives back the text it was read from.

azureml:NAME[:VERSION | @LABEL]                                        AssetReference
azureml://registries/REGISTRY/KIND/NAME/(versions | labels)/X          RegistryReference (``feeds`` likewise)
[azureml:]/subscriptions/S/resourceGroups/G/.../KIND/NAME[/versions/V] ResourceId
azureml://[subscriptions/S/resourcegroups/G/workspaces/W/]datastores/D/paths/P    DatastorePath
azureml://[...]jobs/J/outputs/O[/paths/P]                              JobOutputPath
runs:/RUN/P                                                            RunPath
models:/NAME/VERSION[/P], models:/NAME@ALIAS[/P], models:/m-ID         ModelPath
https://..., wasbs://..., git+https://...                              Url
anything else, with or without ``file:``                               LocalPath
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

PREFIX = "azureml:"

# Patterns are compiled when they are first used: most documents need one of them.
_NAME = r"[^:@/\s]+"
_ASSET = rf"azureml:({_NAME})(?:(?::({_NAME}))|(?:@({_NAME})))?"
_REGISTRY = rf"azureml://(registries|feeds)/({_NAME})/(\w+)/({_NAME})/(versions|labels)/({_NAME})"
_WORKSPACE = r"(?:subscriptions/([^/\s]+)/(resource[gG]roups)/([^/\s]+)/workspaces/([^/\s]+)/)?"
_DATASTORE = rf"(?s)azureml://{_WORKSPACE}datastores/({_NAME})/paths/(.*)"
_JOB_OUTPUT = rf"(?s)azureml://{_WORKSPACE}jobs/({_NAME})/outputs/({_NAME})(?:/paths/(.*))?"
_RUN = r"(?s)runs:/([^/\s]+)/(.*)"
_MODEL = r"(?s)models:/([^/@\s]+)(?:(?:/([^/\s]+)|@([^/\s]+))(?:/(.*))?)?"
_RESOURCE = (
    r"(azureml:)?(/subscriptions/[^/\s]+/resource[gG]roups/[^/\s]+/providers/[^/\s]+/workspaces/[^/\s]+)"
    rf"/(\w+)/({_NAME})(?:/(versions|labels)/({_NAME}))?"
)
_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]+"

_REGISTRY_KINDS = ("environments", "models", "components", "data", "codes")


class ReferenceFault(ValueError):
    """A text that is meant as a reference and is none."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class AssetReference(NamedTuple):
    """``azureml:NAME``, ``azureml:NAME:VERSION`` or ``azureml:NAME@LABEL``: something registered in the workspace."""

    name: str
    version: str | None = None
    label: str | None = None

    def __str__(self) -> str:
        end = f":{self.version}" if self.version is not None else f"@{self.label}" if self.label is not None else ""
        return f"azureml:{self.name}{end}"


class RegistryReference(NamedTuple):
    """Something in a registry that many workspaces share; ``kind`` is ``environments``, ``models``, ..."""

    registry: str
    kind: str
    name: str
    version: str | None = None
    label: str | None = None
    scheme: Literal["registries", "feeds"] = "registries"

    def __str__(self) -> str:
        end = f"versions/{self.version}" if self.version is not None else f"labels/{self.label}"
        return f"azureml://{self.scheme}/{self.registry}/{self.kind}/{self.name}/{end}"


class ResourceId(NamedTuple):
    """The full Azure id of something in a workspace; ``kind`` is ``environments``, ``computes``, ..."""

    workspace: str
    kind: str
    name: str
    version: str | None = None
    label: str | None = None
    prefix: str = PREFIX

    def __str__(self) -> str:
        end = f"/versions/{self.version}" if self.version is not None else ""
        end = f"/labels/{self.label}" if self.label is not None else end
        return f"{self.prefix}{self.workspace}/{self.kind}/{self.name}{end}"


class Workspace(NamedTuple):
    """The workspace that the long form of an address names."""

    subscription: str
    resource_group: str
    name: str
    group_word: str = "resourcegroups"  # both this and resourceGroups are in use

    def __str__(self) -> str:
        return f"subscriptions/{self.subscription}/{self.group_word}/{self.resource_group}/workspaces/{self.name}/"


class DatastorePath(NamedTuple):
    """A file or folder in a datastore."""

    datastore: str
    path: str
    workspace: Workspace | None = None

    def __str__(self) -> str:
        return f"azureml://{self.workspace or ''}datastores/{self.datastore}/paths/{self.path}"


class JobOutputPath(NamedTuple):
    """A job's output, or something in it; a job's artifacts are the output ``artifacts``."""

    job: str
    output: str
    path: str | None = None
    workspace: Workspace | None = None

    def __str__(self) -> str:
        end = f"/paths/{self.path}" if self.path is not None else ""
        return f"azureml://{self.workspace or ''}jobs/{self.job}/outputs/{self.output}{end}"


class RunPath(NamedTuple):
    """Something that an MLflow run logged."""

    run: str
    path: str

    def __str__(self) -> str:
        return f"runs:/{self.run}/{self.path}"


class ModelPath(NamedTuple):
    """A version of a model in MLflow's registry, or a logged model by its id alone; or something in it."""

    model: str
    version: str | None = None
    alias: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        end = f"/{self.version}" if self.version is not None else ""
        end = f"@{self.alias}" if self.alias is not None else end
        return f"models:/{self.model}{end}{f'/{self.path}' if self.path is not None else ''}"


class Url(NamedTuple):
    """An address of any other scheme."""

    text: str

    @property
    def scheme(self) -> str:
        """``https``, ``git+https``, ``wasbs``, ... in lower case."""
        return self.text.partition(":")[0].lower()

    def __str__(self) -> str:
        return self.text


class LocalPath(NamedTuple):
    """A path on this machine, relative or absolute."""

    text: str

    @property
    def path(self) -> str:
        """The path itself, without ``file:``."""
        if self.text.startswith("file://"):
            from urllib.parse import unquote

            return unquote(self.text.removeprefix("file://").removeprefix("localhost"))
        return self.text.removeprefix("file:")

    def __str__(self) -> str:
        return self.text


Reference = (
    AssetReference
    | RegistryReference
    | ResourceId
    | DatastorePath
    | JobOutputPath
    | RunPath
    | ModelPath
    | Url
    | LocalPath
)


def parse_reference(text: str) -> Reference:
    """Take a reference or a path apart; raises ReferenceFault if it is neither."""
    if not text.strip():
        raise ReferenceFault("expected a path or a reference, got an empty text")
    if text.startswith("azureml://"):
        return _parse_address(text)
    if "/subscriptions/" in text and (match := re.fullmatch(_RESOURCE, text)):
        prefix, workspace, kind, name, by, value = match.groups()
        version, label = (value, None) if by == "versions" else (None, value)
        return ResourceId(workspace, kind, name, version, label, prefix or "")
    if text.startswith(PREFIX):
        return _parse_asset(text)
    if text.startswith("runs:"):
        if match := re.fullmatch(_RUN, text):
            return RunPath(match[1], match[2])
        raise ReferenceFault(f"{text!r} is no path of a run", "Write runs:/RUN_ID/PATH.")
    if text.startswith("models:"):
        if match := re.fullmatch(_MODEL, text):
            return ModelPath(*match.groups())
        raise ReferenceFault(f"{text!r} is no model", "Write models:/NAME/VERSION or models:/NAME@ALIAS.")
    if text.startswith("file:"):
        return LocalPath(text)
    scheme, separator, rest = text.partition(":/")
    if separator and rest and re.fullmatch(_SCHEME, scheme):
        return Url(text)
    _refuse_slip(text)
    return LocalPath(text)


def _parse_asset(text: str) -> AssetReference:
    if match := re.fullmatch(_ASSET, text):
        return AssetReference(match[1], match[2], match[3])
    if text.startswith("azureml:/"):
        hint = "Write azureml:/subscriptions/S/resourceGroups/G/providers/P/workspaces/W/KIND/NAME/versions/V."
        raise ReferenceFault(f"{text!r} is no full Azure id", hint)
    raise ReferenceFault(f"{text!r} is no reference", "Write azureml:NAME:VERSION or azureml:NAME@latest.")


def _parse_address(text: str) -> Reference:
    if match := re.fullmatch(_REGISTRY, text):
        scheme, registry, kind, name, by, value = match.groups()
        if kind not in _REGISTRY_KINDS:
            raise ReferenceFault(f"a registry holds no {kind!r}", _meant(kind, _REGISTRY_KINDS))
        version, label = (value, None) if by == "versions" else (None, value)
        return RegistryReference(registry, kind, name, version, label, "feeds" if scheme == "feeds" else "registries")
    if match := re.fullmatch(_DATASTORE, text):
        return DatastorePath(match[5], match[6], _workspace(match))
    if match := re.fullmatch(_JOB_OUTPUT, text):
        return JobOutputPath(match[5], match[6], match[7], _workspace(match))
    raise _bad_address(text)


def _workspace(match: re.Match[str]) -> Workspace | None:
    return Workspace(match[1], match[3], match[4], match[2]) if match[1] is not None else None


_FORMS = {
    "registries": "azureml://registries/REGISTRY/KIND/NAME/versions/VERSION (or /labels/latest)",
    "feeds": "azureml://feeds/REGISTRY/codes/NAME/versions/VERSION",
    "datastores": "azureml://datastores/DATASTORE/paths/PATH",
    "jobs": "azureml://jobs/JOB/outputs/OUTPUT/paths/PATH",
    "subscriptions": "azureml://subscriptions/S/resourcegroups/G/workspaces/W/datastores/DATASTORE/paths/PATH",
}


def _bad_address(text: str) -> ReferenceFault:
    root = text.removeprefix("azureml://").partition("/")[0]
    if root in _FORMS:
        return ReferenceFault(f"{text!r} is not a whole address", f"Write {_FORMS[root]}.")
    return ReferenceFault(f"no address begins with azureml://{root}", _meant(root, _FORMS))


def _refuse_slip(text: str) -> None:
    """``azuerml:x:1`` is no file name that anyone would choose."""
    head, colon, _ = text.partition(":")
    if not colon or head == "azureml" or "/" in head or not 5 <= len(head) <= 9:
        return
    from store.specs.nearest import nearest

    if nearest(head, ["azureml"], cutoff=0.8):
        raise ReferenceFault(f"{text!r} is no reference", f"did you mean 'azureml:{text[len(head) + 1 :]}'?")


def _meant(word: str, words: Iterable[str]) -> str | None:
    from store.specs.nearest import suggestion

    return suggestion(word, words, introduction="Allowed")


def asset_reference(text: str, kind: str) -> AssetReference | RegistryReference | ResourceId:
    """A reference to something registered; raises ReferenceFault for anything else.

    ``kind`` is the plural that addresses use, such as ``environments``.
    """
    reference = parse_reference(text)
    if isinstance(reference, AssetReference):
        return reference
    if isinstance(reference, RegistryReference | ResourceId):
        if reference.kind != kind:
            raise ReferenceFault(f"{text!r} is one of the {reference.kind}, expected one of the {kind}")
        return reference
    singular = kind.rstrip("s")
    forms = f"A registered {singular} is written azureml:NAME:VERSION or azureml:NAME@latest."
    if re.fullmatch(rf"(?!\.){_NAME}([:@]{_NAME})?", text):
        label = "" if ":" in text or "@" in text else "@latest"
        forms = f"did you mean 'azureml:{text}{label}'? {forms}"
    raise ReferenceFault(f"{text!r} is no reference to an asset", forms)
