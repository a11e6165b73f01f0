"""Fields of wide views: one as a slice of its signal, and all of them driven at once."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Shape, ShapeCastable, Value, ValueLike
from amaranth.lib import data

__all__ = ["drive", "field"]

WIDE = 1 << 14
"""Signals of more bits are driven by one statement [bit]."""


def field(view: data.View, *path: str | int) -> Any:
    """What ``view[path[0]][path[1]]…`` is, but cut from the whole at once.

    Each lookup in a view is a slice of the one before. Amaranth makes a list of the bits of every
    one of them, and keeps it: for each element of an array in a struct once more that of the array,
    which is quadratic (an array for 256 positions of 40 inputs: 13 GB).

    Raises
    ------
    KeyError
        If there is no such field.
    """
    shape: Any = view.shape()
    offset = 0
    for key in path:
        found = shape[key]
        shape = found.shape
        offset += found.offset
    bits = Value.cast(view)[offset : offset + Shape.cast(shape).width]
    if isinstance(shape, ShapeCastable):
        return shape(bits)
    return bits.as_signed() if Shape.cast(shape).signed else bits


def drive(whole: ValueLike, values: Sequence[Value]) -> list[Any]:
    """Drive a signal, cut into as many parts of equal width as there are values.

    A value may be wider than its part, not narrower. For every statement Amaranth looks at all bits
    of the signal that it drives some of, which is quadratic: where the signal is wide, there is one
    for all of it. Elsewhere each part has its own, as Verilog made so is the same from one version
    to the next, and what was synthesized of it is kept.
    """
    bits = Value.cast(whole)
    width = len(bits) // len(values)
    assert len(bits) == width * len(values) and min(map(len, values)) >= width
    if len(bits) > WIDE:
        return [bits.eq(Cat(value[:width] for value in values))]
    return [bits[n * width : (n + 1) * width].eq(value) for n, value in enumerate(values)]
