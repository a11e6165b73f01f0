"""Convolutions of training in bfloat16: PyTorch's, but for the weights' gradient of small maps.

oneDNN's gradient of the weights runs at a seventh to a third of its forward pass where maps are 8 x
8 or smaller; there the windows are unrolled and multiplied as matrices.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .loops import Size, has_loops, in_ranges, loops, place

__all__ = ["convolve"]

MOST_POSITIONS = 64
"""Largest map whose windows are unrolled [pixel]."""


class Convolution(torch.autograd.Function):
    """See :func:`convolve`."""

    @staticmethod
    def forward(ctx, x: Tensor, w: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, w)
        ctx.facts = stride, padding
        return functional.conv2d(x, w, stride=stride, padding=padding)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        x, w = ctx.saved_tensors
        stride, padding = ctx.facts
        up = grads[0].contiguous(memory_format=torch.channels_last)
        d_x = None
        if ctx.needs_input_grad[0]:
            sides = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [True, False, False]
            d_x = torch.ops.aten.convolution_backward(up, x, w, None, *sides)[0]
        outputs, channels, kernel_height, kernel_width = w.shape
        windows = unrolled(x, kernel_height, kernel_width, padding, stride, tuple(up.shape[2:]))
        rows = up.permute(0, 2, 3, 1).reshape(-1, outputs)
        d_w = rows.T.contiguous() @ windows  # as it is, the transposed product is half as fast
        d_w = d_w.view(outputs, kernel_height, kernel_width, channels).permute(0, 3, 1, 2)
        return d_x, d_w, None, None


def unrolled(
    x: Tensor,
    kernel_height: int,
    kernel_width: int,
    padding: int,
    stride: int,
    size: tuple[int, ...],
) -> Tensor:
    """Windows of a map as rows (ky, kx, channel), (n, c, h, w) -> (n·h'·w', kh·kw·c).

    Parameters
    ----------
    x : Tensor, bfloat16 on the CPU
    size : tuple of int
        (h', w')
    """
    library = loops()
    assert library is not None
    n, channels, height, width = x.shape
    a = x.permute(0, 2, 3, 1).contiguous()
    out = a.new_empty(n * size[0] * size[1], kernel_height * kernel_width * channels)

    def work(_: int, first: int, last: int) -> None:
        library.columns(
            place(a), Size(first), Size(last), height, width, channels, *size,
            kernel_height, kernel_width, padding, stride, place(out),
        )  # fmt: skip

    in_ranges(n * size[0], size[1] * out.shape[1], work)
    return out


def convolve(x: Tensor, w: Tensor, *, stride: int, padding: int) -> Tensor:
    """The convolution of PyTorch, (n, c, h, w), (o, c, kh, kw) -> (n, o, h', w')."""
    height = (x.shape[2] + 2 * padding - w.shape[2]) // stride + 1
    width = (x.shape[3] + 2 * padding - w.shape[3]) // stride + 1
    if height * width > MOST_POSITIONS or not has_loops(x):
        return functional.conv2d(x, w, stride=stride, padding=padding)
    result = Convolution.apply(x, w, stride, padding)
    assert isinstance(result, Tensor)
    return result
