"""What Data and Datastores ask of the store; run in the threads of ``access``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store import job_filter
from store.data import assets, pages, uses
from store.data.assets import DataVersion
from store.data.lineage import Lineage, lineage
from store.data.pages import Asset, DataFilter, Version
from store.data.uses import Use
from store.datastores import registry
from store.datastores.registry import Datastore
from store.job_filter import FilterError
from workbench.tui.access import Stores

TYPES = ("uri_file", "uri_folder", "mltable")


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """All that is told of a version; ``changed`` is the last use that saw other bytes than it had at first."""

    data: DataVersion
    labels: tuple[str, ...]
    twins: tuple[str, ...]
    changed: Use | None
    lineage: Lineage
    asset_archived: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """A datastore as a list shows it; ``login`` is how it logs in, ``address`` where it leads."""

    datastore: Datastore
    login: str
    address: str


def parse_data(text: str) -> DataFilter:
    """Understand ``type:mltable archived:only word``. Raises FilterError."""
    words: list[str] = []
    types: list[str] = []
    archived: bool | None = False
    for term in job_filter.parse(text).terms:
        if term.negated or term.key not in ("", "name", "type", "archived"):
            hint = "type:mltable, archived:yes, archived:only and parts of names."
            raise FilterError("data is narrowed by type:, archived: and by words", 1, hint)
        if term.key == "type":
            types += [_type(value) for value in term.values]
        elif term.key == "archived":
            archived = True if "only" in term.values else None if "yes" in term.values else False
        else:
            words += term.values
    return DataFilter(tuple(words), archived, tuple(types))


def _type(value: str) -> str:
    found = next((each for each in TYPES if each.startswith(value.casefold())), None)
    if found is None:
        raise FilterError(f"no type of data {value!r}", 1, f"There are {', '.join(TYPES)}.")
    return found


def suggest_data(text: str) -> str | None:
    """What the last word of a filter may become."""
    head, blank, word = text.rpartition(" ")
    known = (*(f"type:{each}" for each in TYPES), "archived:yes", "archived:only")
    found = next((each for each in known if word and each.startswith(word) and each != word), None)
    return f"{head}{blank}{found}" if found else None


# -- assets -------------------------------------------------------------------------------------------------------


def asset_page(stores: Stores, /, wanted: DataFilter, limit: int, **key: Any) -> list[Asset]:
    """A page of assets; the last one with ``last``."""
    if key.pop("last", False):
        return pages.last(stores.workbench, wanted, limit)
    return pages.page(stores.workbench, wanted, limit, **key)


def asset_count(stores: Stores) -> int:
    """How many assets there are, archived ones among them."""
    return pages.count(stores.workbench)


def version_page(stores: Stores, /, name: str, limit: int, **key: Any) -> list[Version]:
    """A page of the versions of an asset. Raises NotFoundError for a name that is none."""
    if key.pop("last", False):
        return pages.versions(stores.workbench, name, limit, newer=0)
    found = pages.versions(stores.workbench, name, limit, **key)
    if not found and not key:
        assets.get(stores.workbench, name)
    return found


def version_facts(stores: Stores, name: str, version: str | None, label: str | None) -> VersionFacts:
    """A version with what belongs to it. Raises NotFoundError, with the nearest names."""
    connection = stores.workbench
    data = assets.get(connection, name, version, label)
    return VersionFacts(
        data,
        assets.labels(connection, data),
        tuple(map(str, assets.twins(connection, data))),
        uses.changed(connection, data),
        lineage(connection, data),
        pages.is_archived(connection, data.name),
    )


def turn_asset_archived(stores: Stores, name: str, *, archived: bool) -> None:
    """Hide an asset from lists, or show it and all its versions again."""
    connection = stores.workbench
    assets.archive(connection, name, None, archived=archived)
    found = pages.page(connection, DataFilter(archived=None), 1, start=name)[0]
    if not archived and found.archived:  # every version of it is hidden by itself too
        assets.archive(connection, name, found.latest.version, archived=False)


def turn_version_archived(stores: Stores, name: str, version: str, *, archived: bool) -> None:
    """Hide a version from lists, or show it again."""
    assets.archive(stores.workbench, name, version, archived=archived)


def set_label(stores: Stores, name: str, version: str, label: str) -> None:
    """Put a label on a version, taking it from any other. Raises UsageError for what can be none."""
    from store.errors import UsageError
    from store.specs.references import AssetReference
    from store.uris import take_apart

    if take_apart(f"azureml:{name}@{label}") != AssetReference(name, label=label):
        raise UsageError(f"{label!r} cannot be a label", hint="Letters, digits, -, _ and dots.")
    assets.label(stores.workbench, name, label, version)


def document_text(stores: Stores, name: str, version: str) -> str:
    """What may be changed of a version, as YAML."""
    import yaml

    data = assets.get(stores.workbench, name, version)
    told = {key: data.document.get(key) or ({} if key != "description" else "") for key in assets.CHANGEABLE}
    head = f"# {data}: the rest of a version stays as it was made\n"
    return head + yaml.safe_dump(told, allow_unicode=True, sort_keys=False)


def change(stores: Stores, name: str, version: str, file: Path) -> DataVersion:
    """Take what an editor made of ``document_text``. Raises DocumentError with the place of what is wrong."""
    from store.specs.loading import load

    data = assets.get(stores.workbench, name, version)
    kept = load("data", file, (), name=name, version=version, path=data.path, type=data.type).document()
    changed = {key: kept.get(key) or ({} if key != "description" else "") for key in assets.CHANGEABLE}
    return assets.create(stores.workbench, replace(data, document=changed))


def take_apart(text: str) -> tuple[str, str | None, str | None]:
    """Name, version and label of ``churn``, ``churn:2``, ``churn@label`` or ``azureml:churn:2``. Raises UsageError."""
    from store.errors import UsageError
    from store.specs.references import AssetReference
    from store.uris import take_apart as parts

    found = parts(text if text.startswith("azureml:") else f"azureml:{text}")
    if not isinstance(found, AssetReference):
        raise UsageError(f"{text!r} is no name of a data asset", hint="Write NAME, NAME:VERSION or NAME@LABEL.")
    return found.name, found.version, found.label


# -- datastores ---------------------------------------------------------------------------------------------------


def all_datastores(stores: Stores) -> list[Login]:
    """Every datastore: the workspace's own first, then by name."""
    return [_login(each) for each in registry.find(stores.workbench, stores.layout)]


def one_datastore(stores: Stores, name: str) -> Login:
    """A datastore. Raises NotFoundError, offering what there is."""
    return _login(registry.get(stores.workbench, stores.layout, name))


def _login(datastore: Datastore) -> Login:
    from store.datastores import credentials, filesystems
    from store.errors import WorkbenchError

    try:
        is_here = datastore.type == "local"
        where = str(datastore.document["path"]) if is_here else filesystems.address(datastore)
    except (WorkbenchError, ImportError, KeyError):  # a type without files, or a library that is not there
        where = str(datastore.document.get("database_url") or datastore.document.get("path") or "")
    return Login(datastore, credentials.label(datastore), where)


def delete_datastore(stores: Stores, name: str) -> None:
    """Remove a datastore and its secrets; what lies there stays. Raises ConflictError while watches use it."""
    from store.datastores.keeping import remove

    remove(stores.layout, stores.workbench, name)
