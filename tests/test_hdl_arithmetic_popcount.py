# amaranth: UnusedElaboratable=no
"""Counts of ones, all of them where that is possible."""

from random import Random

import pytest
from amaranth.sim import Simulator

from kakure.hdl.arithmetic.popcount import Popcount


def counts(lanes, cap_bits, words):
    dut = Popcount(lanes=lanes, cap_bits=cap_bits)
    got = []

    async def bench(ctx):
        for word in words:
            ctx.set(dut.i, word)
            got.append(ctx.get(dut.o))

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    return got


@pytest.mark.parametrize("lanes", [*range(1, 10)])
@pytest.mark.parametrize("cap_bits", [None, 1, 2, 3, 4])
def test_counts_every_word(lanes, cap_bits):
    words = range(1 << lanes)
    most = lanes if cap_bits is None else (1 << cap_bits) - 1
    assert counts(lanes, cap_bits, words) == [min(word.bit_count(), most) for word in words]


@pytest.mark.parametrize("lanes", [63, 64, 65, 100])
@pytest.mark.parametrize("cap_bits", [None, 1, 4, 5, 6, 7])
def test_counts_long_words(lanes, cap_bits):
    rng = Random(1)
    ones = [*range(lanes + 1), *range(12, 20)]
    words = [sum(1 << bit for bit in rng.sample(range(lanes), n)) for n in ones]
    most = lanes if cap_bits is None else (1 << cap_bits) - 1
    assert counts(lanes, cap_bits, words) == [min(n, most) for n in ones]


@pytest.mark.parametrize(
    ("lanes", "cap_bits", "width"), [(1, None, 1), (7, None, 3), (8, None, 4), (8, 3, 3), (3, 9, 2)]
)
def test_the_count_is_no_wider_than_it_must_be(lanes, cap_bits, width):
    assert len(Popcount(lanes=lanes, cap_bits=cap_bits).o) == width


@pytest.mark.parametrize("name", ["lanes", "cap_bits"])
def test_rejects(name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, not 0$"):
        Popcount(**{"lanes": 1, "cap_bits": 1, name: 0})
