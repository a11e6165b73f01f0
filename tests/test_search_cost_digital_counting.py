"""Counts that the digital cost model rests on."""

import numpy as np
import pytest
from amaranth.hdl import Shape

from kakure.hdl.synthesis.buffering import BUFFER_LIMIT_FF, DRIVER_LIMIT_FF
from kakure.hdl.synthesis.memory_macro import is_macro, memory_macro
from kakure.search.cost.digital import counting, macro


def test_bits_are_those_of_python_and_amaranth():
    numbers = np.array([0, 1, 2, 3, 4, 7, 8, 255, 256, 2**31, 2**52 - 1, 2**52])
    assert counting.bits(numbers).tolist() == [int(n).bit_length() for n in numbers]
    counts = np.arange(1, 40)
    widths = [Shape.cast(range(n)).width for n in counts]
    assert counting.range_bits(counts).tolist() == widths
    peaks = np.arange(1, 40)
    widths = [Shape.cast(range(-n, n + 1)).width for n in peaks]
    assert counting.signed_bits(peaks).tolist() == widths


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6])
def test_a_popcount_of_all_ones_needs_one_full_adder_a_lane_less_the_result(width):
    lanes = 2**width - 1
    full, half, flags = counting.popcount_tree()[lanes, 0]
    assert (full, half, flags) == (lanes - width, 0, 0)


def test_a_saturating_popcount_has_a_flag_for_every_carry_that_is_dropped():
    tree = counting.popcount_tree()
    assert tree[64, 1].tolist() == [31, 1, 32]  # 31 adders of a carry each, and one without
    assert tree[64, 7].tolist() == tree[64, 0].tolist()
    assert tree[7, 2].tolist() == [4, 0, 1]


def test_the_depths_of_an_adder_tree_add_up():
    levels = counting.adder_levels()
    assert levels[:9].tolist() == [0, 0, 1, 3, 4, 7, 9, 10, 11]
    assert levels[16] == 8 * 1 + 4 * 2 + 2 * 3 + 4


def test_buffers_are_a_tree_within_the_limits_of_synthesis():
    limits = counting.DRIVER_LIMIT, counting.BUFFER_LIMIT
    assert limits == (DRIVER_LIMIT_FF, BUFFER_LIMIT_FF)
    loads = np.array([0.0, 20.0, 20.1, 60.0, 60.1, 300.0, 3000.0])
    # 3000 fF are 50 buffers, their inputs 214 fF and so 4 more.
    assert counting.buffers(loads).tolist() == [0, 0, 1, 1, 2, 6, 54]


def test_macros_are_those_of_synthesis():
    depth, width = (
        axis.reshape(-1)
        for axis in np.meshgrid([1, 31, 32, 40, 64, 100, 2048, 2049, 5000], [1, 4, 8, 16, 64, 65])
    )
    wanted = [is_macro(int(d), int(w)) for d, w in zip(depth, width, strict=True)]
    assert macro.is_macro(depth, width).tolist() == wanted
    for d, w, area in zip(depth, width, macro.macro_area_um2(depth, width), strict=True):
        if is_macro(int(d), int(w)):
            assert area == pytest.approx(memory_macro(int(d), int(w)).area_um2, rel=1e-12)
