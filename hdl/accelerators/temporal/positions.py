"""Where the windows of a layer lie, as an operation has it."""

from typing import Any

from amaranth.lib import data

from .address import address_layout, address_value
from .program import DIGIT, LayerOperation
from .widths import COUNT_BITS, DIGITS, KERNEL_BITS, PLANE_BITS, POSITION_BITS

__all__ = ["positions_layout", "positions_value"]


def positions_layout(rows: int, banks: int, planes: int = 0) -> data.StructLayout:
    """Where the windows of a layer lie, and how often they are read.

    ``origin`` is the window of the first position, ``plane`` the distance of the second digit.
    ``next_column``, ``next_line``, ``next_pool``, ``next_row`` lead to the next position within a
    pool, within its next line, in the next pool, and in the next row of pools. With ``planes``,
    there are ``weight_planes`` of the layer.
    """
    address = address_layout(rows, banks)
    return data.StructLayout({
        "origin": address,
        "plane": address,
        "next_column": address,
        "next_line": address,
        "next_pool": address,
        "next_row": address,
        "height": COUNT_BITS,
        "width": COUNT_BITS,
        "stride": KERNEL_BITS,
        "padding": KERNEL_BITS,
        "pool": KERNEL_BITS,
        "pooled_width": COUNT_BITS,
        "positions": POSITION_BITS,
        "blocks": COUNT_BITS,
        "channel_passes": COUNT_BITS,
        "has_two_digits": 1,
        "last_plane": data.ArrayLayout(range(DIGIT), DIGITS),
        "drains_apart": 1,
        **({"weight_planes": PLANE_BITS} if planes else {}),
    })


def positions_value(operation: LayerOperation, rows: int, planes: int = 0) -> dict[str, Any]:
    """A layer, as :func:`positions_layout` has it."""
    g, source, array = operation.geometry, operation.source, operation.array
    column = g.stride * source.words
    line = g.stride * source.pitch
    back = g.pool - 1
    digit_planes = [*operation.digit_planes, 1][:DIGITS]

    def distance(number: int) -> dict[str, int]:
        return address_value(number, rows, array.slots)

    return {
        "origin": distance(source.base - g.padding * (source.pitch + source.words)),
        "plane": distance(source.plane),
        "next_column": distance(column),
        "next_line": distance(line - back * column),
        "next_pool": distance(column - back * line),
        "next_row": distance(line - (g.pooled_width * g.pool - 1) * column),
        "height": source.height,
        "width": source.width,
        "stride": g.stride,
        "padding": g.padding,
        "pool": g.pool,
        "pooled_width": g.pooled_width,
        "positions": operation.positions,
        "blocks": operation.blocks,
        "channel_passes": operation.channel_passes,
        "has_two_digits": source.digits - 1,
        "last_plane": [many - 1 for many in digit_planes],
        "drains_apart": operation.added is not None
        and operation.added.memory == operation.source.memory,
        **({"weight_planes": operation.planes} if planes else {}),
    }
