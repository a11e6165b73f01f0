"""Maps that are walked over position by position."""

from typing import Any

from amaranth.lib import data

from .address import address_layout, address_value
from .program import Map

__all__ = ["walk_layout", "walk_value"]


def walk_layout(rows: int, banks: int) -> data.StructLayout:
    """A map, position by position: where it begins, and what leads on."""
    address = address_layout(rows, banks)
    return data.StructLayout({
        "origin": address,
        "next_position": address,
        "next_row": address,
        "plane": address,
        "has_two_digits": 1,
    })


def walk_value(found: Map | None, rows: int, banks: int) -> dict[str, Any]:
    """A map, as :func:`walk_layout` has it; nothing without one."""
    if found is None:
        zero = address_value(0, rows, banks)
        names = "origin", "next_position", "next_row", "plane"
        return dict.fromkeys(names, zero) | {"has_two_digits": 0}
    on = found.pitch - (found.width - 1) * found.words
    return {
        "origin": address_value(found.base, rows, banks),
        "next_position": address_value(found.words, rows, banks),
        "next_row": address_value(on, rows, banks),
        "plane": address_value(found.plane, rows, banks),
        "has_two_digits": found.digits - 1,
    }
