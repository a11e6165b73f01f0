"""Sizes of one block and of many: the same numbers, and those of Python and Amaranth."""

from math import log2

import numpy as np
import pytest
from amaranth.hdl import Shape

from kakure.hdl.shape import numbers


def test_bits_are_those_of_python_and_amaranth():
    values = np.array([0, 1, 2, 3, 4, 7, 8, 255, 256, 2**31, 2**52 - 1, 2**52])
    assert numbers.bits(values).tolist() == [int(n).bit_length() for n in values]
    counts = np.arange(1, 40)
    widths = [Shape.cast(range(n)).width for n in counts]
    assert numbers.range_bits(counts).tolist() == widths
    peaks = np.arange(1, 40)
    widths = [Shape.cast(range(-n, n + 1)).width for n in peaks]
    assert numbers.signed_bits(peaks).tolist() == widths


@pytest.mark.parametrize(
    "name", ["at_least", "at_most", "bits", "ceil_div", "lcm", "range_bits", "signed_bits"]
)
def test_numbers_and_arrays_give_the_same(name):
    function = getattr(numbers, name)
    count = 2 if name in ("at_least", "at_most", "ceil_div", "lcm") else 1
    pairs = [(a, b)[:count] for a in range(1, 20) for b in (1, 3, 8, 17)]
    one = [function(*pair) for pair in pairs]
    assert all(type(value) is int for value in one)  # Amaranth takes no other
    many = function(*np.array(pairs).T)
    assert many.dtype == np.int64 and many.tolist() == one


def test_a_choice_is_made_for_each_block():
    assert numbers.choose(3 > 2, 5, 7) == 5
    assert numbers.choose(np.array([True, False]), 5, np.array([7, 9])).tolist() == [5, 9]
    assert numbers.whole(2.9) == 2
    assert numbers.whole(np.array([2.9, 3.0])).tolist() == [2, 3]
    assert numbers.log2(np.array([0, 1, 6])).tolist() == [0, 0, log2(6)]
