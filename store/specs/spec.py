"""What all models of the dialect share: the base class, and parts whose model depends on the value.

Two things differ from everyday pydantic. A key may be absent but not empty (``Maybe``), as in the dialect. And a value
that may take several forms is checked against the one form that it is meant to have (``Choice``), not against all of
them in turn, so that a fault is told once and in the words of that form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError, core_schema

__all__ = ["Choice", "Late", "Maybe", "ReadOnly", "Spec", "by_type", "expected", "refusal", "snake_case"]

if TYPE_CHECKING:
    from typing import Optional as Maybe

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo

    from store.errors import Fault
    from store.specs.document import Document
else:

    class Maybe:
        """``Maybe[T]`` is T when a document is checked, where an absent key is fine and an empty one is not.

        To a type checker, and to whoever reads the attribute, it is ``T | None``.
        """

        def __class_getitem__(cls, item: Any) -> Any:
            return item


class Spec(BaseModel):
    """A document of the dialect, or a part of one: plain data that knows its fields and how to check itself."""

    model_config = ConfigDict(extra="forbid", defer_build=True, allow_inf_nan=False)

    url: ClassVar[str | None] = None
    """The name of the dialect's own JSON Schema for this kind, as in ``.../commandJob.schema.json``."""

    secret_places: ClassVar[tuple[str, ...]] = ()
    """The keys below which ``${{secrets.NAME}}`` may stand; anywhere else in the document it is a fault."""

    def document(self) -> dict[str, Any]:
        """The dialect's document of this, ready for JSON: absent keys left away, read-only ones too."""
        return self.model_dump(mode="json", exclude_none=True, by_alias=True)

    @classmethod
    def inspect(cls, document: Document) -> Iterable[Fault]:
        """The faults that concern several fields at once; asked even if single fields are wrong."""
        return ()


def refusal(message: str, hint: str | None = None) -> PydanticCustomError:
    """An error for a validator to raise; ``faults`` turns it into a fault with that hint."""
    # Pydantic fills {braces} in a message template, and our messages quote expressions: hand the text over as a value.
    context: dict[str, Any] = {"text": message, "hint": hint}
    return PydanticCustomError("refused", "{text}", context)


def expected(what: str, hint: str | None = None) -> PydanticCustomError:
    """An error for a value of the wrong kind: the fault says what was expected and what was found."""
    context: dict[str, Any] = {"what": what, "hint": hint}
    return PydanticCustomError("expected", "expected {what}", context)


ReadOnly = Annotated[
    Any, BeforeValidator(lambda value: None), Field(exclude=True, json_schema_extra={"readOnly": True})
]
"""A key that only a server sets: documents that were downloaded have it; it is accepted and dropped."""


class Choice:
    """Marks a field that has one of several models, or a value that needs no model.

    ``choose`` names the model of a mapping; ``plain`` checks what is no mapping, and returns it or raises.
    """

    def __init__(
        self,
        *models: type[Spec],
        choose: Callable[[Mapping[str, Any]], type[Spec]],
        plain: Callable[[object], Any] | None = None,
        plain_schema: Mapping[str, Any] | None = None,
    ) -> None:
        self.models, self.choose, self.plain, self.plain_schema = models, choose, plain, plain_schema

    def target(self) -> Choice:
        """The choice itself."""
        return self

    def model_for(self, value: object) -> type[Spec] | None:
        """The model that a value is checked against; None if it is no mapping."""
        return self.choose(value) if isinstance(value, Mapping) else None

    def check(self, value: object, info: ValidationInfo) -> Any:
        """Pydantic's way in."""
        if isinstance(value, Spec):
            return value
        model = self.model_for(value)
        if model is not None:
            return model.model_validate(value, context=info.context)
        if self.plain is not None:
            return self.plain(value)
        typed = isinstance(value, str) and any("type" in model.model_fields for model in self.models)
        raise expected("a mapping", f"Write it as {{type: {value}}}." if typed else None)

    def json_schemas(self, handler: GetJsonSchemaHandler) -> list[dict[str, Any]]:
        """The JSON Schemas of all forms that the value may take."""
        schemas: list[dict[str, Any]] = []
        for model in self.models:
            model.model_rebuild()
            schemas.append(handler(model.__pydantic_core_schema__))
        return [*schemas, dict(self.plain_schema)] if self.plain_schema else schemas

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schemas = self.json_schemas(handler)
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


class Late(Choice):
    """A ``Choice`` or a single model that is imported only when a document has that part, to keep loading quick.

    With ``plain`` a value that is no mapping needs no import either.
    """

    def __init__(self, module: str, name: str, plain: Callable[[object], Any] | None = None) -> None:
        self._module, self._name, self.plain = module, name, plain

    def target(self) -> Choice:
        """The choice that this stands for."""
        target = getattr(import_module(self._module), self._name)
        return target if isinstance(target, Choice) else Choice(target, choose=lambda value: target)

    def model_for(self, value: object) -> type[Spec] | None:
        """As the choice does."""
        return self.target().model_for(value)

    def check(self, value: object, info: ValidationInfo) -> Any:
        """As the choice does."""
        if self.plain is not None and not isinstance(value, Mapping | Spec):
            return self.plain(value)
        return self.target().check(value, info)

    def json_schemas(self, handler: GetJsonSchemaHandler) -> list[dict[str, Any]]:
        """As the choice does."""
        return self.target().json_schemas(handler)


def by_type(models: Mapping[str, type[Spec]]) -> Callable[[Mapping[str, Any]], type[Spec]]:
    """Choose a model by a value's ``type``: the nearest if it is none of them, else the one with most of its keys."""

    def choose(value: Mapping[str, Any]) -> type[Spec]:
        stated = value.get("type")
        if isinstance(stated, str):
            if model := models.get(snake_case(stated)) or models.get(stated.lower()):
                return model
            from store.specs.nearest import nearest

            if name := nearest(stated, models):
                return models[name]
        return max(models.values(), key=lambda model: len(value.keys() & model.model_fields.keys()))

    return choose


def snake_case(text: str) -> str:
    """``SystemAssigned`` as ``system_assigned``, and ``AMLToken`` as ``aml_token``; each part of a list with commas."""
    import re

    spaced = re.sub(r"([^,_])([A-Z][a-z]+)", r"\1_\2", text.replace(" ", ""))
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced).lower()
