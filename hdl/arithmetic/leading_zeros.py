"""Counting zeros before the leading one."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

__all__ = ["leading_zeros"]


def leading_zeros(m: Module, bits: Value, name: str) -> Signal:
    """Zeros above the leading one of some bits, all of them if there is none; combinational.

    Halves are counted, and joined by one choice: a tree of as many levels as the count has bits.
    """
    width = len(bits)
    levels = (width - 1).bit_length()
    padded = Cat(Const(1, 1).replicate((1 << levels) - width), bits)  # ones below count nothing
    count, is_none = _count(m, padded, name)
    zeros = Signal(range(width + 1), name=f"{name}_zeros")
    m.d.comb += zeros.eq(Cat(count, is_none))
    return zeros


def _count(m: Module, bits: Value, name: str) -> tuple[Value, Value]:
    """Zeros above the leading one, of a power of two of bits; and whether there is none."""
    if len(bits) == 1:
        return Const(0, 0), ~bits
    half = len(bits) // 2
    high, high_none = _count(m, bits[half:], f"{name}_h")
    low, low_none = _count(m, bits[:half], f"{name}_l")
    count = Signal(half.bit_length(), name=f"{name}_count")
    m.d.comb += count.eq(Cat(Mux(high_none, low, high)[: len(low)], high_none))
    is_none = Signal(name=f"{name}_none")
    m.d.comb += is_none.eq(high_none & low_none)
    return count, is_none
