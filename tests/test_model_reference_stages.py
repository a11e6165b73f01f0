"""Windows, pools and requantizers at the ends of their ranges."""

import itertools
import random

import numpy as np
import pytest

from kakure.model.reference import (
    network as network_reference,
)
from kakure.model.reference import (
    stages,
)


def test_windows_are_ordered_channel_row_column():
    x = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
    got = stages.windows(x, 3, 2, 1)
    assert got.shape == (2, 4, 6, 18)
    for n, y, column in itertools.product(range(2), range(4), range(6)):
        expected = []
        for channel, ky, kx in itertools.product(range(3), range(3), range(2)):
            iy, ix = y + ky - 1, column + kx - 1
            inside = 0 <= iy < 4 and 0 <= ix < 5
            expected.append(int(x[n, iy, ix, channel]) if inside else 0)
        assert got[n, y, column].tolist() == expected


def test_max_pool_drops_what_is_left_over():
    rng = np.random.default_rng(1)
    acc = rng.integers(-50, 50, (2, 5, 7, 3))
    got = stages.max_pool(acc, 2)
    assert got.shape == (2, 2, 3, 3)
    for n, y, x, c in itertools.product(range(2), range(2), range(3), range(3)):
        values = [acc[n, 2 * y + dy, 2 * x + dx, c] for dy in (0, 1) for dx in (0, 1)]
        assert got[n, y, x, c] == max(values)


def test_requantize_floors_and_clamps():
    random.seed(1)
    for _ in range(200):
        acc, m = random.randint(-9999, 9999), random.randint(-32768, 32767)
        b, s = random.randint(-(2**31), 2**31 - 1), random.randint(0, 31)
        expected = min(max((acc * m + b) // 2**s, 0), 15)
        got = stages.requantize(np.array([[acc]]), np.array([m]), np.array([b]), s, 4)
        assert got.item() == expected
        last = stages.requantize(np.array([[acc]]), np.array([m]), np.array([b]), 0, None)
        assert last.item() == acc * m + b


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_quantize_image_keeps_the_most_significant_bits(bits):
    pixels = np.arange(256, dtype=np.uint8)
    got = stages.quantize_image(pixels, bits)
    assert got.tolist() == [value // 2 ** (8 - bits) for value in range(256)]


def test_classify_takes_the_first_of_equals():
    assert network_reference.classify(np.array([[1, 3, 3], [5, 5, 5], [-2, -1, -9]])).tolist() == [
        1,
        0,
        1,
    ]


@pytest.mark.parametrize(("reads", "writes"), [(4, 4), (2, 5), (5, 2), (1, 8)])
def test_a_shortcut_keeps_the_most_significant_bits_in_place(reads, writes):
    x = np.arange(1 << reads)
    got = stages.shortcut(x, reads, writes)
    assert got.tolist() == [int(value * 2.0 ** (writes - reads)) for value in x]


def test_a_sum_pool_floors_and_saturates():
    x = np.array([[[[1, 15, 7]], [[2, 15, 8]]]])  # (1, 2, 1, 3): sums 3, 30, 15
    assert stages.sum_pool(x, 1, 3).tolist() == [[[[1, 7, 7]]]]
    assert stages.sum_pool(x, 0, 5).tolist() == [[[[3, 30, 15]]]]
