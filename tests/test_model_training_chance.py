"""What is no better than a guess is told from what learned something."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from kakure.model.training.chance import SIGNIFICANCE, is_at_chance

BALANCED = np.arange(200) % 10


def at_least(least: int, n: int, p: Fraction) -> Fraction:
    """The binomial tail, exactly."""
    return sum((comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1)), Fraction())


@pytest.mark.parametrize("tries", [1, 3, 150])
def test_the_border_is_that_of_the_exact_binomial_test(tries):
    exact = [
        tries * at_least(correct, 200, Fraction(1, 10)) > SIGNIFICANCE for correct in range(201)
    ]
    assert [is_at_chance(correct, BALANCED, tries=tries) for correct in range(201)] == exact
    assert exact[0] and exact[20] and not exact[45] and not exact[200]


def test_always_the_most_frequent_class_is_a_guess():
    labels = np.repeat([0, 1, 2], [150, 30, 20])
    assert is_at_chance(150, labels)
    assert is_at_chance(155, labels)
    assert not is_at_chance(180, labels)


def test_too_few_images_tell_nothing():
    assert is_at_chance(2, np.array([0, 1]))
    assert is_at_chance(5, np.zeros(5, int))
    assert is_at_chance(6, np.arange(6) % 2)  # 1/64
    assert not is_at_chance(8, np.arange(8) % 2)  # 1/256


def test_large_sets():
    labels = np.arange(10_000) % 10
    assert is_at_chance(1000, labels) and is_at_chance(1060, labels)
    assert not is_at_chance(1100, labels) and not is_at_chance(10_000, labels)
