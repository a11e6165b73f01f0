import pytest
import torch
from branching import HEAD, branching

from kakure.model.training.masks import AgreeingWeights, MaskedWeights

LAYER = {"kind": "conv", "channels": 6, "kernel": 3, "engine": "pe_array", "input_bits": 4}
KINDS = {
    "edge-popup": MaskedWeights,
    "biprop": lambda *a, **k: MaskedWeights(*a, **k, normal=True),
    "agreeing": AgreeingWeights,
}


def weights(kind, kept=100):
    layers = [LAYER, HEAD]
    geometry = branching("stride", dataset="i", input_shape=[8, 8, 4], layers=layers).geometry[0]
    generator = torch.Generator().manual_seed(1)
    signs = torch.randint(0, 2, (36, 6), generator=generator) * 2 - 1
    return signs, KINDS[kind](geometry, signs, kept=kept, generator=generator)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_signs_where_the_mask_keeps_them(kind):
    signs, layer = weights(kind)
    assert layer.mask.shape == (36, 6) and int(layer.mask.sum()) == 100
    assert (layer() == signs * layer.mask).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_kernel_is_the_weights_in_the_order_of_a_convolution(kind, dtype):
    _, layer = weights(kind)
    expected = layer().detach().T.reshape(6, 4, 3, 3)  # rows are (channel, ky, kx)
    assert (layer.exact_kernel() == expected).all()
    kernel = layer.kernel(dtype)
    assert kernel.dtype == dtype
    assert (kernel.float() == expected).all()
    assert kernel.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", KINDS)
def test_both_kernels_have_the_same_gradient(kind):
    _, layer = weights(kind)
    up = torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(2))
    (exact,) = torch.autograd.grad(layer.exact_kernel(), layer.scores, up)
    (fast,) = torch.autograd.grad(layer.kernel(torch.float32), layer.scores, up)
    assert (exact == fast).all()
    dense = up.permute(0, 2, 3, 1).reshape(6, 36)
    sign = layer.signs * layer.scores.detach().sign() if kind != "agreeing" else 1
    assert (exact == dense * sign).all()  # kept or not


def test_agreeing_weights_begin_in_agreement_and_leave_where_they_differ():
    _, layer = weights("agreeing", kept=216)
    assert (layer.ranks() > 0).all()
    with torch.no_grad():
        layer.scores[0] *= -1  # against their signs: the last to be kept
    layer.kept = 216 - 36
    assert not layer.mask[:, 0].any() and layer.mask[:, 1:].all()


def test_a_threshold_stands_for_some_steps_and_is_made_anew_in_an_epoch():
    _, layer = weights("agreeing")
    first = layer.kernel(torch.float32).detach().clone()
    with torch.no_grad():
        layer.scores *= 0.5
    counts = [int((layer.kernel(torch.float32) != 0).sum()) for _ in range(layer.EVERY)]
    assert counts[:-1] == [counts[0]] * (layer.EVERY - 1) and counts[0] < 100
    assert counts[-1] == 100 == int((first != 0).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_of_equal_ranks_as_many_survive_as_are_kept(kind):
    signs, layer = weights(kind)
    with torch.no_grad():
        layer.scores[:] = layer.signs * 0.5
    assert int(layer.mask.sum()) == 100
    assert int((layer() != 0).sum()) == 100
    assert int((layer.exact_kernel() != 0).sum()) == 100
    assert (layer().detach() == signs * layer.mask).sum() >= 216 - 200
