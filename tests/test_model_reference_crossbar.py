"""Crossbars are the naive ones, written from the numerics contract in plain Python."""

import numpy as np
import pytest

from kakure.model.reference import crossbar, pe_array
from kakure.model.reference import signs as signs_reference
from kakure.model.reference.crossbar import channel_peaks


def naive_crossbar(x, w, rows, input_bits, adc_bits, adc_shift):
    result = []
    for vector in x:
        sums = []
        for column in range(len(w[0])):
            total = 0
            for start in range(0, len(vector), rows):
                part = range(start, min(start + rows, len(vector)))
                for plane in range(input_bits):
                    codes = []
                    for sign in (1, -1):
                        count = sum(
                            1 for r in part if vector[r] // 2**plane % 2 and w[r][column] == sign
                        )
                        if adc_shift:
                            count = (count + 2 ** (adc_shift - 1)) // 2**adc_shift
                        codes.append(min(count, 2**adc_bits - 1))
                    total += 2**plane * (codes[0] - codes[1]) * 2**adc_shift
            sums.append(total)
        result.append(sums)
    return result


def naive_bitwise(x, u, bits, used, rows, input_bits, adc_bits, adc_shift):
    result = []
    for vector in x:
        sums = []
        for column in range(len(u[0])):
            total = 0
            for start in range(0, len(vector), rows):
                part = range(start, min(start + rows, len(vector)))
                for plane in range(input_bits):
                    active = [r for r in part if vector[r] // 2**plane % 2]
                    for i in range(used):
                        count = sum(u[r][column] // 2 ** (bits - 1 - i) % 2 for r in active)
                        if adc_shift:
                            count = (count + 2 ** (adc_shift - 1)) // 2**adc_shift
                        code = min(count, 2**adc_bits - 1) * 2**adc_shift
                        total += 2**plane * 2 ** (used - 1 - i) * (2 * code - len(active))
            sums.append(total)
        result.append(sums)
    return result


def draw(seed, n, f, c, input_bits):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << input_bits, (n, f))
    return x, rng.integers(-1, 2, (f, c))


@pytest.mark.parametrize("adc_bits", [1, 3, 4, 7])
@pytest.mark.parametrize("adc_shift", [0, 1, 2])
@pytest.mark.parametrize(("rows", "f", "c"), [(64, 1, 1), (7, 20, 3), (64, 70, 2)])
def test_crossbar_is_the_naive_one(adc_bits, adc_shift, rows, f, c):
    x, w = draw(f * adc_bits, 3, f, c, 4)
    got = crossbar.crossbar(x, w, rows=rows, input_bits=4, adc_bits=adc_bits, adc_shift=adc_shift)
    assert got.tolist() == naive_crossbar(x.tolist(), w.tolist(), rows, 4, adc_bits, adc_shift)


def test_crossbar_without_saturation_is_exact():
    x, w = draw(5, 6, 100, 9, 8)
    got = crossbar.crossbar(x, w, rows=64, input_bits=8, adc_bits=7)
    assert (got == x @ w).all()


def test_crossbar_saturates_at_the_extremes():
    x = np.full((1, 64), 15)
    w = np.ones((64, 1), int)
    assert crossbar.crossbar(x, w, rows=64, input_bits=4, adc_bits=4).item() == 15 * 15
    assert crossbar.crossbar(x, -w, rows=64, input_bits=4, adc_bits=4).item() == -15 * 15
    assert crossbar.crossbar(x, w, rows=64, input_bits=4, adc_bits=7).item() == 64 * 15


def test_adc_rounds_half_up_then_saturates():
    codes = [int(crossbar.adc(count, 2, 1)) for count in range(9)]
    assert codes == [0, 1, 1, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("used", [1, 3, 4])
@pytest.mark.parametrize(("adc_bits", "adc_shift"), [(7, 0), (2, 0), (2, 1)])
def test_bitwise_crossbar_is_the_naive_one(used, adc_bits, adc_shift):
    rng = np.random.default_rng(used)
    x, u = rng.integers(0, 8, (3, 20)), rng.integers(0, 16, (20, 3))
    got = crossbar.crossbar_bitwise(
        x, u, bits=4, rows=7, input_bits=3, adc_bits=adc_bits, adc_shift=adc_shift, used=used
    )
    expected = naive_bitwise(x.tolist(), u.tolist(), 4, used, 7, 3, adc_bits, adc_shift)
    assert got.tolist() == expected


@pytest.mark.parametrize("used", [1, 2, 5, 8])
def test_bitwise_weights_agree_on_every_path(used):
    rng = np.random.default_rng(used)
    x, u = rng.integers(0, 16, (4, 40)), rng.integers(0, 256, (40, 5))
    w = [
        [
            sum((1 if value >> (7 - i) & 1 else -1) << (used - 1 - i) for i in range(used))
            for value in row
        ]
        for row in u.tolist()
    ]
    assert crossbar.bitwise_value(u, 8, used).tolist() == w
    assert (pe_array.pe_array_bitwise(x, u, bits=8, used=used) == x @ np.array(w)).all()
    exact = crossbar.crossbar_bitwise(x, u, bits=8, rows=16, input_bits=4, adc_bits=5, used=used)
    assert (exact == x @ np.array(w)).all()


@pytest.mark.parametrize(("adc_bits", "adc_shift"), [(None, 0), (6, 0), (3, 0), (2, 1), (3, 3)])
@pytest.mark.parametrize("density", [0.0, 0.05, 0.5, 1.0])
def test_no_sum_exceeds_its_peak_and_weights_of_one_sign_reach_it(adc_bits, adc_shift, density):
    rng = np.random.default_rng(3)
    rows, outputs, bits = 50, 12, 3
    mask = rng.random((rows, outputs)) < density
    groups = (50,) if adc_bits is None else (16, 16, 16, 2)
    peaks = channel_peaks(
        mask, groups=groups, input_bits=bits, adc_bits=adc_bits, adc_shift=adc_shift
    )
    x = np.vstack([rng.integers(0, 8, (200, rows)), np.full((1, rows), 7)])

    def sums(w):
        if adc_bits is None:
            return pe_array.pe_array(x, w)
        codes = {"adc_bits": adc_bits, "adc_shift": adc_shift}
        return crossbar.crossbar(x, w, rows=16, input_bits=bits, **codes)

    for signs in (rng.choice([-1, 1], mask.shape), np.ones(mask.shape, int)):
        assert (np.abs(sums(signs_reference.hidden_weights(signs, mask))) <= peaks).all()
    for sign in (-1, 1):
        ends = sums(signs_reference.hidden_weights(np.full(mask.shape, sign), mask))[-1]
        assert (ends == sign * peaks).all()


def test_peaks_of_masks():
    mask = np.zeros((5, 4), bool)
    mask[:, 1] = True
    mask[[0, 3], 2] = True
    mask[1, 3] = True
    assert channel_peaks(mask, groups=(5,), input_bits=2).tolist() == [0, 15, 6, 3]
    crossbar = {"groups": (3, 2), "input_bits": 2, "adc_bits": 1}
    assert channel_peaks(mask, **crossbar).tolist() == [0, 6, 6, 3]
    # A count of 1 is rounded up to a code of 1, worth 2; with a shift of 2 it is lost.
    assert channel_peaks(mask, **crossbar, adc_shift=1).tolist() == [0, 12, 12, 6]
    assert channel_peaks(mask, **crossbar, adc_shift=2).tolist() == [0, 24, 0, 0]
