"""Layers that train a supermask, exact in the forward pass and straight-through in the backward."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry

from .sums import Sums

__all__ = [
    "HiddenLayer",
    "MaskedWeights",
    "largest",
    "quantize",
    "shortcut",
    "sum_pool",
    "unroll",
]

EPSILON = 0.25
"""Added to the variance of the sums, which are integers: a constant channel keeps a small scale."""


class Largest(torch.autograd.Function):
    """Mask of the ``count`` largest elements; the gradient passes straight through."""

    @staticmethod
    def forward(ctx, scores: Tensor, count: int) -> Tensor:
        kept = scores.flatten().topk(count, sorted=False).indices
        mask = torch.zeros_like(scores).view(-1)
        return mask.index_fill_(0, kept, 1.0).view_as(scores)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


class Quantize(torch.autograd.Function):
    """clamp(⌊y + 1/2⌋, 0, peak); the gradient is 1 inside the range and 0 outside."""

    @staticmethod
    def forward(ctx, y: Tensor, peak: int) -> Tensor:
        ctx.save_for_backward((y > 0) & (y < peak))
        return (y + 0.5).floor_().clamp_(0, peak)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return grads[0] * inside, None


class EngineSum(torch.autograd.Function):
    """Sums of an engine that rounds; the gradient is that of the plain matrix product."""

    @staticmethod
    def forward(ctx, x: Tensor, w: Tensor, sums: Sums) -> Tensor:
        ctx.save_for_backward(x, w)
        return sums(x, w)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, Tensor, None]:
        (grad,) = grads
        x, w = ctx.saved_tensors
        return (w @ grad if ctx.needs_input_grad[0] else None), x @ grad.T, None


def largest(scores: Tensor, count: int) -> Tensor:
    """1 at the ``count`` largest elements of ``scores``, else 0; straight-through."""
    return Largest.apply(scores, count)


def quantize(y: Tensor, bits: int) -> Tensor:
    """Round half up to an unsigned code of ``bits`` bits; straight-through inside the range."""
    return Quantize.apply(y, (1 << bits) - 1)


def shortcut(x: Tensor, input_bits: int, output_bits: int) -> Tensor:
    """Activations in the step of another width, rounded down; straight-through."""
    exact = x * 2.0 ** (output_bits - input_bits)
    return exact if output_bits >= input_bits else exact + (exact.floor() - exact).detach()


def sum_pool(x: Tensor, shift: int, bits: int) -> Tensor:
    """Sums over the map, min(⌊Σ / 2^shift⌋, 2^bits − 1), (n, c, h, w) -> (n, c, 1, 1).

    Straight-through where the sum does not saturate.
    """
    total = x.sum((2, 3), keepdim=True) * 2.0**-shift
    return (total + (total.floor() - total).detach()).clamp(max=(1 << bits) - 1)


def unroll(
    x: Tensor, kernel_height: int, kernel_width: int, padding: int, stride: int = 1
) -> Tensor:
    """Windows of a map, (n, c, h, w) -> (c·kh·kw, n·h'·w'); row r = (channel, ky, kx)."""
    columns = functional.unfold(x, (kernel_height, kernel_width), padding=padding, stride=stride)
    return columns.transpose(0, 1).reshape(columns.shape[1], -1)


class MaskedWeights(nn.Module):
    """Weights m·s of one layer: fixed signs s, and m = 1 at the largest |scores|.

    Parameters
    ----------
    signs : Tensor, (fan_in, outputs)
        −1 or +1.
    kept : int, at least 1
        How many weights survive.
    generator : torch.Generator
        Draws the first scores, uniform within ±1/√fan_in.

    Source
    ------
    Ramanujan et al., CVPR 2020, arXiv:1911.13299 (edge-popup).
    """

    signs: Tensor

    def __init__(self, signs: Tensor, *, kept: int, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("signs", signs.float(), persistent=False)
        self.kept = kept
        bound = signs.shape[0] ** -0.5
        scores = torch.empty(signs.shape).uniform_(-bound, bound, generator=generator)
        self.scores = nn.Parameter(scores)

    @property
    def mask(self) -> Tensor:
        """The supermask, bool, (fan_in, outputs)."""
        return largest(self.scores.detach().abs(), self.kept).bool()

    def forward(self) -> Tensor:
        # The gradient must pass through |s|: ranking |s| but updating s trains backwards for s < 0.
        return self.signs * largest(self.scores.abs(), self.kept)


class HiddenLayer(nn.Module):
    """Sums of windows, max-pool, BatchNorm, and, but for the last layer, quantization.

    A residual layer adds a map before it quantizes.

    Parameters
    ----------
    geometry : LayerGeometry
    engine : LayerConfig
        What computes the sums.
    weights : MaskedWeights
    sums : Sums or None
        As :func:`kakure.model.training.sums.trained_sums` gives them.
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        engine: LayerConfig,
        weights: MaskedWeights,
        sums: Sums | None,
    ) -> None:
        super().__init__()
        self.geometry = geometry
        self.engine = engine
        self.weights = weights
        self.engine_sums = sums
        self.norm = nn.BatchNorm2d(geometry.outputs, eps=EPSILON)

    @property
    def scale(self) -> int:
        """Codes per unit of the BatchNorm's output: the step is 2^(1 − bits)."""
        bits = self.geometry.output_bits
        return 1 if bits is None else 1 << (bits - 1)

    def sums(self, x: Tensor) -> Tensor:
        """Accumulators before the pool, integers, (n, c, h, w) -> (outputs, n, h', w')."""
        geometry = self.geometry
        kernel = geometry.kernel_height, geometry.kernel_width
        rows = unroll(x, *kernel, geometry.padding, geometry.stride)
        w = self.weights()
        sums = self.engine_sums
        acc = w.T @ rows if sums is None else EngineSum.apply(rows, w, sums)
        assert isinstance(acc, Tensor)
        return acc.view(geometry.outputs, len(x), geometry.out_height, geometry.out_width)

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        summed = self.geometry.summed
        if summed is not None:
            x = sum_pool(x, summed.shift, self.geometry.input_bits)
        acc = self.sums(x)
        if self.geometry.pool > 1:
            acc = functional.max_pool2d(acc, self.geometry.pool)
        y = self.norm(acc.transpose(0, 1))
        bits = self.geometry.output_bits
        if bits is None:
            return y
        y = y * self.scale
        if added is not None:
            y = y + shortcut(added, self.geometry.added_bits, bits)
        return quantize(y, bits)
