"""Layers whose products are LAM's, forward and backward."""

import torch

from kakure.model.training.lam.lam import Lam
from kakure.model.training.lam.linear import lam_linear, lam_matmul
from kakure.model.training.lam.product import lam_product

LAM = Lam.named("constant", 7)


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_both_gradients_are_products_of_the_same_kind():
    a, b, up = normal(4, 5).requires_grad_(), normal(5, 3).requires_grad_(), normal(4, 3)
    out = lam_matmul(a, b, LAM)
    out.backward(up)
    assert a.grad is not None and b.grad is not None
    assert torch.equal(out, lam_product(a, b, LAM))
    assert torch.equal(a.grad, lam_product(up, b.T, LAM))
    assert torch.equal(b.grad, lam_product(a.T, up, LAM))
    assert not torch.equal(a.grad, up @ b.T)


def test_gradients_that_nobody_wants_are_not_computed():
    b = normal(5, 3).requires_grad_()
    lam_matmul(normal(4, 5), b, LAM).sum().backward()
    assert b.grad is not None


def test_a_layer():
    x, weight, bias = normal(6, 5), normal(3, 5).requires_grad_(), normal(3).requires_grad_()
    out = lam_linear(x, weight, bias, LAM)
    assert torch.equal(out, lam_product(x, weight.T, LAM) + bias)
    assert torch.equal(lam_linear(x, weight, None, LAM), lam_product(x, weight.T, LAM))
    out.backward(normal(6, 3))
    assert weight.grad is not None and bias.grad is not None
    assert torch.equal(weight.grad, lam_product(x.T, normal(6, 3), LAM).T)
    assert torch.equal(bias.grad, normal(6, 3).sum(0))
