import numpy as np
import pytest

from model.export import fold_scale
from model.reference import requantize


def fits(multiplier, offset, peak):
    reach = np.abs(offset) + (0 if peak is None else np.abs(multiplier) * peak)
    return np.abs(multiplier).max() < 2**15 and reach.max() < 2**31


@pytest.mark.parametrize("peak", [None, 135, 500000])
def test_the_shift_is_the_largest_that_fits(peak):
    rng = np.random.default_rng(1)
    for _ in range(50):
        slope = rng.normal(size=8) * 10.0 ** rng.uniform(-6, 2)
        intercept = rng.normal(size=8) * 10.0 ** rng.uniform(-3, 4)
        scale = fold_scale(slope, intercept, peak)
        assert fits(scale.multiplier, scale.offset, peak)
        assert (scale.multiplier == np.rint(slope * 2.0**scale.shift)).all()
        assert (scale.offset == np.rint(intercept * 2.0**scale.shift)).all()
        if scale.shift < 31:
            next_up = 2.0 ** (scale.shift + 1)
            assert not fits(np.rint(slope * next_up), np.rint(intercept * next_up), peak)


def test_the_half_in_the_offset_rounds():
    slope, intercept = np.array([0.37, -0.021]), np.array([1.3, 7.0])
    scale = fold_scale(slope, intercept + 0.5)
    acc = np.arange(-300, 300)[:, None]
    got = requantize(acc, scale.multiplier, scale.offset, scale.shift, 4)
    real = acc * slope + intercept
    expected = np.clip(np.floor(real + 0.5), 0, 15)
    clear = np.abs(real + 0.5 - np.rint(real + 0.5)) > 0.01  # away from a tie
    assert (got == expected)[clear].all()


@pytest.mark.parametrize("peak", [None, 1000])
def test_what_never_fits_saturates(peak):
    scale = fold_scale(np.array([1e9, -1e9]), np.array([-1e12, 1e12]), peak)
    assert scale.shift == 0
    assert fits(scale.multiplier, scale.offset, peak)
    assert scale.multiplier[0] > 0 > scale.multiplier[1]
    assert scale.offset[0] < 0 < scale.offset[1]
