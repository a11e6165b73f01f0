"""Reading a JSON file of the user into a schema: one line about the first thing that is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kakure.model.errors import UserError
from kakure.model.files.regular_file import read_regular
from kakure.model.shown import cut, printable, shown

from .config_error import explain
from .kinds import Kinds

__all__ = ["LARGEST", "parse", "read_text"]

LARGEST = 4_000_000
"""Largest JSON file of a user [byte]; the largest that makes sense are a hundred times smaller."""

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
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise explain(error, schemas, data).of(source) from None


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
    except ValueError:
        raise UserError("cannot be read: is not UTF-8 text", file=path) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"key {shown(key)} appears twice")
        values[key] = value
    return values
