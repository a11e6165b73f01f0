"""Reading a JSON file of the user into a schema: one line about the first thing that is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kakure.model.errors import FieldPath, UserError
from kakure.model.files.regular_file import read_regular
from kakure.model.shown import cut, printable, shown

from .config_error import explain, field_of
from .kinds import Kinds

__all__ = ["LARGEST", "parse", "read_text"]

LARGEST = 4_000_000
"""Largest JSON file of a user [byte]; the largest that makes sense are a hundred times smaller."""

MOST_ITEMS = 4096
"""Of a list: a mistake in each of a million would take a minute to find."""

Model = TypeVar("Model", bound=BaseModel)


def parse(
    text: str, source: str, model: type[Model], schemas: Mapping[str, type[BaseModel] | Kinds]
) -> Model:
    """Validate JSON text; ``schemas`` are those of every object in it, by path, for hints.

    Raises
    ------
    UserError
        ``source: field: rule, not value`` for the first thing that is wrong.
    """
    try:
        data = json.loads(text, object_pairs_hook=_without_repeats)
    except ValueError as error:
        raise UserError(f"not valid JSON: {cut(printable(str(error)), 160)}", file=source) from None
    except RecursionError:
        raise UserError("not valid JSON: nested too deeply", file=source) from None
    if not isinstance(data, dict):
        raise UserError("must hold one JSON object", value=type(data).__name__, file=source)
    data.pop("$schema", None)
    _check_lengths(data, model, source)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise explain(error, schemas, data).of(source) from None


def _check_lengths(data: dict[str, Any], model: type[BaseModel], source: str) -> None:
    """Refuse a list that is longer than its field or ``MOST_ITEMS`` allows, before it is read."""
    waiting: list[tuple[FieldPath, Any]] = [((), data)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*where, key), part) for key, part in value.items()]
        elif isinstance(value, list):
            field = model.model_fields.get(str(where[0])) if len(where) == 1 else None
            limits = field.metadata if field is not None else []
            most = next((n.max_length for n in limits if hasattr(n, "max_length")), MOST_ITEMS)
            if len(value) > most:
                raise UserError(
                    f"must have a length of at most {most}",
                    where=field_of(where),
                    value=len(value),
                    file=source,
                )
            waiting += [((*where, index), part) for index, part in enumerate(value)]


def read_text(path: Path | str) -> str:
    """Text of an ordinary file of at most ``LARGEST`` bytes.

    Raises
    ------
    UserError
        If it cannot be read: the line names the file and the reason.
    """
    try:
        return read_regular(path, LARGEST).decode()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise UserError("cannot be read: is not UTF-8 text", file=path) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"key {shown(key)} appears twice")
        values[key] = value
    return values
