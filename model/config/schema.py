"""What every object of a user's JSON file has in common."""

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["KindName", "Schema", "without_default"]

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


def without_default(model: Schema, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """What is written of an object, without a field that came later where it says nothing.

    So digests, which are of what is written, are those from before it came.
    """
    if getattr(model, name) == type(model).model_fields[name].default:
        values.pop(name, None)
    return values
