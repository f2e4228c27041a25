"""Parts that environments and data assets share."""

from typing import Annotated, Literal

from pydantic import Field

from store.specs.fields import SnakeOrCamel
from store.specs.spec import Maybe, Spec


class AutoDeleteSetting(Spec):
    """When a registered version is deleted by itself (on Azure ML)."""

    value: Maybe[str] = Field(None, description="How long a version is kept, such as 30d.")
    condition: Maybe[Annotated[Literal["created_greater_than", "last_accessed_greater_than"], SnakeOrCamel]] = Field(
        None, description="What the time is counted from: the creation or the last access."
    )
