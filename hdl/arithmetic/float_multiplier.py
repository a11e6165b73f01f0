"""Exact multiplier of floating-point numbers, rounded to the nearest, ties to even."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from .float_operand import FloatOperand, float_result
from .float_unit import FloatUnit
from .leading_zeros import leading_zeros

__all__ = ["FloatMultiplier"]


class FloatMultiplier(FloatUnit):
    """a · b, as IEEE 754 has it, but that there is one NaN and no exceptions.

    Bit-equal to :func:`kakure.model.reference.floating_point.exact.multiply`.

    Parameters
    ----------
    exponent_bits, fraction_bits : int
        Of the format; ports and timing are those of :class:`.FloatUnit`.
    has_subnormals : bool
        Else subnormal factors are zeros, and so is a product that, rounded, is less than the least
        normal number; which saves the shifters.

    Source
    ------
    IEEE 754-2019. One rounding for normal and subnormal numbers, in the code: Hauser, HardFloat.
    """

    def __init__(
        self, *, exponent_bits: int, fraction_bits: int, has_subnormals: bool = True
    ) -> None:
        super().__init__(exponent_bits=exponent_bits, fraction_bits=fraction_bits)
        self.has_subnormals = has_subnormals

    def elaborate(self, platform) -> Module:
        m = Module()
        fmt, n = self.fmt, self.fraction_bits
        a = FloatOperand(fmt, self.a, has_subnormals=self.has_subnormals)
        b = FloatOperand(fmt, self.b, has_subnormals=self.has_subnormals)

        product = Signal(2 * n + 2)  # of significands; its leading one stands for 2
        exponent = Signal(signed(fmt.exponent_bits + 2))
        m.d.comb += [
            product.eq(a.significand * b.significand),
            exponent.eq(a.true_exponent + b.true_exponent - fmt.bias),
        ]
        aligned = Signal(2 * n + 3)  # the hidden one, fraction, what is rounded off
        below = Signal(signed(fmt.exponent_bits + 2))  # exponent field, less the hidden one
        align = self._align_all if self.has_subnormals else self._align_normal
        m.d.comb += Cat(aligned, below).eq(align(m, product, exponent))

        kept, half, rest = aligned[n + 2 :], aligned[n + 1], aligned[: n + 1]
        magnitude = Signal(signed(fmt.exponent_bits + n + 3))
        is_up = half & (rest.any() | kept[0])
        m.d.comb += magnitude.eq((below << n) + kept + is_up)

        is_infinite = a.is_infinite | b.is_infinite
        is_zero = a.is_zero | b.is_zero
        if not self.has_subnormals:
            is_zero |= magnitude < fmt.hidden
        m.d.comb += self.o.eq(
            float_result(
                fmt,
                a.sign ^ b.sign,
                Mux(is_zero, 0, magnitude[: fmt.width - 1]),
                is_infinite=is_infinite | (~is_zero & (magnitude >= fmt.infinity)),
                is_nan=a.is_nan | b.is_nan | (is_infinite & (a.is_zero | b.is_zero)),
            )
        )
        return m

    def _align_normal(self, m: Module, product: Signal, exponent: Signal) -> Value:
        """The product of two significands is at least 1: one step of one bit."""
        below = Signal.like(exponent)
        has_two = product[-1]
        m.d.comb += below.eq(exponent - 1 + has_two)
        return Cat(0, Mux(has_two, product, product << 1)[: len(product)], below)

    def _align_all(self, m: Module, product: Signal, exponent: Signal) -> Value:
        """Left until the leading one, or exponent 1, is reached; right if that lies below."""
        zeros = leading_zeros(m, product, "product")
        most = len(product) + 1
        left, right = Signal(range(len(product) + 1)), Signal(range(most + 1))
        is_right = exponent < 0
        is_short = exponent < zeros  # the exponent ends before the zeros do
        m.d.comb += left.eq(Mux(is_short, exponent[: len(left)], zeros))
        m.d.comb += right.eq(Mux(exponent < -most, most, (-exponent)[: len(right)]))
        moved_left = Signal(len(product))
        m.d.comb += moved_left.eq(product << left)
        far = Signal(2 * len(product) + 1)
        m.d.comb += far.eq(Cat(Const(0, len(product) + 1), product) >> right)
        moved_right = Cat(far[: len(product) + 1].any(), far[len(product) + 1 :])
        below = Signal.like(exponent)
        m.d.comb += below.eq(Mux(is_short, 0, exponent - zeros))
        return Cat(Mux(is_right, moved_right, Cat(0, moved_left)), below)
