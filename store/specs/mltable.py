"""The MLTable file: where a table's data lies, and what is done to it on the way to its reader."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import Field

from store.errors import Fault
from store.specs.document import Document
from store.specs.fields import Count, Integer, Natural
from store.specs.nearest import suggestion
from store.specs.spec import Choice, Maybe, ReadOnly, Spec, expected, refusal

Encoding = Literal[
    "utf8",
    "utf-8",
    "utf8 bom",
    "iso88591",
    "iso-8859-1",
    "latin1",
    "latin-1",
    "ascii",
    "utf16",
    "utf-16",
    "windows1252",
    "windows-1252",
]
JsonEncoding = Literal["utf8", "utf-8", "iso88591", "latin1", "ascii", "utf16", "utf8bom", "windows1252"]
Header = Literal["no_header", "from_first_file", "all_files_different_headers", "all_files_same_headers"]
PlainType = Literal["boolean", "float", "string", "int", "stream_info"]
_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_PATH_COLUMN = "Whether a column `Path` says which file a row comes from."


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return list(value)
    raise expected("a text or a list of texts")


class ColumnPattern(Spec):
    """Columns by a regular expression, which is looked for anywhere in the name."""

    pattern: str = Field(description="The regular expression.")
    ignore_case: bool = Field(False, description="Accepted; Azure ML's own reader takes no notice of it.")
    invert: bool = Field(False, description="Whether the columns that do not match are meant.")


class BooleanType(Spec):
    """Texts that are taken as true and as false."""

    true_values: Maybe[list[str]] = Field(None, description="What is true; together with false_values.")
    false_values: Maybe[list[str]] = Field(None, description="What is false; together with true_values.")
    mismatch_as: Literal["false", "true", "error"] = Field("error", description="What anything else becomes.")


class DatetimeType(Spec):
    """Texts that are taken as moments."""

    formats: Annotated[Any, Choice(choose=lambda value: DatetimeType, plain=_texts, plain_schema=_TEXTS)] = Field(
        description="Formats in the signs of strptime, such as '%Y-%m-%d'; the first that fits counts."
    )
    date_constant: Maybe[str] = Field(None, description="The date of formats that have a time alone.")


class StreamInfoType(Spec):
    """Texts that are taken as addresses of files."""

    subscription: Maybe[str] = Field(None, description="The subscription (on Azure ML).")
    resource_group: Maybe[str] = Field(None, description="The resource group (on Azure ML).")
    workspace_name: Maybe[str] = Field(None, description="The workspace (on Azure ML).")
    escaped: Maybe[bool] = Field(None, description="Whether the addresses are escaped.")


class ColumnTypeChoice(Spec):
    """A type that has settings; exactly one of these."""

    boolean: Maybe[BooleanType] = Field(None, description="True or false, by texts of your own.")
    datetime: Maybe[DatetimeType] = Field(None, description="A moment, by formats.")
    stream_info: Maybe[StreamInfoType] = Field(None, description="The address of a file.")


def _plain_type(value: object) -> str:
    if isinstance(value, str) and value in get_args(PlainType):
        return value
    hint = suggestion(str(value), [*get_args(PlainType), "datetime: {formats: [...]}", "boolean: {...}"])
    raise refusal(f"{value!r} is no type of a column", hint)


if TYPE_CHECKING:
    ColumnType = str | ColumnTypeChoice
    Columns = list[str] | ColumnPattern
else:
    ColumnType = Annotated[
        Any,
        Choice(
            ColumnTypeChoice,
            choose=lambda value: ColumnTypeChoice,
            plain=_plain_type,
            plain_schema={"enum": list(get_args(PlainType))},
        ),
    ]
    Columns = Annotated[
        Any, Choice(ColumnPattern, choose=lambda value: ColumnPattern, plain=_texts, plain_schema=_TEXTS)
    ]


class Conversion(Spec):
    """Columns and the type that they get."""

    columns: Columns = Field(description="A column, a list of columns, or {pattern: ...}.")
    column_type: ColumnType = Field(description="boolean, float, string, int, stream_info, or one with settings.")


class InferColumnTypes(Spec):
    """How the types of columns are found."""

    sample_size: Count = Field(100, description="How many rows are looked at.")
    column_type_overrides: Maybe[list[Conversion]] = Field(None, description="Columns whose types are given.")


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise expected("true, false, or a mapping with sample_size and column_type_overrides")


if TYPE_CHECKING:
    Inference = bool | InferColumnTypes
else:
    Inference = Annotated[
        Any,
        Choice(
            InferColumnTypes,
            choose=lambda value: InferColumnTypes,
            plain=_switch,
            plain_schema={"type": "boolean"},
        ),
    ]


class ReadDelimited(Spec):
    """Reads text with a column after each delimiter: CSV, TSV."""

    delimiter: str = Field(",", description="The sign between columns.")
    header: Header = Field("all_files_same_headers", description="Which files begin with a line of names.")
    support_multi_line: bool = Field(False, description="Whether a quoted value may hold line breaks.")
    empty_as_string: bool = Field(False, description="Whether an empty value is a text rather than missing.")
    encoding: Encoding = Field("utf8", description="The encoding of the files.")
    include_path_column: bool = Field(False, description=_PATH_COLUMN)
    infer_column_types: Inference = Field(True, description="Whether types are found by looking at some rows.")
    path_column: Maybe[str] = Field(None, description="The column that holds the files; always `Path` here.")
    partition_size: Maybe[Integer] = Field(None, description="Accepted; blocks are of a fixed size here.")


class ReadParquet(Spec):
    """Reads Parquet files."""

    include_path_column: bool = Field(False, description=_PATH_COLUMN)
    path_column: Maybe[str] = Field(None, description="The column that holds the files; always `Path` here.")


class ReadJsonLines(Spec):
    """Reads text with a JSON object in each line."""

    invalid_lines: Literal["error", "drop"] = Field("error", description="What is done with a line that is no object.")
    encoding: JsonEncoding = Field("utf8", description="The encoding of the files.")
    include_path_column: bool = Field(False, description=_PATH_COLUMN)
    path_column: Maybe[str] = Field(None, description="The column that holds the files; always `Path` here.")
    partition_size: Maybe[Integer] = Field(None, description="Accepted; blocks are of a fixed size here.")


class ReadDeltaLake(Spec):
    """Reads a Delta table."""

    version_as_of: Maybe[Natural] = Field(None, description="The version of the table.")
    timestamp_as_of: Maybe[str] = Field(None, description="The moment at which the table is read, in RFC 3339.")
    include_path_column: bool = Field(False, description=_PATH_COLUMN)


class PartitionFormat(Spec):
    """Makes columns of parts of the files' paths."""

    partition_format: Maybe[str] = Field(None, description="The end of a path, such as '{Store}/{dt:yyyy/MM}/{f}.csv'.")


