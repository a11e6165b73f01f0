"""Shapes of what goes into a requantizer, and of what comes out."""

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import data

from .requantizer_shape import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS

__all__ = ["output_shape", "scales_layout", "vector_layout"]


def scales_layout(count: int, index: str, sets: int = 1) -> data.StructLayout:
    """The write port of ``count`` sets of M, B and S, ``index`` says which.

    Where each has several ``sets``, ``set`` says which of those.
    """
    return data.StructLayout({
        "valid": 1,
        **({"set": range(sets)} if sets > 1 else {}),
        index: range(max(count, 2)),  # Verilog has no port of width 0
        "multiplier": signed(MULTIPLIER_BITS),
        "offset": signed(OFFSET_BITS),
        "shift": unsigned(SHIFT_BITS),
    })


def output_shape(output_bits: int | None) -> Shape:
    """Shape of a result: an activation, or a logit where ``output_bits`` is None."""
    return signed(OFFSET_BITS) if output_bits is None else unsigned(output_bits)


def vector_layout(peak: int, channels: int, shortcut_bits: int) -> data.Layout:
    """Shape of a vector to requantize: the sums, and beside them what a shortcut brings."""
    sums = data.ArrayLayout(Shape.cast(range(-peak, peak + 1)), channels)
    if not shortcut_bits:
        return sums
    added = data.ArrayLayout(unsigned(shortcut_bits), channels)
    return data.StructLayout({"sums": sums, "shortcut": added})
