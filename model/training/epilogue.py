"""Max-pool, BatchNorm, shortcut and quantization behind the sums of a layer, fast in bfloat16.

As PyTorch's own operations each of them reads and writes the whole map several times, which costs
more than a convolution on a processor with matrix units. Here the maps are read twice forward and
twice backward, by a few loops in C, or, on a GPU or without a C compiler, by PyTorch.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .loops import Size, has_loops, in_ranges, loops, place

__all__ = ["max_pool", "norm_quantize"]


@dataclass(frozen=True)
class Step:
    """What the kernel computes with besides its maps: code = clamp(⌊a·scale + shift + ½⌋ + …)."""

    scale: Tensor
    shift: Tensor
    shortcut: float
    peak: int


def _sums(channels: int, call: Callable[..., Any], rows: int) -> tuple[Tensor, Tensor]:
    """Two sums per channel of a loop that adds up, float64."""
    threads = torch.get_num_threads()
    totals = torch.zeros(threads, 2, channels, dtype=torch.float64)
    part = torch.empty(threads, 2 * channels)

    def work(n: int, first: int, last: int) -> None:
        call(first, last, place(part[n]), place(totals[n, 0]), place(totals[n, 1]))

    in_ranges(rows, channels, work)
    first, second = totals.sum(0)
    return first, second


def _rows(x: Tensor) -> Tensor:
    """A map (n, c, h, w) in channels_last as rows (n·h·w, c), without a copy if it is one."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _map(rows: Tensor, like: Tensor) -> Tensor:
    n, c, h, w = like.shape
    return rows.view(n, h, w, c).permute(0, 3, 1, 2)


