"""Folding: channels that are dead, constant or weak cost the others nothing."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset_json
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Scales
from kakure.model.reference import (
    crossbar as crossbar_reference,
)
from kakure.model.reference import (
    network as network_reference,
)
from kakure.model.reference import (
    pe_array,
)
from kakure.model.reference import (
    signs as signs_reference,
)
from kakure.model.reference.crossbar import channel_peaks
from kakure.model.reference.stages import requantize
from kakure.model.training.folding import fold, fold_logits, fold_scale
from kakure.model.training.layers import EPSILON
from kakure.model.training.masks import KeptSigns
from kakure.model.training.network import IntegerNetwork, Network, as_tensor

BITS = 4
CODES = 1 << (BITS - 1)
MOST = 2**15 - 1
BOUND = 2**31 - 1


def signs_of(layer) -> KeptSigns:
    """The weights of a layer, of signs that a mask keeps."""
    assert isinstance(layer.weights, KeptSigns)
    return layer.weights


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


def small(residual: bool = False):
    data = json.loads(preset_json("residual" if residual else "digits"))
    return parse_config(json.dumps(data))


def trained(config, images):
    network = Network(config, generator=torch.Generator().manual_seed(1))
    network.reestimate([images[:100], images[100:]])
    return network


@pytest.mark.parametrize("residual", [False, True])
def test_dead_channels_of_a_network_leave_the_others_alone(residual):
    """A mask is emptied in every layer: no integer of another channel changes."""
    config = small(residual)
    rng = np.random.default_rng(7)
    images = as_tensor(rng.integers(0, 256, (200, *config.shape)).astype(np.uint8))
    network = trained(config, images)
    before = fold(network)
    for layer in network.layers:
        with torch.no_grad():
            layer.weights.scores[2] = 0.0
            kept = int((layer.weights.scores != 0).sum())
            signs = signs_of(layer)
            signs.kept = min(signs.kept, kept)
            assert layer.norm.running_mean is not None and layer.norm.running_var is not None
            layer.norm.running_mean[2] = 0.0
            layer.norm.running_var[2] = 0.0
            layer.norm.bias[2] = 0.7
    after = fold(network)
    for layer, old, new in zip(network.layers, before.layers, after.layers, strict=True):
        assert not new.mask[:, 2].any()
        live = np.arange(len(old.shift)) != 2
        assert (old.shift[live] == new.shift[live]).all()
        assert (old.multiplier[live] == new.multiplier[live]).all()
        assert (old.offset[live] == new.offset[live]).all()
        assert new.multiplier[2] == 0
        bits = layer.geometry.output_bits
        if bits is not None:
            assert new.offset[2] >> new.shift[2] == np.floor(0.7 * (1 << (bits - 1)) + 0.5)
    assert before.metadata == after.metadata
    integers = IntegerNetwork(config, after)(images[:20]).long().numpy()
    pixels = images[:20].permute(0, 2, 3, 1).numpy()
    assert (integers == network_reference.network(config, after, pixels)).all()


@pytest.mark.parametrize("bias", [-0.3, 0.0, 0.2, 0.7])
@pytest.mark.parametrize("mean", [-(10**6), -70001, 3, 70001, 10**6])
def test_a_channel_that_is_constant_away_from_0_gives_its_constant(mean, bias):
    """In a trained layer, with a mask that keeps weights: M errs by its rounding, not y."""
    network = Network(small(), generator=torch.Generator().manual_seed(1))
    norm = network.layers[0].norm
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        norm.weight[:], norm.bias[:] = 0.87, bias
        norm.running_mean[:], norm.running_var[:] = mean, 0.0
    layer = fold(network).layers[0]
    y = requantize(np.array([[mean]]), layer.multiplier, layer.offset, layer.shift, BITS)
    assert (y == np.clip(np.floor(float(np.float32(bias)) * CODES + 0.5), 0, 15)).all()


@pytest.mark.parametrize(("adc_bits", "adc_shift"), [(5, 0), (2, 0), (3, 2), (4, 3)])
def test_the_last_layer_is_folded_within_the_reach_of_its_readouts(adc_bits, adc_shift):
    """M, B and the scale follow from the statistics, and from what the masks leave of acc."""
    data = json.loads(preset_json("digits"))
    engine = {"engine": "crossbar", "column_sharing": 2, "adc_type": "sar"}
    data["layers"][-1] |= {**engine, "adc_bits": adc_bits, "adc_shift": adc_shift}
    config = parse_config(json.dumps(data))
    network = Network(config, generator=torch.Generator().manual_seed(1))
    layer, geometry = network.layers[-1], config.geometry[-1]
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    with torch.no_grad():
        layer.weights.scores[4] = 0.0
        layer.weights.scores[4, 0] = 1.0  # a count of 1 is lost where adc_shift is 2 or more
        signs = signs_of(layer)
        signs.kept = 1 + signs.kept * 8 // 10
        norm.bias[:] = torch.linspace(5000, 6000, 10)
        norm.running_mean[:] = torch.arange(10)
        norm.running_var[:] = torch.tensor([1e-6, 0.0, *[900.0] * 8])
    mean, variance = norm.running_mean.double().numpy(), norm.running_var.double().numpy()
    slope = 1 / np.sqrt(variance + EPSILON)
    mask = layer.weights.masks[0].numpy()
    reach = channel_peaks(
        mask,
        groups=geometry.groups,
        input_bits=geometry.input_bits,
        adc_bits=adc_bits,
        adc_shift=adc_shift,
    )
    assert (reach[4] == 0) == (adc_shift >= 2)
    intercept = norm.bias.detach().double().numpy() - slope * mean
    expected = fold_logits(slope, intercept, reach, mean=mean, deviation=np.sqrt(variance))
    parameters = fold(network)
    last = parameters.layers[-1]
    assert (last.multiplier == expected.multiplier).all()
    assert (last.offset == expected.offset).all()
    assert (last.shift == 0).all()
    assert parameters.metadata["logit_shift"] == str(expected.shift[0])
    assert (last.multiplier == 0).tolist() == [False, True, False, False, adc_shift >= 2] + [
        False
    ] * 5


def test_a_network_of_dead_channels_only_is_its_constants():
    config = small()
    rng = np.random.default_rng(7)
    images = as_tensor(rng.integers(0, 256, (200, *config.shape)).astype(np.uint8))
    network = trained(config, images)
    for layer in network.layers:
        signs_of(layer).kept = 0
        assert layer.norm.running_mean is not None and layer.norm.running_var is not None
        layer.norm.running_mean.zero_()
        layer.norm.running_var.zero_()
    torch.nn.init.uniform_(
        network.layers[-1].norm.bias, -1, 1, generator=torch.Generator().manual_seed(1)
    )
    parameters = fold(network)
    assert all((layer.multiplier == 0).all() for layer in parameters.layers)
    integers = IntegerNetwork(config, parameters)(images[:4])
    scale = 2.0 ** int(parameters.metadata["logit_shift"])
    constants = network.layers[-1].norm.bias.detach().double()
    assert (integers == torch.round(constants * scale)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("tensor", "name"),
    [("weight", "gamma"), ("bias", "beta"), ("running_mean", "mean"), ("running_var", "variance")],
)
def test_statistics_of_a_training_that_diverged(tensor, name, value):
    network = Network(small(), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        getattr(network.layers[1].norm, tensor)[3] = value
    message = rf"^layers\[1\]: the {name} of BatchNorm must be finite, not {value}: training div"
    with pytest.raises(UserError, match=message):
        fold(network)


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
        return crossbar_reference.crossbar(x, w, rows=16, input_bits=bits, **codes)

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
