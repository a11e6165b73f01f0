"""Counts of a popcount's adders."""

import pytest

from kakure.hdl.arithmetic.popcount_shape import adder_tree


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6])
def test_a_popcount_of_all_ones_needs_one_full_adder_a_lane_less_the_result(width):
    lanes = 2**width - 1
    full, half, flags = adder_tree()[lanes, 0]
    assert (full, half, flags) == (lanes - width, 0, 0)


def test_a_saturating_popcount_has_a_flag_for_every_carry_that_is_dropped():
    tree = adder_tree()
    assert tree[64, 1].tolist() == [31, 1, 32]  # 31 adders of a carry each, and one without
    assert tree[64, 7].tolist() == tree[64, 0].tolist()
    assert tree[7, 2].tolist() == [4, 0, 1]
