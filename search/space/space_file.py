"""A space as a file: reading it, and the JSON schema of it."""

import json
from pathlib import Path

from kakure.model.config.engines.pe_array import PeArrayConfig
from kakure.model.config.json_file import parse, read_text
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.errors import UserError

from .accelerator_space import AcceleratorSpace
from .crossbar_space import CrossbarSpace
from .effort import Effort
from .layer_space import LayerSpace
from .space import Space

__all__ = ["json_schema", "load_family", "load_space", "parse_space"]

SCHEMAS = {
    "": Space,
    "weights": WEIGHTS,
    "crossbar": CrossbarSpace,
    "accelerator": AcceleratorSpace,
    "pe_array": PeArrayConfig,
    "effort": Effort,
    "layers": LayerSpace,
}
"""The schema of every object of the file."""


def parse_space(text: str, source: str = "space") -> Space:
    """Read a space from JSON text.

    Raises
    ------
    UserError
        ``source: field: rule, not value`` for the first thing that is wrong.
    """
    return parse(text, source, Space, SCHEMAS)


def load_space(path: Path | str) -> Space:
    """Read a file that describes a space; UserError names file, field, rule and value."""
    return parse_space(read_text(path), str(path))


def load_family(path: Path | str) -> Space:
    """Read a space of one family, for what compares methods on one network's shape.

    Raises
    ------
    UserError
        As :func:`load_space`, and if pools or depth are to be chosen.
    """
    space = load_space(path)
    if len(space.families) > 1:
        raise UserError(
            "pool and repeat must leave one family here",
            where=("layers",),
            value=len(space.families),
            file=path,
        )
    return next(iter(space.families))


def json_schema() -> str:
    """JSON schema of a space, for editors."""
    return json.dumps(Space.model_json_schema(), indent=2, sort_keys=True) + "\n"
