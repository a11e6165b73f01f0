"""A concept that comes in kinds: the table of its schemas, looked up whenever one is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from kakure.model.errors import FieldError

from .schema import Schema

__all__ = ["Kinds"]

Kind = TypeVar("Kind", bound=Schema)


@dataclass(frozen=True)
class Kinds(Generic[Kind]):
    """The schemas of a concept by name; the object's ``key`` says which one it follows.

    As the metadata of an annotation, ``Annotated[Weights, WEIGHTS]``, it makes pydantic read an
    object as the kind that it names. The table is looked at when an object is read: what was added
    to ``table`` before counts.

    Parameters
    ----------
    key : str
        Key that names the kind.
    base : type
        What all kinds have in common; a subclass of ``Schema`` with ``key`` as a field.
    table : dict of str to type
        Subclasses of ``base`` by name.
    is_flat : bool
        Whether a key of another kind may be there as long as it says nothing (null, or its
        default), and ``key`` is one among the others rather than the first of them.
    """

    key: str
    base: type[Kind]
    table: dict[str, type[Kind]]
    is_flat: bool = False

    def named_by(self, value: Any) -> type[Kind] | None:
        """The schema of the kind that an object names; None if there is none."""
        name = value.get(self.key) if isinstance(value, Mapping) else None
        return self.table.get(name) if isinstance(name, str) else None

    def keys(self, value: Any) -> list[str]:
        """Valid keys of an object: of its kind; of all kinds if it names none."""
        kind = self.named_by(value)
        if kind is not None:
            return list(kind.model_fields)
        every = (self.base, *self.table.values())
        return list(dict.fromkeys(name for kind in every for name in kind.model_fields))

    def is_own(self, name: str) -> bool:
        """Whether some kinds have a key, and not all."""
        return name not in self.base.model_fields

    def read(self, value: Any) -> Kind:
        """An object as the kind that it names.

        Raises
        ------
        ValidationError
            For what is wrong in it, or if it names no kind.
        FieldError
            If it has a key of another kind.
        """
        if isinstance(value, self.base):
            return value
        if not isinstance(value, Mapping) or self.key not in value:
            return self.base.model_validate(self._shared(value))  # which raises
        kind = self.named_by(value)
        if kind is None:
            raise self._unknown(value[self.key])
        if not self.is_flat:
            return kind.model_validate(value)
        foreign = [name for name in value if self._is_foreign(name, kind)]
        unsaid = [
            name
            for name, field in kind.model_fields.items()
            if self.is_own(name) and field.is_required() and value.get(name, ...) is None
        ]
        left = value.keys() - {*foreign, *unsaid}
        found = kind.model_validate({name: value[name] for name in value if name in left})
        for name in foreign:
            if not self._says_nothing(name, value[name]):
                raise FieldError(name, f"must be left out with {self.key} {value[self.key]}")
        return found

    def _is_foreign(self, name: str, kind: type[Kind]) -> bool:
        return name not in kind.model_fields and any(
            name in other.model_fields for other in self.table.values()
        )

    def _says_nothing(self, name: str, value: Any) -> bool:
        fields = [kind.model_fields.get(name) for kind in self.table.values()]
        defaults = [field.default for field in fields if field and not field.is_required()]
        return value is None or any(type(value) is type(d) and value == d for d in defaults)

    def _shared(self, value: Any) -> Any:
        """What of an object is not of a kind."""
        if not isinstance(value, Mapping):
            return value
        return {name: part for name, part in value.items() if not self._is_foreign(name, self.base)}

    def _unknown(self, name: Any) -> ValidationError:
        names = [repr(known) for known in self.table]
        joined = f"one of {', '.join(names)}" if self.is_flat else " or ".join(names)
        unknown = PydanticCustomError("rule", "{rule}", {"rule": f"must be {joined}"})
        return _error(unknown, name, self.key)

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """See pydantic: how an annotated field is read."""
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """See pydantic: how an annotated field is described to editors."""
        choices = {name: kind.__pydantic_core_schema__ for name, kind in self.table.items()}
        return handler(core_schema.tagged_union_schema(choices, self.key))


def _error(kind: PydanticCustomError, value: Any, *location: str) -> ValidationError:
    detail = InitErrorDetails(type=kind, loc=location, input=value)
    return ValidationError.from_exception_data("kind", [detail])
