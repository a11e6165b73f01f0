"""What units of two floating-point numbers have in common."""

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.model.reference.floating_point.float_format import FloatFormat

__all__ = ["FloatUnit"]


class FloatUnit(wiring.Component):
    """Two numbers of a format in, one out.

    Parameters
    ----------
    exponent_bits : int, 2 to 11
    fraction_bits : int, 1 to 29

    Members
    -------
    a, b : ``In(width)``
        Operands: fraction, exponent, and the sign in the last bit.
    o : ``Out(width)``
        The result.

    Timing
    ------
    Combinational.

    Raises
    ------
    ValueError
        If a width is out of range.
    """

    a: Signal
    b: Signal
    o: Signal

    def __init__(self, *, exponent_bits: int, fraction_bits: int) -> None:
        self.fmt = FloatFormat(exponent_bits, fraction_bits)
        self.exponent_bits = exponent_bits
        self.fraction_bits = fraction_bits
        width = self.fmt.width
        super().__init__({"a": In(width), "b": In(width), "o": Out(width)})
