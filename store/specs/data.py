"""Data assets: data with a name and versions."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from store.specs.assets import AutoDeleteSetting
from store.specs.fields import AssetName, Version, absolute, read_reference
from store.specs.references import AssetReference, LocalPath, RegistryReference
from store.specs.spec import Maybe, ReadOnly, Spec, refusal


def _asset_path(value: str, info: ValidationInfo) -> str:
    reference = read_reference(value)
    if isinstance(reference, AssetReference | RegistryReference):
        hint = "A data asset points to a local path, a URL or an azureml://datastores/... address."
        raise refusal(f"{value!r} is an asset already, not a place where data is", hint)
    return absolute(reference.path, info) if isinstance(reference, LocalPath) else str(reference)


class Data(Spec):
    """A data asset: a name and a version for a place where data is."""

    url = "data"

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    name: Maybe[AssetName] = Field(None, description="The name of the asset.")
    id: Maybe[str] = Field(None, description="The full Azure id.")
    description: Maybe[str] = Field(None, description="What the data is.")
    tags: Maybe[dict[str, Any]] = Field(None, description="Tags.")
    version: Maybe[Version] = Field(None, description="The version; by default the next number.")
    latest_version: ReadOnly = Field(None, description="The latest version that there is.")
    auto_delete_setting: Maybe[AutoDeleteSetting] = Field(None, description="When a version is deleted by itself.")
    datastore: Maybe[str] = Field(None, description="The datastore that a local path is uploaded to.")
    path: Annotated[str, AfterValidator(_asset_path)] = Field(
        description="Where the data is: a local path, a URL, or an azureml://datastores/... address."
    )
    properties: ReadOnly = Field(None, description="Properties that the server keeps.")
    type: Literal["uri_file", "uri_folder", "mltable"] = Field(
        "uri_folder", description="What it is: a file, a folder, or a folder with an MLTable file."
    )
