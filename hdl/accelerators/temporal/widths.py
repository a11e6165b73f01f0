"""Widths of the numbers of which an operation consists, and what its memories are made of."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data

from .program import DIGIT

__all__ = [
    "CHANNEL_BITS",
    "CODE_BITS",
    "COUNT_BITS",
    "DIGITS",
    "KERNEL_BITS",
    "MEMORY_CELLS",
    "PLANE_BITS",
    "POSITION_BITS",
    "ROW_BITS",
    "SUM_BITS",
    "TOTAL_BITS",
    "misfit",
]

DIGITS = 2
"""Digits of the widest activation."""
CODE_BITS = DIGIT * DIGITS
"""Width of the widest activation [bit]."""
CHANNEL_BITS = 13
"""Width of a number of channels [bit]."""
KERNEL_BITS = 8
"""Width of a kernel's side, which may be a whole map's, and of a place in it [bit]."""
POSITION_BITS = 24
"""Width of a number of positions [bit]."""
PLANE_BITS = 4
"""Width of a number of planes, the same on all chips that fetch operations alike [bit]."""
ROW_BITS = 24
"""Width of the number of a row of weights; of more of them a sum has more bits than there are
[bit]."""
SUM_BITS = 20
"""Width of a sum of products [bit]."""
TOTAL_BITS = 28
"""Width of a channel's sum over a map, which has 1024 x 1024 positions at most [bit]."""
COUNT_BITS = 16
"""Width of other numbers [bit]."""

MEMORY_CELLS = "lstp"
"""Of what cells its memories are: at the voltage of the gates, they leak less than others."""


def misfit(layout: data.Layout, value: Mapping[str, Any]) -> tuple[str, int, int] | None:
    """The first number that a record has no room for: its field, the largest one, and it."""
    for name, found in value.items():
        shape = layout[name].shape
        if isinstance(shape, data.StructLayout):
            inner = misfit(shape, found)
            if inner is not None:
                return inner
            continue
        numbers = found if isinstance(found, list) else [found]
        element = shape.elem_shape if isinstance(shape, data.ArrayLayout) else shape
        most = (1 << Shape.cast(element).width) - 1
        for number in numbers:
            if not 0 <= number <= most:
                return name, most, number
    return None
