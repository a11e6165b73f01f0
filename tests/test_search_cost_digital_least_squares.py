"""Least squares without negative coefficients."""

import numpy as np

from kakure.search.cost.digital.least_squares import non_negative


def test_it_finds_coefficients_that_are_not_negative():
    rng = np.random.default_rng(1)
    terms = rng.random((30, 4)) * [1, 10, 100, 1000]
    wanted = np.array([2.0, 0.5, 0.0, 3.0])
    target = terms @ wanted
    assert np.allclose(non_negative(terms, target, target), wanted, atol=1e-9)


def test_no_coefficient_can_be_changed_for_the_better():
    rng = np.random.default_rng(2)
    for _ in range(20):
        terms = rng.normal(size=(25, 6))
        target = rng.normal(size=25)
        scale = rng.random(25) + 0.5
        solution = non_negative(terms, target, scale)
        slope = (terms / scale[:, None]).T @ ((target - terms @ solution) / scale)
        assert np.all(solution >= 0)
        assert np.all(np.abs(slope[solution > 0]) < 1e-6)
        assert np.all(slope[solution == 0] < 1e-6)


def test_equal_terms_and_empty_ones_do_no_harm():
    one = np.ones(5)
    terms = np.stack([one, one, 0 * one], axis=1)
    solution = non_negative(terms, 3 * one, one)
    assert solution[2] == 0
    assert np.isclose(solution.sum(), 3)
