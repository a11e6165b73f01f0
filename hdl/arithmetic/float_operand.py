"""Fields of a floating-point number in hardware, and what they say of it."""

from amaranth.hdl import Cat, Mux, Value

from kakure.model.reference.floating_point.float_format import FloatFormat

__all__ = ["FloatOperand", "float_result"]


class FloatOperand:
    """A number's fields: views of its bits, no hardware but the comparisons with constants.

    Parameters
    ----------
    fmt : FloatFormat
    code : Value
        The number's bits.
    has_subnormals : bool
        Else a subnormal number is a zero.
    """

    def __init__(self, fmt: FloatFormat, code: Value, *, has_subnormals: bool) -> None:
        f = fmt.fraction_bits
        self.sign = code[-1]
        self.magnitude = code[:-1]
        self.exponent = code[f:-1]
        self.fraction = code[:f]
        self.is_normal = self.exponent.any()
        is_last = self.exponent.all()
        has_fraction = self.fraction.any()
        self.is_zero = ~self.is_normal & ~has_fraction if has_subnormals else ~self.is_normal
        self.is_infinite = is_last & ~has_fraction
        self.is_nan = is_last & has_fraction
        fraction = self.fraction if has_subnormals else Mux(self.is_normal, self.fraction, 0)
        self.significand = Cat(fraction[:f], self.is_normal)
        """The fraction, and the hidden one above it."""
        self.true_exponent = (
            Cat(self.exponent[0] | ~self.is_normal, self.exponent[1:])
            if has_subnormals
            else self.exponent
        )
        """That of the significand: 1 where the field is 0, if there are subnormals."""


def float_result(
    fmt: FloatFormat, sign: Value, magnitude: Value, *, is_infinite: Value, is_nan: Value
) -> Value:
    """A number's bits: its magnitude, unless it is infinite or NaN, the latter above all."""
    finite = Mux(is_infinite, fmt.infinity, magnitude)
    return Mux(is_nan, fmt.nan, Cat(finite[: fmt.width - 1], sign))
