"""What every object of a user's JSON file has in common."""

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["KindName", "Schema"]

if TYPE_CHECKING:
    KindName = Any
else:
    KindName = str
"""Name of a kind, which the schema of each kind narrows to one."""


class Schema(BaseModel):
    """Frozen; unknown keys are refused; numbers are never coerced from text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )

    def changed(self, **values: Any) -> Self:
        """The same with other values, checked anew.

        pydantic's ``model_copy`` checks nothing, and keeps what was cached of the old values.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate(fields | values)