class _Loops:
    """The four passes in C, over rows of contiguous bfloat16 on the CPU."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.c = library

    def moments(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Sum, and sum of squares."""
        rows, channels = a.shape

        def call(first: int, last: int, *sums: Any) -> None:
            self.c.moments(place(a), Size(first), Size(last), channels, *sums)

        return _sums(channels, call, rows)

    def forward(self, a: Tensor, added: Tensor | None, step: Step) -> Tensor:
        """Codes."""
        rows, channels = a.shape
        out = torch.empty_like(a)

        def work(_: int, first: int, last: int) -> None:
            self.c.forward(
                place(a), place(added), Size(first), Size(last), channels,
                place(step.scale), place(step.shift), ctypes.c_float(step.shortcut),
                ctypes.c_float(step.peak), place(out),
            )  # fmt: skip

        in_ranges(rows, channels, work)
        return out

    def backward_moments(
        self, a: Tensor, added: Tensor | None, up: Tensor, step: Step
    ) -> tuple[Tensor, Tensor]:
        """Sum of the gradient that passes, and of it times a."""
        rows, channels = a.shape

        def call(first: int, last: int, *sums: Any) -> None:
            self.c.backward_moments(
                place(a), place(added), place(up), Size(first), Size(last), channels,
                place(step.scale), place(step.shift), ctypes.c_float(step.shortcut),
                ctypes.c_float(step.peak), *sums,
            )  # fmt: skip

        return _sums(channels, call, rows)

    def backward(
        self, a: Tensor, added: Tensor | None, up: Tensor, step: Step, *by: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Gradients of a and of what is added; ``by``: of the gradient, of a, and a constant."""
        rows, channels = a.shape
        out = torch.empty_like(a)
        out_added = None if added is None else torch.empty_like(a)

        def work(_: int, first: int, last: int) -> None:
            self.c.backward(
                place(a), place(added), place(up), Size(first), Size(last), channels,
                place(step.scale), place(step.shift), ctypes.c_float(step.shortcut),
                ctypes.c_float(step.peak), *map(place, by), place(out), place(out_added),
            )  # fmt: skip

        in_ranges(rows, channels, work)
        return out, out_added


class _Plain:
    """The four passes in PyTorch, anywhere."""

    def moments(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """Sum, and sum of squares."""
        wide = a.float()
        return wide.sum(0).double(), wide.square().sum(0).double()

    def forward(self, a: Tensor, added: Tensor | None, step: Step) -> Tensor:
        """Codes."""
        y = (a.float() * step.scale + step.shift + 0.5).floor_()
        if added is not None:
            y += (added.float() * step.shortcut).floor_()
        return y.clamp_(0, step.peak).to(a.dtype)

    def _passed(self, a: Tensor, added: Tensor | None, up: Tensor, step: Step) -> Tensor:
        y = a.float() * step.scale + step.shift
        if added is not None:
            y += added.float() * step.shortcut
        return up.float() * ((y > 0) & (y < step.peak))

    def backward_moments(
        self, a: Tensor, added: Tensor | None, up: Tensor, step: Step
    ) -> tuple[Tensor, Tensor]:
        """Sum of the gradient that passes, and of it times a."""
        d = self._passed(a, added, up, step)
        return d.sum(0).double(), (d * a.float()).sum(0).double()

    def backward(
        self, a: Tensor, added: Tensor | None, up: Tensor, step: Step, *by: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Gradients of a and of what is added; ``by``: of the gradient, of a, and a constant."""
        d = self._passed(a, added, up, step)
        out = (d * by[0] + a.float() * by[1] + by[2]).to(a.dtype)
        return out, None if added is None else (d * step.shortcut).to(a.dtype)


def _passes(x: Tensor) -> "_Loops | _Plain":
    library = loops() if has_loops(x) else None
    return _Plain() if library is None else _Loops(library)


class NormQuantize(torch.autograd.Function):
    """See :func:`norm_quantize`."""

    @staticmethod
    def forward(ctx, acc, gamma, beta, added, codes, shortcut, peak, epsilon) -> Tensor:
        a = _rows(acc).contiguous()
        more = None if added is None else _rows(added).contiguous()
        passes = _passes(a)
        total, squares = passes.moments(a)
        mean = total / len(a)
        variance = (squares / len(a) - mean.square()).clamp_(min=0)
        rate = (variance + epsilon).rsqrt()  # 1 / deviation
        scale = gamma.detach().double() * rate * codes
        shift = beta.detach().double() * codes - mean * scale
        step = Step(scale.float(), shift.float(), shortcut, peak)
        ctx.save_for_backward(a, more, mean, rate, step.scale, step.shift)
        ctx.facts = codes, shortcut, peak
        return _map(passes.forward(a, more, step), acc)

    @staticmethod
    def backward(ctx, *grads: Tensor):
        (up,) = grads
        a, more, mean, rate, scale, shift = ctx.saved_tensors
        codes, shortcut, peak = ctx.facts
        step = Step(scale, shift, shortcut, peak)
        passes = _passes(a)
        g = _rows(up.to(a.dtype)).contiguous()
        total, products = passes.backward_moments(a, more, g, step)
        along = (products - mean * total) * rate  # Σ d·x̂
        wide = scale.double()
        by_value = -wide * rate * along / len(a)
        constant = -wide * total / len(a) - by_value * mean
        by = scale, by_value.float(), constant.float()
        d_a, d_more = passes.backward(a, more, g, step, *by)
        d_added = None if d_more is None else _map(d_more, up)
        d_gamma, d_beta = (along * codes).float(), (total * codes).float()
        return _map(d_a, up), d_gamma, d_beta, d_added, None, None, None, None


class MaxPool(torch.autograd.Function):
    """See :func:`max_pool`; in C, on the CPU."""

    @staticmethod
    def forward(ctx, acc: Tensor, size: int) -> Tensor:
        kernel = loops()
        assert kernel is not None
        n, channels, height, width = acc.shape
        a = acc.permute(0, 2, 3, 1).contiguous()
        out = a.new_empty(n, height // size, width // size, channels)
        which = torch.empty(out.shape, dtype=torch.int16)

        def work(_: int, first: int, last: int) -> None:
            kernel.pool(
                place(a), Size(first), Size(last), height, width, channels, size,
                place(out), place(which),
            )  # fmt: skip

        in_ranges(n * (height // size), width * size * channels, work)
        ctx.save_for_backward(which)
        ctx.facts = acc.shape, size
        return out.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None]:
        (which,) = ctx.saved_tensors
        (n, channels, height, width), size = ctx.facts
        up = grads[0].permute(0, 2, 3, 1).contiguous()
        is_covered = not (height % size or width % size)
        make = up.new_empty if is_covered else up.new_zeros
        out = make(n, height, width, channels)
        kernel = loops()
        assert kernel is not None

        def work(_: int, first: int, last: int) -> None:
            kernel.pool_backward(
                place(up), place(which), Size(first), Size(last), height, width, channels, size,
                place(out),
            )  # fmt: skip

        in_ranges(n * (height // size), width * size * channels, work)
        return out.permute(0, 3, 1, 2), None


def max_pool(acc: Tensor, size: int) -> Tensor:
    """Maximum over size x size blocks, (n, c, h, w) -> (n, c, h // size, w // size)."""
    if not has_loops(acc):
        return functional.max_pool2d(acc, size)
    result = MaxPool.apply(acc, size)
    assert isinstance(result, Tensor)
    return result


def norm_quantize(
    acc: Tensor,
    gamma: Tensor,
    beta: Tensor,
    added: Tensor | None,
    *,
    codes: float,
    shortcut: float,
    peak: int,
    epsilon: float,
) -> Tensor:
    """clamp(⌊codes·BatchNorm(acc) + ½⌋ + ⌊shortcut·added⌋, 0, peak), by the batch's statistics.

    Parameters
    ----------
    acc : Tensor, (n, c, h, w), channels_last
    gamma, beta : Tensor, (c,), float32
        Of BatchNorm.
    added : Tensor or None
        What comes over a shortcut, as ``acc``.
    codes : float
        Codes per unit of BatchNorm's output.
    shortcut : float
        Codes per code of ``added``.
    peak : int
        Largest code.
    epsilon : float
        Added to the variance.

    Returns
    -------
    Tensor, as ``acc``
        The gradient is straight-through where what is quantized lies between 0 and ``peak``.
    """
    result = NormQuantize.apply(acc, gamma, beta, added, codes, shortcut, peak, epsilon)
    assert isinstance(result, Tensor)
    return result
