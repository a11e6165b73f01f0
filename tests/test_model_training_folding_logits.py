"""Scales of logits: one shift for all, as large as the channels that move allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kakure.model.reference.stages import requantize
from kakure.model.training.folding import fold_logits
from tests.test_model_training_folding_scales import (
    BOUND,
    MOST,
    STATISTICS,
    affine,
    of_statistics,
    same_without,
    sums,
)

PEAKS = np.full(8, 510000)


def logits(acc, slope, intercept, mean, deviation, peaks=PEAKS):
    scale = fold_logits(slope, intercept, peaks, mean=mean, deviation=deviation)
    assert len(set(scale.shift.tolist())) == 1
    return scale, requantize(acc, scale.multiplier, scale.offset, 0, None)


@pytest.mark.parametrize("level", [0, 70000, -70001])
@pytest.mark.parametrize("where", [[0], [7], [1, 4, 5], [0, 1, 2, 3, 4, 5, 6]])
@pytest.mark.parametrize("beta", [0.0, 3.0, -500.0])
def test_a_constant_logit_costs_the_others_nothing(level, where, beta):
    acc = sums()
    acc[:, where] = level
    slope, intercept, mean, deviation = affine(acc, 0.125, np.where(mean_of(where), beta, 0) / 8)
    scale, y = logits(acc, slope, intercept, mean, deviation)
    live = np.setdiff1d(np.arange(8), where)
    statistics = (slope[live], intercept[live], mean[live], deviation[live])
    alone, expected = logits(acc[:, live], *statistics, PEAKS[live])
    assert same_without(alone, scale, live)
    assert (y[:, live] == expected).all()
    assert (scale.multiplier[where] == 0).all()
    constant = np.rint(beta * 2.0 ** int(scale.shift[0]))
    assert (scale.offset[where] == np.clip(constant, -BOUND, BOUND)).all()


def mean_of(where):
    """Flags of channels."""
    return np.isin(np.arange(8), where)


def test_an_empty_mask_is_constant_whatever_its_statistics():
    slope, intercept = np.array([0.5, 0.001]), np.array([3.0, 1.0])
    mean, deviation = np.array([0.25, 500.0]), np.array([0.1, 1000.0])
    scale = fold_logits(slope, intercept, np.array([0, 9000]), mean=mean, deviation=deviation)
    assert scale.multiplier[0] == 0
    assert scale.offset[0] == np.rint(3.0 * 2.0 ** int(scale.shift[0]))
    alone = fold_logits(
        slope[1:], intercept[1:], np.array([9000]), mean=mean[1:], deviation=deviation[1:]
    )
    assert same_without(alone, scale, [1])


def test_constants_beyond_the_range_keep_their_first_place():
    slope, intercept = np.array([0.01, 9, 9, 0, 0, 9]), np.array([0.0, 1e6, 2e6, 3e6, -1e9, 2e6])
    peaks, zero = np.array([100, 0, 0, 100, 0, 0]), np.zeros(6)
    scale = fold_logits(slope, intercept, peaks, mean=zero, deviation=np.ones(6))
    assert scale.multiplier.tolist() == [20972, 0, 0, 0, 0, 0]
    assert scale.shift.tolist() == [21] * 6
    assert scale.offset.tolist() == [0, BOUND - 1, BOUND - 1, BOUND, -BOUND, BOUND - 1]


def test_only_constants_share_the_largest_scale_of_theirs():
    intercept, zero = np.array([0.5, -3.0, 1.25]), np.zeros(3)
    scale = fold_logits(zero, intercept, np.zeros(3, int), mean=zero, deviation=zero)
    assert scale.shift.tolist() == [29] * 3
    assert scale.offset.tolist() == [2**28, -3 * 2**29, 5 * 2**27]


@pytest.mark.parametrize(
    ("slope", "intercept", "peak", "multiplier", "offset", "shift"),
    [
        (1.0, 0.0, 100, 16384, 0, 14),
        (32767.0, 0.0, 65536, 32767, 0, 0),
        (32767.0, 65535.0, 65536, 32767, 65535, 0),
        (32767.0, 65536.0, 65536, 16384, 32768, -1),  # 2^31 does not fit
        (-32767.0, -65535.0, 65536, -32767, -65535, 0),
        (-32767.0, -65536.0, 65536, -16384, -32768, -1),
        (1e9, -1e12, 1000, 30518, -30517578, -15),
    ],
)
def test_logits_are_exact_at_the_ends(slope, intercept, peak, multiplier, offset, shift):
    scale = fold_logits(
        np.array([slope]),
        np.array([intercept]),
        np.array([peak]),
        mean=np.zeros(1),
        deviation=np.ones(1),
    )
    assert [scale.multiplier[0], scale.offset[0], scale.shift[0]] == [multiplier, offset, shift]


@pytest.mark.parametrize("power", range(1, 7))
def test_a_weak_logit_costs_no_more_than_its_own_scale_needs(power):
    """S falls only as far as the weak slope must fit, and the order of the logits is right."""
    acc = sums()
    acc[:, 3] = np.rint(acc[:, 3] * 10.0**-power)
    peaks = np.where(np.arange(8) == 3, 51000000 // 10 ** (power + 2), PEAKS)
    slope, intercept, mean, deviation = affine(acc, 0.125)
    scale, y = logits(acc, slope, intercept, mean, deviation, peaks)
    shift = int(scale.shift[0])
    needed = np.floor(np.log2(MOST / slope[3]))
    assert shift >= needed
    if power <= 3:
        assert shift == needed
    real = acc * slope + intercept
    assert np.abs(y / 2.0**shift - real).max() <= 2e5 * 2.0**-shift
    assert (y.argmax(1) == real.argmax(1)).mean() > 0.98


def test_a_logit_that_hardly_ever_moves_is_cut_instead():
    """One accumulator in 100,000 is 1 instead of 0: its M may end before its slope does."""
    acc = sums()
    slope, intercept, mean, deviation = affine(acc, 0.125)
    slope[3], intercept[3], mean[3], deviation[3] = 2.0, 0.0, 1e-5, 1e-5**0.5
    peaks = np.where(np.arange(8) == 3, 15, PEAKS)
    scale, _ = logits(acc, slope, intercept, mean, deviation, peaks)
    assert scale.multiplier[3] == MOST
    assert np.delete(scale.multiplier, 3).max() > 60  # of 32767 · slope / 2 = 7 without a cut
    deviation[3] = 0.5
    scale, _ = logits(acc, slope, intercept, mean, deviation, peaks)
    assert (scale.multiplier[3], scale.shift[3]) == (MOST, 14)


@settings(max_examples=200, deadline=None)
@given(st.lists(STATISTICS, min_size=1, max_size=8), st.integers(1, 10**6))
def test_any_logits_fit(rows, peak):
    slope, intercept, mean, deviation = of_statistics(rows)
    peaks = np.full(len(rows), peak)
    scale = fold_logits(slope, intercept, peaks, mean=mean, deviation=deviation)
    assert (np.abs(scale.multiplier) <= MOST).all()
    assert (np.abs(scale.multiplier) * peaks + np.abs(scale.offset) <= BOUND).all()
