"""What is wrong with a configuration, in one line: field, rule, value."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from kakure.model.errors import FieldError, FieldPath, UserError
from kakure.model.shown import cut, printable, shown

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
    "union_tag_invalid": lambda limit: f"must be {limit['expected_tags'].replace(', ', ' or ')}",
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
    return tuple(
        cut(printable(part)) if isinstance(part, str) else part
        for index, part in enumerate(location)
        if not (index == 1 and location[0] == "weights")  # the discriminator is no key
    )


def explain(error: ValidationError, schemas: Mapping[str, type[BaseModel]]) -> UserError:
    """Where, rule and value of the first thing that is wrong.

    An unknown key comes before all else: it is often the reason why another one is missing.

    Parameters
    ----------
    error : ValidationError
    schemas : mapping
        From the path of an object, without list indices, to its schema; it holds the valid keys.
    """
    errors = error.errors()
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    where, kind, context = field_of(first["loc"]), first["type"], first.get("ctx", {})
    if kind == "extra_forbidden":
        return UserError(f"unknown key{_hint(first['loc'], schemas)}", where=where)
    if kind == "missing":
        return UserError("is required", where=where)
    if kind == "union_tag_not_found":
        return UserError("is required", where=(*where, "kind"))
    cause = context.get("error")
    if isinstance(cause, FieldError):
        return UserError(cause.rule, where=(*where, *cause.where))
    value = first["input"]
    if kind == "union_tag_invalid":
        where, value = (*where, "kind"), value["kind"]
    rule = RULES[kind](context) if kind in RULES else first["msg"]
    if kind == "string_too_short":
        return UserError(rule, where=where)
    return UserError(rule, where=where, value=context.get("actual_length", shown(value)))


def _hint(location: tuple[int | str, ...], schemas: Mapping[str, type[BaseModel]]) -> str:
    parent = ".".join(part for part in location[:-1] if isinstance(part, str))
    keys = list(schemas[parent].model_fields)
    near = difflib.get_close_matches(cut(str(location[-1])), keys, 1)
    return f", perhaps {near[0]!r}" if near else f", must be one of {', '.join(keys)}"