class SamplerArguments(Spec):
    """How rows are drawn."""

    seed: Maybe[Integer] = Field(None, description="The seed: the same rows for the same one.")
    probability: Maybe[Annotated[float, Field(ge=0, le=1)]] = Field(None, description="The share of rows, 0 to 1.")
    probability_lower_bound: Maybe[Annotated[float, Field(ge=0, le=1)]] = Field(
        None, description="Rows whose number lies between this and probability are drawn."
    )


class Sample(Spec):
    """Draws rows at random."""

    sampler: Literal["randomPercent", "random_percent"] = Field("random_percent", description="How rows are drawn.")
    sampler_arguments: Maybe[SamplerArguments] = Field(None, description="Its settings.")


class TakeRandomSample(Spec):
    """Draws rows at random."""

    probability: Annotated[float, Field(ge=0, le=1)] = Field(description="The share of rows, from 0 to 1.")
    seed: Maybe[Integer] = Field(None, description="The seed: the same rows for the same one.")


class Transformation(Spec):
    """One step on the way from files to a table; exactly one of these."""

    read_delimited: Maybe[ReadDelimited] = Field(None, description="Read CSV and the like.")
    read_parquet: Maybe[ReadParquet] = Field(None, description="Read Parquet.")
    read_json_lines: Maybe[ReadJsonLines] = Field(None, description="Read JSON lines.")
    read_delta_lake: Maybe[ReadDeltaLake] = Field(None, description="Read a Delta table.")
    extract_columns_from_partition_format: Maybe[PartitionFormat] = Field(
        None, description="Make columns of parts of the files' paths."
    )
    select_partitions: Maybe[list[Natural]] = Field(None, description="Keep files by their numbers, from 0.")
    sample: Maybe[Sample] = Field(None, description="Draw rows at random.")
    filter: Maybe[str] = Field(None, description="Keep the rows that fulfil a condition such as \"col('a') > 1\".")
    take: Maybe[Natural] = Field(None, description="Keep the first rows.")
    take_random_sample: Maybe[TakeRandomSample] = Field(None, description="Draw rows at random.")
    skip: Maybe[Natural] = Field(None, description="Leave the first rows away.")
    drop_columns: Maybe[Columns] = Field(None, description="Leave columns away.")
    keep_columns: Maybe[Columns] = Field(None, description="Keep columns; they stay in the order of the file.")
    convert_column_types: Maybe[list[Conversion]] = Field(None, description="Give columns other types.")

    @property
    def name(self) -> str:
        """Which transformation it is."""
        return next(iter(self.model_fields_set))


