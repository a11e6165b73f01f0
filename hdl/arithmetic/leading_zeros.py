"""Counting zeros before the leading one."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

__all__ = ["leading_zeros"]


def leading_zeros(m: Module, bits: Value, name: str) -> Signal:
    """Zeros above the leading one of some bits, all of them if there is none; combinational.

    Halves are counted, and joined by one choice: a tree of as many levels as the count has bits.
    """
    width = len(bits)
    ones = Const(1, 1).replicate((1 << width.bit_length()) - width)
    zeros = Signal(range(width + 1), name=f"{name}_zeros")
    m.d.comb += zeros.eq(_count(m, Cat(ones, bits), name))  # the first of the ones ends the zeros
    return zeros


def _count(m: Module, bits: Value, name: str) -> Value:
    """Zeros above the leading one of a power of two of bits; anything if there is none."""
    if len(bits) == 1:
        return Const(0, 0)
    half = len(bits) // 2
    high = _count(m, bits[half:], f"{name}_h")
    low = _count(m, bits[:half], f"{name}_l")
    is_low = ~bits[half:].any()
    count = Signal(half.bit_length(), name=f"{name}_count")
    m.d.comb += count.eq(Cat(Mux(is_low, low, high)[: len(low)], is_low))
    return count
