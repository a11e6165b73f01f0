"""Products of a network's layers with LAM, forward and backward."""

import torch
from torch import Tensor

from .lam import Lam
from .product import lam_product

__all__ = ["lam_linear", "lam_matmul"]


class LamMatmul(torch.autograd.Function):
    """See :func:`lam_matmul`."""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor, lam: Lam) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.lam = lam
        return lam_product(a, b, lam)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (up,) = grads
        a, b = ctx.saved_tensors
        wants_a, wants_b, _ = ctx.needs_input_grad
        d_a = lam_product(up, b.T, ctx.lam) if wants_a else None
        d_b = lam_product(a.T, up, ctx.lam) if wants_b else None
        return d_a, d_b, None


def lam_matmul(a: Tensor, b: Tensor, lam: Lam) -> Tensor:
    """a @ b, (m, k) x (k, n) -> (m, n), by :func:`.lam_product`; so are both gradients.

    Parameters
    ----------
    a, b : Tensor
        Float32 matrices on the CPU.
    lam : Lam

    Raises
    ------
    ValueError
        If they are not, or do not fit each other.
    """
    result = LamMatmul.apply(a, b, lam)
    assert isinstance(result, Tensor)
    return result


def lam_linear(x: Tensor, weight: Tensor, bias: Tensor | None, lam: Lam) -> Tensor:
    """x @ weight.T + bias, (n, inputs) -> (n, outputs); the bias is added in float32.

    Parameters
    ----------
    weight : Tensor, (outputs, inputs)
    bias : Tensor, (outputs,), or None
    """
    product = lam_matmul(x, weight.T, lam)
    return product if bias is None else product + bias
