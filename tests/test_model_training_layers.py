import itertools

import numpy as np
import pytest
import torch
from branching import HEAD, branching

from kakure.model.reference import crossbar as crossbar_reference
from kakure.model.reference import signs as signs_reference
from kakure.model.reference import stages
from kakure.model.training.layers import EngineSum, quantize, shortcut, unroll
from kakure.model.training.masks import MaskedWeights, largest
from kakure.model.training.sums import CrossbarSums


def draw(seed, n, f, c, input_bits):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << input_bits, (n, f)), rng.integers(-1, 2, (f, c))


@pytest.mark.parametrize("adc_bits", [1, 3, 4, 7])
@pytest.mark.parametrize("adc_shift", [0, 1, 2])
@pytest.mark.parametrize(("rows", "f", "c"), [(64, 9, 5), (7, 20, 3), (64, 130, 2)])
@pytest.mark.parametrize("input_bits", [1, 4, 8])
def test_crossbar_equals_the_reference(adc_bits, adc_shift, rows, f, c, input_bits):
    x, w = draw(f + adc_bits, 4, f, c, input_bits)
    sums = CrossbarSums(rows, input_bits, adc_bits, adc_shift)
    got = sums(torch.from_numpy(x.T).float(), torch.from_numpy(w).float())
    expected = crossbar_reference.crossbar(
        x, w, rows=rows, input_bits=input_bits, adc_bits=adc_bits, adc_shift=adc_shift
    )
    assert (got.T.long().numpy() == expected).all()


def test_the_gradient_is_that_of_the_plain_product():
    x, w = draw(1, 4, 70, 3, 4)
    up = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))

    def gradients(product):
        a = torch.from_numpy(x.T).float().requires_grad_()
        b = torch.from_numpy(w).float().requires_grad_()
        return torch.autograd.grad(product(a, b), (a, b), up)

    plain = gradients(lambda a, b: b.T @ a)
    through = gradients(lambda a, b: EngineSum.apply(a, b, CrossbarSums(64, 4, 2, 0)))
    for expected, got in zip(plain, through, strict=True):
        assert torch.allclose(got, expected)


@pytest.mark.parametrize(("height", "width", "padding"), [(3, 3, 1), (2, 4, 0), (1, 1, 0)])
@pytest.mark.parametrize(("rows", "adc_bits", "heavy"), [(16, 3, 0), (16, 3, 1), (7, 2, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_corrected_convolution_equals_the_reference(
    height, width, padding, rows, adc_bits, heavy, stride
):
    rng = np.random.default_rng(heavy)
    channels, outputs, window, cap = 40, 6, height * width, 2**adc_bits - 1
    x = rng.integers(0, 16, (3, 6, 7, channels))
    w = np.zeros((channels * window, outputs), int)
    starts = range(0, len(w), rows)
    for column, start in itertools.product(range(outputs), starts):  # as many cells as can be
        part = w[start : start + rows, column]
        some = rng.permutation(len(part))[: 2 * cap]
        part[some] = np.where(np.arange(len(some)) < cap, 1, -1)
    for group in rng.permutation(len(starts) - 1)[:heavy]:
        w[group * rows : (group + 1) * rows, rng.integers(outputs)] = rng.choice([-1, 1])
    kernel = torch.from_numpy(w.T.reshape(outputs, channels, height, width)).float()
    sums = CrossbarSums(rows, 4, adc_bits, 0)
    saturating = sums.saturating(kernel)
    assert saturating is not None and int(saturating.any(0).sum()) == heavy
    image = torch.from_numpy(x).permute(0, 3, 1, 2).float()
    steps = {"stride": stride, "padding": padding}
    got = torch.nn.functional.conv2d(image, kernel, **steps)
    got = got + sums.correction(image, kernel, saturating, **steps)
    rows_of = stages.windows(x, height, width, padding, stride)
    expected = crossbar_reference.crossbar(
        rows_of.reshape(-1, len(w)), w, rows=rows, input_bits=4, adc_bits=adc_bits
    )
    got = got.permute(0, 2, 3, 1).reshape(expected.shape)
    assert (got.long().numpy() == expected).all()
    plain = rows_of.reshape(-1, len(w)) @ w
    assert (plain != expected).any() == (heavy > 0)


def test_a_convolution_is_corrected_where_few_groups_saturate():
    sums = CrossbarSums(2, 4, 1, 0)
    kernel = torch.zeros(3, 8, 1, 1)
    for groups, are_few in ((0, True), (1, True), (2, False)):
        kernel[1, : 2 * groups] = 1
        saturating = sums.saturating(kernel)
        assert saturating is not None and saturating.shape == (3, 4)
        assert saturating.sum() == groups and sums.are_few(saturating) == are_few
    assert CrossbarSums(2, 4, 1, 1).saturating(kernel) is None  # rounded


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width", "padding"), [(3, 3, 1), (2, 5, 0), (1, 1, 0)])
def test_unroll_equals_the_reference(height, width, padding, stride):
    x = np.random.default_rng(1).integers(0, 16, (2, 5, 6, 3))
    got = unroll(torch.from_numpy(x).permute(0, 3, 1, 2).float(), height, width, padding, stride)
    expected = stages.windows(x, height, width, padding, stride)
    assert (got.T.long().numpy() == expected.reshape(-1, expected.shape[-1])).all()


def test_largest_keeps_the_count_and_passes_the_gradient():
    scores = torch.tensor([[0.3, 0.1], [0.4, 0.2]], requires_grad=True)
    mask = largest(scores, 2)
    assert mask.tolist() == [[1.0, 0.0], [1.0, 0.0]]
    mask.backward(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert scores.grad is not None
    assert scores.grad.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_quantize_rounds_half_up_and_stops_the_gradient_outside():
    y = torch.tensor([-0.6, -0.5, 0.49, 0.5, 1.5, 2.5, 3.0, 3.1], requires_grad=True)
    codes = quantize(y, 2)
    assert codes.tolist() == [0, 0, 0, 1, 2, 3, 3, 3]
    codes.sum().backward()
    assert y.grad is not None
    assert y.grad.tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_hidden_weights(density):
    generator = torch.Generator().manual_seed(1)
    signs = torch.from_numpy(
        signs_reference.sign_matrix("xorshift32", seed=1, layer=0, channels=4, window=9, outputs=10)
    )
    layer = {"kind": "conv", "channels": 10, "kernel": 3, "engine": "pe_array", "input_bits": 4}
    layers = [layer, HEAD]
    geometry = branching("stride", dataset="i", input_shape=[8, 8, 4], layers=layers).geometry[0]
    weights = MaskedWeights(geometry, signs, kept=round(360 * density), generator=generator)
    w = weights()
    assert int(w.count_nonzero()) == round(360 * density) == int(weights.mask.sum())
    assert (w == signs * weights.mask).all()
    w.sum().backward()
    # The gradient passes through |s|: it turns its sign where the score is negative.
    assert weights.scores.grad is not None
    scores = weights.outside(weights.scores.detach())
    assert (weights.outside(weights.scores.grad) == signs * scores.sign()).all()


@pytest.mark.parametrize(("read", "written"), [(4, 2), (3, 3), (2, 5)])
def test_a_shortcut_is_in_the_step_of_what_is_written_and_its_gradient_is_straight(read, written):
    codes = torch.arange(1 << read, dtype=torch.float32, requires_grad=True)
    found = shortcut(codes, read, written)
    wanted = [(code << written) >> read for code in range(1 << read)]
    assert found.tolist() == wanted
    found.sum().backward()
    assert codes.grad is not None
    assert (codes.grad == 2.0 ** (written - read)).all()
