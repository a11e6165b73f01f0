"""Linear maps over GF(2): exclusive-ors of fixed bits."""

from collections.abc import Callable

from amaranth.hdl import Cat, Value

__all__ = ["linear"]


def linear(function: Callable[[int], int], x: Value) -> Value:
    """``function(x)`` in hardware, one exclusive-or tree per bit, as wide as ``x``.

    ``function`` must be linear over GF(2): function(a ^ b) = function(a) ^ function(b). It is
    called on the unit vectors only, so it may be as slow as it likes.
    """
    images = [function(1 << bit) for bit in range(len(x))]
    assert function(0) == 0
    assert all(image < 1 << len(x) for image in images)

    def mask(bit: int) -> int:
        return sum((image >> bit & 1) << n for n, image in enumerate(images))

    return Cat((x & mask(bit)).xor() for bit in range(len(x)))
