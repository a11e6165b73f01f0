import pytest
import torch

from kakure.model.training import epilogue, loops
from kakure.model.training.layers import quantize, shortcut

PEAK_BITS = 4


def maps(dtype, n=7, c=5, h=6, w=4):
    generator = torch.Generator().manual_seed(1)
    shape = (n, c, h, w)
    acc = (torch.randn(shape, generator=generator) * 20).round()
    added = torch.randint(0, 8, shape, generator=generator)
    up = torch.randn(shape, generator=generator)
    return [x.to(dtype).contiguous(memory_format=torch.channels_last) for x in (acc, added, up)]


def plain(acc, gamma, beta, added, codes):
    """What the layers compute in float32."""
    y = torch.nn.functional.batch_norm(acc, None, None, gamma, beta, True, 0.0, 0.25) * codes
    if added is not None:
        y = y + shortcut(added, 3, PEAK_BITS)
    return quantize(y, PEAK_BITS)


@pytest.mark.parametrize("has_loops", [True, False])
@pytest.mark.parametrize("is_residual", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_codes_and_gradients_are_those_of_the_plain_layers(
    monkeypatch, has_loops, is_residual, threads
):
    if not has_loops:
        monkeypatch.setattr(epilogue, "has_loops", lambda _: False)
    monkeypatch.setattr(loops, "LEAST", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    acc, added, up = maps(torch.bfloat16)
    acc, added = acc.requires_grad_(), added.requires_grad_()
    gamma = torch.linspace(0.5, 1.5, 5).requires_grad_()
    beta = torch.linspace(-0.2, 0.2, 5).requires_grad_()
    given = [acc, gamma, beta, *([added] if is_residual else [])]
    got = epilogue.norm_quantize(
        acc,
        gamma,
        beta,
        added if is_residual else None,
        codes=7.0,
        shortcut=2.0,
        peak=15,
        epsilon=0.25,
    )
    gradients = torch.autograd.grad(got, given, up)
    wide = [x.detach().float().requires_grad_() for x in given]
    expected = plain(wide[0], wide[1], wide[2], wide[3] if is_residual else None, 7.0)
    assert (got.float() == expected).all()
    assert set(got.unique().tolist()) == set(range(16))
    for one, other in zip(gradients, torch.autograd.grad(expected, wide, up.float()), strict=True):
        largest = other.abs().max()
        assert (one.float() - other).abs().max() < 0.004 * largest  # 8 bits
    if is_residual:
        assert (gradients[3].float() != 0).any()


def test_float32_goes_without_the_loops():
    acc, _, _ = maps(torch.float32)
    gamma, beta = torch.ones(5), torch.zeros(5)
    keys = {"codes": 8.0, "shortcut": 1.0, "peak": 15, "epsilon": 0.25}
    got = epilogue.norm_quantize(acc, gamma, beta, None, **keys)
    assert (got == plain(acc, gamma, beta, None, 8.0)).all()


def test_the_loops_are_there_with_a_compiler():
    assert loops.loops() is not None


def test_without_a_compiler_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    loops.loops.cache_clear()
    assert loops.loops() is None
    loops.loops.cache_clear()


@pytest.mark.parametrize(("height", "width", "size"), [(6, 4, 2), (7, 5, 2), (9, 10, 3)])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_pool_in_c_is_pytorchs(monkeypatch, height, width, size, threads):
    monkeypatch.setattr(loops, "LEAST", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    acc, _, _ = maps(torch.bfloat16, h=height, w=width)
    acc = (acc / 16).round() + 0.0  # many equals, the first of them counts; and no -0
    up = torch.randn(7, 5, height // size, width // size).to(torch.bfloat16)
    one, other = acc.clone().requires_grad_(), acc.float().requires_grad_()
    got, expected = epilogue.max_pool(one, size), torch.nn.functional.max_pool2d(other, size)
    assert (got == expected).all()
    (gradient,) = torch.autograd.grad(got, one, up)
    assert (gradient == torch.autograd.grad(expected, other, up.float())[0]).all()
