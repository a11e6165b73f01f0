import pytest
import torch
from torch.nn import functional

from kakure.model.training import loops
from kakure.model.training.convolution import convolve


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("side", "kernel", "padding", "stride"),
    [
        (8, 3, 1, 1),
        (8, 3, 1, 2),
        (7, 3, 0, 2),
        (5, 5, 4, 1),
        (4, 4, 0, 1),
        (6, 1, 0, 1),
        (3, 3, 2, 2),
    ],
)
def test_value_and_gradients_are_pytorchs(monkeypatch, threads, side, kernel, padding, stride):
    monkeypatch.setattr(loops, "LEAST", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(0, 16, (3, 5, side, side + 1), generator=generator).to(torch.bfloat16)
    x = x.contiguous(memory_format=torch.channels_last)
    w = torch.randint(-1, 2, (4, 5, kernel, kernel), generator=generator).to(torch.bfloat16)
    one, other = [[a.clone().requires_grad_() for a in pair] for pair in ((x, w), (x, w))]
    wide = [a.detach().float().requires_grad_() for a in other]
    got = convolve(*one, stride=stride, padding=padding)
    expected = functional.conv2d(*wide, stride=stride, padding=padding)
    assert got.shape == expected.shape
    assert ((got - expected).abs() <= 0.004 * expected.abs()).all()
    up = torch.randint(-3, 4, got.shape, generator=generator)
    gradients = torch.autograd.grad(got, one, up.to(torch.bfloat16))
    for a, b in zip(gradients, torch.autograd.grad(expected, wide, up.float()), strict=True):
        assert ((a - b).abs() <= 0.004 * b.abs()).all()  # integers, of which 8 bits are left
        assert a.abs().max() > 0


def test_what_needs_no_gradient_gets_none():
    x = torch.ones(2, 3, 4, 4, dtype=torch.bfloat16)
    w = torch.ones(2, 3, 3, 3, dtype=torch.bfloat16, requires_grad=True)
    convolve(x, w, stride=1, padding=1).sum().backward()
    assert w.grad is not None and x.grad is None