BARE = (
    "read_delimited",
    "read_parquet",
    "read_json_lines",
    "read_delta_lake",
    "extract_columns_from_partition_format",
)
"""Transformations that may be written without settings."""
READERS = BARE[:4]


def _bare(value: object) -> Transformation:
    if isinstance(value, str) and value in BARE:
        return Transformation.model_validate({value: {}})
    if isinstance(value, str) and value in Transformation.model_fields:
        raise refusal(f"{value!r} needs a value", f"Write it as `{value}: ...`.")
    if isinstance(value, str):
        supported = list(Transformation.model_fields)
        raise refusal(f"there is no transformation {value!r}", suggestion(value, supported, introduction="Supported"))
    raise expected("a transformation", f"Supported: {', '.join(Transformation.model_fields)}")


class PathEntry(Spec):
    """Where files are; exactly one of these."""

    file: Maybe[str] = Field(None, description="A file.")
    folder: Maybe[str] = Field(None, description="A folder, with all folders in it.")
    pattern: Maybe[str] = Field(None, description="A pattern: `*` within a name, `**` across folders.")


class Traits(Spec):
    """What columns mean."""

    timestamp_column: Maybe[str] = Field(None, description="The column that says when.")
    index_columns: Maybe[list[str]] = Field(None, description="The columns that tell rows apart.")


class HandlerArguments(Spec):
    """Where a query is sent."""

    datastore_name: str = Field(description="The datastore, of type sql.")
    resource_group: Maybe[str] = Field(None, description="The resource group (on Azure ML).")
    subscription: Maybe[str] = Field(None, description="The subscription (on Azure ML).")
    workspace_name: Maybe[str] = Field(None, description="The workspace, beside the other two.")


class QuerySource(Spec):
    """A query instead of files."""

    handler: str = Field(description="What runs the query; any word.")
    handler_arguments: HandlerArguments = Field(description="Where it is sent.")
    query: str = Field(description="The query, or the name of a table.")


