"""What is claimed of LAM in hardware: bounds of its error, and exact products."""

from typing import Any

from amaranth.hdl import Assert, Assume, Module, Signal, signed

__all__ = ["multiplies_nearly"]


def multiplies_nearly(m: Module, block: Any) -> None:
    """Relative error from 8/(3 − c)² − 1 to c, of normal numbers; 0 beside a power of two.

    For all factors that are normal numbers whose exponents add up to that of one, with room for
    the carries. With P the product of the significands and R the result's, both in units of
    2^−2n and 2^−n: R·(3·2^n − C)² ≥ 8·P·2^n, and R·2^2n ≤ P·(2^n + C), C the compensation.
    """
    n, c, bias = block.fraction_bits, block.compensation, block.fmt.bias
    last = (1 << block.exponent_bits) - 1
    exponents, significands = [], []
    for port in (block.a, block.b, block.o):
        exponents.append(port[n:-1])
        significands.append((1 << n) | port[:n])
    exponent = Signal(signed(block.exponent_bits + 2))
    m.d.comb += exponent.eq(exponents[0] + exponents[1] - bias)
    for factor in exponents[:2]:
        m.d.comb += Assume((factor != 0) & (factor != last), "a normal factor")
    m.d.comb += Assume((exponent >= 1) & (exponent < last - 2), "a normal product")

    carry = Signal(2)
    product, result = Signal(2 * n + 2), Signal(n + 3)
    m.d.comb += [
        carry.eq(exponents[2] - exponent),
        product.eq(significands[0] * significands[1]),
        result.eq(significands[2] << carry),
    ]
    m.d.comb += Assert((exponents[2] == exponent + carry) & (carry < 3), "the exponent")
    m.d.comb += Assert(block.o[-1] == block.a[-1] ^ block.b[-1], "the sign")
    m.d.comb += Assert(result * ((3 << n) - c) ** 2 >= product << (n + 3), "the least")
    m.d.comb += Assert(result << (2 * n) <= product * ((1 << n) + c), "the most")
    is_power = (block.a[:n] == 0) | (block.b[:n] == 0)
    m.d.comb += Assert(~is_power | (result << n == product), "a power of two")
