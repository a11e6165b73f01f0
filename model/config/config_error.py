"""What is wrong with a configuration, in one line: field, rule, value."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from kakure.model.errors import FieldError, FieldPath, UserError
from kakure.model.shown import cut, printable, shown

from .kinds import Kinds

__all__ = ["explain", "field_of"]


def _number(value: float) -> str:
    return str(value).removesuffix(".0")


RULES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda limit: f"must be at least {_number(limit['ge'])}",
    "greater_than": lambda limit: f"must be above {_number(limit['gt'])}",
    "less_than_equal": lambda limit: f"must be at most {_number(limit['le'])}",
    "less_than": lambda limit: f"must be below {_number(limit['lt'])}",
    "finite_number": lambda _: "must be a finite number",
    "bool_type": lambda _: "must be true or false",
    "int_type": lambda _: "must be an integer",
    "float_type": lambda _: "must be a number",
    "string_type": lambda _: "must be a string",
    "string_unicode": lambda _: "must be text that UTF-8 can hold",
    "tuple_type": lambda _: "must be a list",
    "model_type": lambda _: "must be an object",
    "model_attributes_type": lambda _: "must be an object",
    "literal_error": lambda limit: f"must be one of {limit['expected'].replace(' or ', ', ')}",
    "rule": lambda context: context["rule"],
    "too_short": lambda limit: f"must have a length of at least {limit['min_length']}",
    "too_long": lambda limit: f"must have a length of at most {limit['max_length']}",
    "string_too_short": lambda _: "must not be empty",
    "string_pattern_mismatch": lambda _: (
        "must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit"
    ),
}
"""The rule that each kind of pydantic's errors breaks, from its context."""


def field_of(location: FieldPath) -> FieldPath:
    """The field that pydantic calls ``location``, its names as they can be printed."""
    return tuple(cut(printable(part)) if isinstance(part, str) else part for part in location)


def explain(
    error: ValidationError, schemas: Mapping[str, type[BaseModel] | Kinds], data: Any = None
) -> UserError:
    """Where, rule and value of the first thing that is wrong.

    An unknown key comes before all else: it is often the reason why another one is missing.

    Parameters
    ----------
    error : ValidationError
    schemas : mapping
        From the path of an object, without list indices, to its schema or, where it comes in
        kinds, to their table; they hold the valid keys.
    data : object of JSON
        What is wrong, whole.
    """
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    location = first["loc"]
    where, kind, context = field_of(location), first["type"], first.get("ctx", {})
    schema = schemas.get(".".join(part for part in location[:-1] if isinstance(part, str)))
    if kind == "extra_forbidden":
        assert schema is not None
        hint = _hint(str(location[-1]), schema, _at(data, location[:-1]))
        return UserError(f"unknown key{hint}", where=where)
    if kind == "missing":
        owner = _kind_that_has(str(location[-1]), schema, first["input"])
        return UserError(f"is required{owner}", where=where)
    cause = context.get("error")
    if isinstance(cause, FieldError):
        return UserError(cause.rule, where=(*where, *cause.where))
    rule = RULES[kind](context) if kind in RULES else first["msg"]
    if kind == "string_too_short":
        return UserError(rule, where=where)
    return UserError(rule, where=where, value=context.get("actual_length", shown(first["input"])))


def _kind_that_has(key: str, schema: type[BaseModel] | Kinds | None, value: Any) -> str:
    """``" with engine crossbar"``, where other kinds of the object do not have the key."""
    if not isinstance(schema, Kinds) or not schema.is_flat or not schema.is_own(key):
        return ""
    return f" with {schema.key} {value[schema.key]}"


def _at(data: Any, location: FieldPath) -> Any:
    """What lies at a place of the data."""
    for part in location:
        data = data[part]
    return data


def _hint(key: str, schema: type[BaseModel] | Kinds, value: Any) -> str:
    keys = schema.keys(value) if isinstance(schema, Kinds) else list(schema.model_fields)
    near = difflib.get_close_matches(cut(key), keys, 1)
    return f", perhaps {near[0]!r}" if near else f", must be one of {', '.join(keys)}"
