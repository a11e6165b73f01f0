"""Multiply-add of floating-point numbers, with an exact multiplier or LAM."""

from typing import Literal

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.model.reference.floating_point.float_format import FloatFormat
from kakure.model.reference.floating_point.lam import check_lam

from .float_adder import FloatAdder
from .float_multiplier import FloatMultiplier
from .lam_multiplier import LamMultiplier

__all__ = ["FloatMultiplyAdd"]

MULTIPLIERS = ("exact", "lam")


class FloatMultiplyAdd(wiring.Component):
    """a · b + c: the product is rounded to the format, or is LAM's; then the sum is rounded.

    Bit-equal to :func:`kakure.model.reference.floating_point.multiply_add.multiply_add` and
    ``lam_multiply_add``.

    Parameters
    ----------
    exponent_bits : int, 2 to 11
    fraction_bits : int, 1 to 29
    multiplier : "exact" or "lam"
    compensation, table_bits : int
        Of :class:`.LamMultiplier`; 0 for an exact multiplier.
    has_subnormals : bool
        Of the adder, and of an exact multiplier.

    Members
    -------
    a, b, c : ``In(width)``
        Factors and summand: fraction, exponent, and the sign in the last bit.
    o : ``Out(width)``
        The sum.

    Timing
    ------
    Combinational.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    a: Signal
    b: Signal
    c: Signal
    o: Signal

    def __init__(
        self,
        *,
        exponent_bits: int,
        fraction_bits: int,
        multiplier: Literal["exact", "lam"] = "exact",
        compensation: int = 0,
        table_bits: int = 0,
        has_subnormals: bool = True,
    ) -> None:
        fmt = FloatFormat(exponent_bits, fraction_bits)
        if multiplier not in MULTIPLIERS:
            raise ValueError(f"multiplier must be 'exact' or 'lam', not {multiplier!r}")
        check_lam(fmt, compensation, table_bits)
        for name, value in (("compensation", compensation), ("table_bits", table_bits)):
            if multiplier == "exact" and value:
                raise ValueError(f"{name} must be 0 for an exact multiplier, not {value!r}")
        self.exponent_bits = exponent_bits
        self.fraction_bits = fraction_bits
        self.multiplier = multiplier
        self.compensation = compensation
        self.table_bits = table_bits
        self.has_subnormals = has_subnormals
        width = fmt.width
        super().__init__({"a": In(width), "b": In(width), "c": In(width), "o": Out(width)})

    def elaborate(self, platform) -> Module:
        m = Module()
        widths = {"exponent_bits": self.exponent_bits, "fraction_bits": self.fraction_bits}
        if self.multiplier == "lam":
            product = LamMultiplier(
                **widths, compensation=self.compensation, table_bits=self.table_bits
            )
        else:
            product = FloatMultiplier(**widths, has_subnormals=self.has_subnormals)
        total = FloatAdder(**widths, has_subnormals=self.has_subnormals)
        m.submodules.product = place(product, platform)
        m.submodules.total = place(total, platform)
        m.d.comb += [
            product.a.eq(self.a),
            product.b.eq(self.b),
            total.a.eq(product.o),
            total.b.eq(self.c),
            self.o.eq(total.o),
        ]
        return m
