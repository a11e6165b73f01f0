"""Scales of a layer: channels that are dead, constant or weak cost the others nothing."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kakure.model.parameters.parameters import Scales
from kakure.model.reference.stages import requantize
from kakure.model.training.folding import fold_scale
from kakure.model.training.layers import EPSILON

BITS = 4
CODES = 1 << (BITS - 1)
MOST = 2**15 - 1
BOUND = 2**31 - 1


def affine(acc, gamma: float = 1.0, beta: np.ndarray | float = 0.0):
    """BatchNorm of accumulators (n, channels) in float64: slope, intercept, mean, deviation."""
    mean, variance = acc.mean(0), acc.var(0)
    slope = gamma / np.sqrt(variance + EPSILON) * CODES
    return slope, beta * CODES - slope * mean, mean, np.sqrt(variance)


def exact(acc, slope, intercept):
    """Codes of the float64 affine map."""
    return np.clip(np.floor(acc * slope + intercept + 0.5), 0, 2**BITS - 1)


def folded(acc, slope, intercept, mean):
    scale = fold_scale(slope, intercept + 0.5, mean)
    return scale, requantize(acc, scale.multiplier, scale.offset, scale.shift, BITS)


def sums(channels=8, seed=1):
    """400 rows of 2048 random 8-bit inputs, half of the weights 0."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (2048, 400))
    w = rng.choice([-1, 1], (400, channels)) * (rng.random((400, channels)) < 0.5)
    return x @ w


def same_without(scale, full, keep):
    """Whether the channels in ``keep`` have the integers of a layer that has no others."""
    return all(
        (getattr(full, field.name)[keep] == getattr(scale, field.name)).all()
        for field in dataclasses.fields(Scales)
    )


WEAK = {f"10^{power}": (10.0**-power, 0) for power in range(1, 7)}
BAD = {"dead": (0.0, 0), "constant": (0.0, 70000), "constant below 0": (0.0, -70001), **WEAK}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("where", [[0], [7], [1, 4, 5], [0, 1, 2, 3, 4, 5, 6], list(range(8))])
def test_a_bad_channel_costs_the_others_nothing(kind, where):
    """Dead, constant, or weak by a factor: the others' integers and codes are what they were."""
    acc = sums()
    factor, level = BAD[kind]
    acc[:, where] = np.rint(acc[:, where] * factor) + level
    slope, intercept, mean, _ = affine(acc)
    scale, y = folded(acc, slope, intercept, mean)
    live = np.setdiff1d(np.arange(8), where)
    alone, expected = folded(acc[:, live], slope[live], intercept[live], mean[live])
    assert same_without(alone, scale, live)
    assert (y[:, live] == expected).all()
    real = exact(acc, slope, intercept)
    wrong = (y != real).mean(0)
    assert (wrong[live] <= 0.001).all()
    assert (wrong[where] <= (0.0 if factor == 0 else 0.001)).all()


def test_the_shift_of_each_channel_is_the_largest_that_fits():
    rng = np.random.default_rng(1)
    for _ in range(50):
        slope = rng.normal(size=8) * 10.0 ** rng.uniform(-9, 3, 8)
        intercept = rng.normal(size=8) * 10.0 ** rng.uniform(-3, 8, 8)
        scale = fold_scale(slope, intercept)
        power = 2.0**scale.shift
        assert (scale.multiplier == np.rint(slope * power)).all()
        assert (scale.offset == np.rint(intercept * power)).all()
        assert (np.abs(scale.multiplier) <= MOST).all() and (np.abs(scale.offset) <= BOUND).all()
        larger = (np.abs(np.rint(2 * slope * power)) > MOST) | (
            np.abs(np.rint(2 * intercept * power)) > BOUND
        )
        assert (larger | (scale.shift == 31)).all()


