"""What is wrong with a configuration, in one line: field, rule, value."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from kakure.model.shown import cut, printable, shown

from .kinds import Kinds

__all__ = ["explain", "field_path"]


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
    "unknown_kind": lambda context: context["rule"],
    "too_short": lambda limit: f"must have a length of at least {limit['min_length']}",
    "too_long": lambda limit: f"must have a length of at most {limit['max_length']}",
    "string_too_short": lambda _: "must not be empty",
    "string_pattern_mismatch": lambda _: (
        "must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit"
    ),
}
"""The rule that each kind of pydantic's errors breaks, from its context."""


def field_path(location: tuple[int | str, ...]) -> str:
    """``("layers", 0, "kernel")`` as a person writes it: ``layers[0].kernel``."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            part = cut(printable(part))
            path += f".{part}" if path else part
    return path


def explain(
    error: ValidationError, schemas: Mapping[str, type[BaseModel] | Kinds], data: Any = None
) -> str:
    """``field: rule, not value`` for the first thing that is wrong.

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
    path, kind, context = field_path(location), first["type"], first.get("ctx", {})
    schema = schemas.get(".".join(part for part in location[:-1] if isinstance(part, str)))
    if kind == "extra_forbidden":
        assert schema is not None
        return f"{path}: unknown key{_hint(str(location[-1]), schema, _at(data, location[:-1]))}"
    if kind == "missing":
        return f"{path}: is required{_kind_that_has(str(location[-1]), schema, first['input'])}"
    if kind == "value_error":
        field, _, rule = first["msg"].removeprefix("Value error, ").partition(" ")
        return f"{path}.{field}: {rule}" if path else f"{field}: {rule}"
    rule = RULES[kind](context) if kind in RULES else first["msg"]
    if kind == "string_too_short":
        return f"{path}: {rule}"
    return f"{path}: {rule}, not {context.get('actual_length', shown(first['input']))}"


def _kind_that_has(key: str, schema: type[BaseModel] | Kinds | None, value: Any) -> str:
    """``" with engine crossbar"``, where other kinds of the object do not have the key."""
    if not isinstance(schema, Kinds) or not schema.is_flat or not schema.is_own(key):
        return ""
    return f" with {schema.key} {value[schema.key]}"


def _at(data: Any, location: tuple[int | str, ...]) -> Any:
    """What lies at a place of the data."""
    for part in location:
        data = data[part]
    return data


def _hint(key: str, schema: type[BaseModel] | Kinds, value: Any) -> str:
    keys = schema.keys(value) if isinstance(schema, Kinds) else list(schema.model_fields)
    near = difflib.get_close_matches(cut(key), keys, 1)
    return f", perhaps {near[0]!r}" if near else f", must be one of {', '.join(keys)}"
