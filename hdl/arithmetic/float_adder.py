"""Exact adder of floating-point numbers, rounded to the nearest, ties to even."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed

from kakure.model.reference.floating_point.exact import EXTRA_BITS

from .float_operand import FloatOperand, float_result
from .float_unit import FloatUnit
from .leading_zeros import leading_zeros

__all__ = ["FloatAdder"]


class FloatAdder(FloatUnit):
    """a + b, as IEEE 754 has it, but that there is one NaN and no exceptions.

    One path: the smaller summand is shifted right, three bits below the larger one's last are kept,
    the last of them for all below; the sum is shifted left to its leading one, and rounded.

    Bit-equal to :func:`kakure.model.reference.floating_point.exact.add`.

    Parameters
    ----------
    exponent_bits, fraction_bits : int
        Of the format; ports and timing are those of :class:`.FloatUnit`.
    has_subnormals : bool
        Else subnormal summands and sums are zeros of their sign.

    Source
    ------
    IEEE 754-2019. The three bits are those of every textbook.
    """

    def __init__(
        self, *, exponent_bits: int, fraction_bits: int, has_subnormals: bool = True
    ) -> None:
        super().__init__(exponent_bits=exponent_bits, fraction_bits=fraction_bits)
        self.has_subnormals = has_subnormals

    def elaborate(self, platform) -> Module:
        m = Module()
        fmt, n = self.fmt, self.fraction_bits
        is_less = Signal()
        larger, smaller = Signal(fmt.width), Signal(fmt.width)
        m.d.comb += [
            is_less.eq(self.a[:-1] < self.b[:-1]),
            larger.eq(Mux(is_less, self.b, self.a)),
            smaller.eq(Mux(is_less, self.a, self.b)),
        ]
        big = FloatOperand(fmt, larger, has_subnormals=self.has_subnormals)
        small = FloatOperand(fmt, smaller, has_subnormals=self.has_subnormals)
        is_difference = big.sign ^ small.sign

        total = self._total(m, big, small, is_difference)
        is_zero = ~total.any()

        zeros = leading_zeros(m, total, "sum")
        exponent = Signal(signed(fmt.exponent_bits + 2))
        m.d.comb += exponent.eq(big.true_exponent - zeros)  # field, less the hidden one
        is_small = exponent < 0
        shift = Signal.like(zeros)
        if self.has_subnormals:
            m.d.comb += shift.eq(Mux(is_small, big.true_exponent[: len(shift)], zeros))
        else:
            m.d.comb += shift.eq(zeros)
        aligned = Signal(len(total))
        m.d.comb += aligned.eq(total << shift)

        cut = EXTRA_BITS + 1
        kept, half, rest = aligned[cut:], aligned[cut - 1], aligned[: cut - 1]
        magnitude = Signal(fmt.exponent_bits + n + 1)
        is_up = half & (rest.any() | kept[0])
        below = exponent[: fmt.exponent_bits]
        if self.has_subnormals:
            below = Mux(is_small, 0, below)
        m.d.comb += magnitude.eq((below << n) + kept + is_up)

        is_flushed = is_zero if self.has_subnormals else is_zero | is_small  # small is exact
        m.d.comb += self.o.eq(
            float_result(
                fmt,
                big.sign & ~(is_zero & is_difference),
                Mux(is_flushed, 0, magnitude[: fmt.width - 1]),
                is_infinite=big.is_infinite | (~is_flushed & (magnitude >= fmt.infinity)),
                is_nan=big.is_nan | (big.is_infinite & small.is_infinite & is_difference),
            )
        )
        return m

    def _total(self, m: Module, big: FloatOperand, small: FloatOperand, is_difference) -> Signal:
        """Sum or difference of the significands, one bit for the carry above."""
        n = self.fraction_bits
        most = n + EXTRA_BITS + 1
        distance = Signal(self.exponent_bits)
        m.d.comb += distance.eq(big.true_exponent - small.true_exponent)
        shift = Signal(range(most + 1))
        m.d.comb += shift.eq(Mux(distance > most, most, distance))
        far = Signal(2 * most)
        m.d.comb += far.eq(Cat(Const(0, most + EXTRA_BITS), small.significand) >> shift)
        moved = Cat(far[: most + 1].any(), far[most + 1 :])
        total = Signal(n + EXTRA_BITS + 2)
        big_one = Cat(Const(0, EXTRA_BITS), big.significand)
        m.d.comb += total.eq(Mux(is_difference, big_one - moved, big_one + moved))
        return total