@pytest.mark.parametrize(
    ("slope", "intercept", "multiplier", "offset", "shift"),
    [
        (0.0, 0.0, 0, 0, 31),
        (0.0, 0.5, 0, 2**30, 31),
        (0.0, 1.0, 0, 2**30, 30),  # 2^31 does not fit
        (0.0, -1.0, 0, -(2**30), 30),
        (32767.0, 0.0, 32767, 0, 0),
        (32767.4, 0.0, 32767, 0, 0),
        (-32767.0, 0.0, -32767, 0, 0),
        (16383.7, 0.0, 32767, 0, 1),
        (16383.8, 0.0, 16384, 0, 0),
        (32768.0, 0.0, 16384, 0, 0),
        (-32768.0, 65537.0, -16384, 32768, 0),  # ties to even
        (1e9, -1e12, 30518, -30517578, 0),
        (1.0, float(BOUND), 1, BOUND, 0),
        (-3.0, float(BOUND), -3, BOUND, 0),
        (-4.0, -float(BOUND + 1), -2, -(2**30), 0),
        (1.0, 1e300, 0, 1603334688, 0),
        (1e300, 1.0, 24465, 0, 0),
        (-1e300, 1e300, -24465, 24465, 0),
    ],
)
def test_exact_values_at_the_ends(slope, intercept, multiplier, offset, shift):
    scale = fold_scale(np.array([slope, 1.0]), np.array([intercept, 0.5]))
    assert [scale.multiplier[0], scale.offset[0], scale.shift[0]] == [multiplier, offset, shift]
    assert [scale.multiplier[1], scale.offset[1], scale.shift[1]] == [16384, 8192, 14]


@pytest.mark.parametrize("slope", [40000.0, -40000.0, 1e6, 1e9, -1e9])
def test_what_never_fits_changes_its_code_where_it_should(slope):
    """Steps from 0 to the largest code at the same accumulator, though slope and B are halved."""
    for at in (0, 1, -17, 4000, 300000):
        intercept = -slope * (at - 0.5)
        scale = fold_scale(np.array([slope]), np.array([intercept]), at)
        acc = np.arange(at - 300, at + 300)[:, None]
        y = requantize(acc, scale.multiplier, scale.offset, scale.shift, BITS)
        assert (y == np.where((acc >= at) == (slope > 0), 15, 0)).all()


def test_the_half_in_the_offset_rounds():
    slope, intercept = np.array([0.37, -0.021]), np.array([1.3, 7.0])
    scale = fold_scale(slope, intercept + 0.5)
    acc = np.arange(-300, 300)[:, None]
    got = requantize(acc, scale.multiplier, scale.offset, scale.shift, BITS)
    real = acc * slope + intercept
    clear = np.abs(real + 0.5 - np.rint(real + 0.5)) > 0.01  # away from a tie
    assert (got == exact(acc, slope, intercept))[clear].all()


STATISTICS = st.tuples(
    st.floats(-8, 8),  # gamma
    st.floats(-8, 8),  # beta
    st.integers(-200000, 200000),  # mean
    st.floats(0, 1e10) | st.sampled_from([0.0, 1e-30, 1e-6, 1e-3, 0.25, 1.0]),  # variance
)


def of_statistics(rows):
    gamma, beta, mean, variance = (np.array(column, float) for column in zip(*rows, strict=True))
    slope = gamma / np.sqrt(variance + EPSILON) * CODES
    return slope, beta * CODES - slope * mean, mean, np.sqrt(variance)


@settings(max_examples=300, deadline=None)
@given(st.lists(STATISTICS, min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_any_statistics_are_folded_channel_by_channel(rows, seed):
    """Integers do not depend on the other channels, fit, and are as near as promised."""
    slope, intercept, mean, deviation = of_statistics(rows)
    scale = fold_scale(slope, intercept + 0.5, mean)
    for n in range(len(rows)):
        one = fold_scale(slope[n : n + 1], intercept[n : n + 1] + 0.5, mean[n : n + 1])
        assert same_without(one, scale, [n])
    assert (np.abs(scale.multiplier) <= MOST).all() and (np.abs(scale.offset) <= BOUND).all()
    assert ((scale.shift >= 0) & (scale.shift <= 31)).all()
    rng = np.random.default_rng(seed)
    acc = np.rint(mean + rng.normal(size=(50, len(rows))) * (deviation + 1)).astype(np.int64)
    acc[0] = mean
    got = (acc * scale.multiplier + scale.offset) / 2.0**scale.shift
    off = np.abs(got - (acc * slope + intercept + 0.5))
    assert (off <= (np.abs(acc - mean) + 1) * 2.0 ** (-scale.shift - 1) + 1e-6).all()
