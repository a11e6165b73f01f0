"""LAM, a multiplier of floating-point numbers that is one adder."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed

from kakure.model.reference.floating_point.lam import check_lam, correction

from .float_operand import FloatOperand, float_result
from .float_unit import FloatUnit

__all__ = ["LamMultiplier"]


class LamMultiplier(FloatUnit):
    """a · b, nearly: the code of one number plus that of another.

    Sign by exclusive or, magnitude by one integer sum, code(a) + code(b) − code(1) + c. Subnormal
    numbers are zeros. With a table of t bits the fractions' sum gets a correction from a table of
    4^t entries, and where it carries it is shifted by one.

    Bit-equal to :func:`kakure.model.reference.floating_point.lam.lam_multiply`, which says what the
    errors are and what becomes of zeros, overflow, infinities and NaN.

    Parameters
    ----------
    exponent_bits, fraction_bits : int
        Of the format; ports and timing are those of :class:`.FloatUnit`.
    compensation : int, 0 to 2^fraction_bits − 1
        c, in units of the last bit of the fraction; not added where a fraction is 0.
    table_bits : int, 0 to 4, at most fraction_bits
        First bits of each fraction that the table looks at; 0 for no table.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Source
    ------
    As of the reference.
    """

    def __init__(
        self, *, exponent_bits: int, fraction_bits: int, compensation: int = 0, table_bits: int = 0
    ) -> None:
        super().__init__(exponent_bits=exponent_bits, fraction_bits=fraction_bits)
        check_lam(self.fmt, compensation, table_bits)
        self.compensation = compensation
        self.table_bits = table_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        fmt = self.fmt
        a = FloatOperand(fmt, self.a, has_subnormals=False)
        b = FloatOperand(fmt, self.b, has_subnormals=False)

        total = Signal(signed(fmt.exponent_bits + fmt.fraction_bits + 2))
        if self.table_bits:
            m.d.comb += total.eq(self._corrected(m, a, b))
        else:
            is_between = a.fraction.any() & b.fraction.any()
            added = Mux(is_between, self.compensation - fmt.one, -fmt.one)
            m.d.comb += total.eq(a.magnitude + b.magnitude + added)

        is_zero = (total < fmt.hidden) | a.is_zero | b.is_zero
        is_infinite = a.is_infinite | b.is_infinite
        is_nan = a.is_nan | b.is_nan | (is_infinite & (a.is_zero | b.is_zero))
        m.d.comb += self.o.eq(
            float_result(
                fmt,
                a.sign ^ b.sign,
                Mux(is_zero, 0, total[: fmt.width - 1]),
                is_infinite=is_infinite | (~is_zero & (total >= fmt.infinity)),
                is_nan=is_nan,
            )
        )
        return m

    def _corrected(self, m: Module, a: FloatOperand, b: FloatOperand) -> Value:
        """The sum of the codes with the correction; its last bit is dropped where it carries."""
        n, t = self.fraction_bits, self.table_bits
        table, added = Signal(n), Signal(n)
        with m.Switch(Cat(b.fraction[n - t :], a.fraction[n - t :])):
            for cell in range(1 << 2 * t):
                with m.Case(cell):
                    m.d.comb += table.eq(int(correction(n, t, *divmod(cell, 1 << t))))
        m.d.comb += added.eq(Mux(a.fraction.any() & b.fraction.any(), table, 0))
        s = Signal(n + 2)
        m.d.comb += s.eq(a.fraction + b.fraction + added)
        has_carry = Signal()
        m.d.comb += has_carry.eq(s >= self.fmt.hidden)
        fraction = Mux(has_carry, (s - self.fmt.hidden)[1 : n + 1], s[:n])
        exponent = a.exponent + b.exponent + has_carry - self.fmt.bias
        return (exponent << n) + fraction
