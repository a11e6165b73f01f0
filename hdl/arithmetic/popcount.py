"""Counting ones: a tree of full adders that stops growing at the readout's width."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .popcount_shape import PopcountShape, count_bits, halves

__all__ = ["Popcount"]


class Popcount(wiring.Component):
    """Number of ones among ``lanes`` bits, min(Σ bits, 2^cap_bits − 1).

    Combinational. Every adder of two subtrees also takes one leaf as its carry, so that 2^k − 1
    lanes need no more than one full adder a lane. An adder that would outgrow ``cap_bits`` drops
    its carry into an overflow flag, which forces the count to all ones at the root: the levels
    above ``cap_bits`` stay that narrow, and the result is that of saturating additions.

    Bit-equal to ``min(sum(bits), 2**cap_bits - 1)``, the count of
    :func:`kakure.model.reference.crossbar.adc`.

    Parameters
    ----------
    lanes : int, at least 1
        Bits to count.
    cap_bits : int, at least 1, or None
        Width at which the count saturates; None never saturates.

    Members
    -------
    i : ``In(lanes)``
        The bits.
    o : ``Out(n)``
        The count; n is ``cap_bits``, or less where ``lanes`` ones need less.

    Raises
    ------
    ValueError
        If ``lanes`` or ``cap_bits`` is below 1.
    """

    i: Signal
    o: Signal

    def __init__(self, *, lanes: int, cap_bits: int | None = None) -> None:
        if lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {lanes!r}")
        if cap_bits is not None and cap_bits < 1:
            raise ValueError(f"cap_bits must be at least 1, not {cap_bits!r}")
        self.lanes = lanes
        self.cap_bits = cap_bits
        self.shape = PopcountShape(lanes, cap_bits or 0)
        super().__init__({"i": In(lanes), "o": Out(self.shape.count_bits)})

    def elaborate(self, platform) -> Module:
        m = Module()
        count, overflows = self._count(m, list(self.i), "root")
        full = Signal()
        m.d.comb += full.eq(Cat(overflows).any())
        m.d.comb += self.o.eq(count | full.replicate(len(count)))
        return m

    def _count(self, m: Module, bits: Sequence[Value], name: str) -> tuple[Value, list[Value]]:
        """Add the tree over ``bits`` to ``m``; return its count and its overflow flags."""
        if len(bits) == 1:
            return bits[0], []
        lanes, right_lanes, has_carry = halves(len(bits))
        left, left_flags = self._count(m, bits[:lanes], f"{name}_l")
        right, right_flags = self._count(m, bits[lanes : lanes + right_lanes], f"{name}_r")
        carry = bits[-1] if has_carry else Const(0, 1)
        width = count_bits(len(bits), self.shape.cap_bits)
        total = Signal(max(len(left), len(right)) + 1, name=name)
        m.d.comb += total.eq((Cat(Const(1, 1), left) + Cat(carry, right)) >> 1)  # one adder
        return total[:width], left_flags + right_flags + list(total[width:])
