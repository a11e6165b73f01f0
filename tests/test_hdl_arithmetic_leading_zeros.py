"""Zeros before the leading one, of all words up to ten bits, and of longer ones."""

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.arithmetic.leading_zeros import leading_zeros
from kakure.sim.drivers.gates import Gates

WIDTHS = (1, 2, 3, 4, 5, 7, 8, 9, 10, 28, 33)


class Counts(wiring.Component):
    """A count of the first bits of a word, for each width."""

    i: Signal

    def __init__(self) -> None:
        members = {f"o{width}": Out(range(width + 1)) for width in WIDTHS}
        super().__init__({"i": In(max(WIDTHS)), **members})

    def elaborate(self, platform) -> Module:
        m = Module()
        for width in WIDTHS:
            zeros = leading_zeros(m, self.i[:width], f"count{width}")
            m.d.comb += getattr(self, f"o{width}").eq(zeros)
        return m


def test_every_short_word_and_long_ones():
    bits = np.int64(1) << np.arange(33)
    words = np.concatenate([np.arange(1024), bits, bits - 1, bits * 3 & (1 << 33) - 1])
    found = Gates(Counts())(i=words)
    for width in WIDTHS:
        expected = [width - (word & (1 << width) - 1).bit_length() for word in words.tolist()]
        assert found[f"o{width}"].tolist() == expected
