"""``--with NAME=VALUE``: a value of the recipe that the command line replaces."""

import dataclasses
import difflib
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kakure.model.config.config_error import RULES
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.shown import cut, printable, shown

__all__ = ["changed"]

NAMES = tuple(field.name for field in dataclasses.fields(Recipe))

TEXT_RULES = {
    "int_parsing": "must be an integer",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
}
"""Rules that only text can break."""


def changed(recipe: Recipe, given: list[str]) -> Recipe:
    """A recipe with other values.

    Parameters
    ----------
    given : list of str
        ``NAME=VALUE``, NAME an attribute of :class:`kakure.model.datasets.recipe.Recipe`; ``none``
        where it may be left open. Of several values for a name the last counts.

    Raises
    ------
    UserError
        If there is no such name, or the value is none of it.
    """
    values: dict[str, Any] = {}
    for text in given:
        name, is_assigned, value = text.partition("=")
        if not is_assigned:
            raise UserError("must be NAME=VALUE", where=("--with",), value=shown(text))
        if name not in NAMES:
            near = difflib.get_close_matches(cut(name), NAMES, 1)
            hint = f"perhaps {near[0]!r}" if near else f"must be one of {', '.join(NAMES)}"
            raise UserError(f"unknown name {printable(shown(name))}, {hint}", where=("--with",))
        values[name] = None if value == "none" else value
    try:
        return TypeAdapter(Recipe).validate_python(dataclasses.asdict(recipe) | values)
    except ValidationError as error:
        first = error.errors()[0]
        name, context = str(first["loc"][0]), first.get("ctx", {})
        rule = TEXT_RULES.get(first["type"])
        if rule is None:
            rule = RULES[first["type"]](context) if first["type"] in RULES else first["msg"]
        raise UserError(
            rule, where=(f"--with {name}",), value=shown(values[name] or "none")
        ) from None