class MLTable(Spec):
    """A table: where its data lies, and what is done to it on the way to its reader."""

    url = "MLTable"

    schema_address: ReadOnly = Field(None, alias="$schema", description="The schema that an editor checks against.")
    type: Literal["mltable"] = Field("mltable", description="Says that it is a table.")
    metadata: Maybe[dict[str, Any]] = Field(None, description="Anything else that is to be known.")
    paths: Maybe[list[PathEntry]] = Field(None, description="Where files are, relative to the folder of this file.")
    query_source: Maybe[QuerySource] = Field(None, description="A query instead of paths.")
    traits: Maybe[Traits] = Field(None, description="What columns mean.")
    transformations: Maybe[
        list[
            Annotated[
                Any,
                Choice(
                    Transformation,
                    choose=lambda value: Transformation,
                    plain=_bare,
                    plain_schema={"enum": list(BARE)},
                ),
            ]
        ]
    ] = Field(None, description="What is done, in this order.")

    @classmethod
    def inspect(cls, document: Document) -> Iterable[Fault]:
        data = document.data
        if ("paths" in data) == ("query_source" in data):
            both = "both `paths` and `query_source`" if "paths" in data else "neither `paths` nor `query_source`"
            yield document.fault((), f"the table has {both}", "It needs exactly one of them.")
        if data.get("paths") == []:
            yield document.fault(("paths",), "the list is empty", "Name a file, a folder or a pattern.")
        yield from _single(document, "paths", list(PathEntry.model_fields))
        yield from _single(document, "transformations", list(Transformation.model_fields))
        yield from _readers(document)
        yield from _filters(document)
        yield from _types(document)


def _items(document: Document, key: str) -> list[Any]:
    value = document.data.get(key)
    return value if isinstance(value, list) else []


def _single(document: Document, key: str, allowed: list[str]) -> Iterable[Fault]:
    """Each item of a list is a mapping with one key."""
    for index, item in enumerate(_items(document, key)):
        known = [each for each in item if each in allowed] if isinstance(item, Mapping) else []
        if isinstance(item, Mapping) and not item:
            yield document.fault((key, index), "the mapping is empty", f"It has one of {', '.join(allowed)}.")
        for extra in known[1:]:
            hint = "Each stands in an item of the list of its own: begin this one with `- `."
            yield document.fault((key, index, extra), f"{known[0]!r} and {extra!r} in one item", hint, at_key=True)


def _readers(document: Document) -> Iterable[Fault]:
    """A table is read once."""
    first: str | None = None
    for index, item in enumerate(_items(document, "transformations")):
        name = item if isinstance(item, str) else next(iter(item), None) if isinstance(item, Mapping) else None
        if name not in READERS:
            continue
        if first is not None:
            path = ("transformations", index)
            yield document.fault(path, f"{name!r} after {first!r}: a table has one reader", "Leave one of them away.")
        first = first or name


def _filters(document: Document) -> Iterable[Fault]:
    """A condition can be read; whether the table has its columns is known with the table."""
    from store.tabular.filter_syntax import FilterError, parse

    for index, item in enumerate(_items(document, "transformations")):
        text = item.get("filter") if isinstance(item, Mapping) else None
        if not isinstance(text, str):
            continue
        try:
            parse(text)
        except FilterError as error:
            place = f"column {error.column} of the condition {text!r}"
            yield document.fault(("transformations", index, "filter"), f"{error.why}: {place}", error.hint)


def _types(document: Document) -> Iterable[Fault]:
    """A type with settings is one type, and its true and false values go together."""
    for path, value in _mappings(document.data, ()):
        if path[-1] == "column_type" and len(value) != 1:
            yield document.fault(path, "expected exactly one of boolean, datetime, stream_info")
        if path[-2:] == ("column_type", "boolean") and ("true_values" in value) != ("false_values" in value):
            yield document.fault(path, "true_values and false_values go together", "Give both, or neither.")


def _mappings(value: Any, path: tuple[str | int, ...]) -> Iterable[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    if isinstance(value, Mapping) and path:
        yield path, value
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from _mappings(item, (*path, key))
