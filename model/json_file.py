"""Reading a JSON file of the user into a schema: one line about the first thing that is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .config_error import explain
from .errors import UserError

__all__ = ["parse", "read_text"]

Model = TypeVar("Model", bound=BaseModel)


def parse(
    text: str, source: str, model: type[Model], schemas: Mapping[str, type[BaseModel]]
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
        raise UserError(f"{source}: not valid JSON: {error}") from None
    except RecursionError:
        raise UserError(f"{source}: not valid JSON: nested too deeply") from None
    if not isinstance(data, dict):
        raise UserError(f"{source}: must hold one JSON object, not {type(data).__name__}")
    data.pop("$schema", None)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{source}: {explain(error, schemas)}") from None


def read_text(path: Path | str) -> str:
    """Text of a file; UserError names the file and the reason if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise UserError(f"{path}: cannot be read: {reason}") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"key {key!r} appears twice")
    return dict(pairs)
