"""Layers that train a supermask, exact in the forward pass and straight-through in the backward."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry

from .convolution import convolve
from .epilogue import max_pool, norm_quantize
from .sums import CrossbarSums, Sums
from .trained_weights import TrainedWeights

__all__ = [
    "HiddenLayer",
    "quantize",
    "shortcut",
    "sum_pool",
    "unroll",
]

EPSILON = 0.25
"""Added to the variance of the sums, which are integers: a constant channel keeps a small scale."""


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
    def forward(ctx, x: Tensor, w: Tensor, sums: Sums, coats: int = 1) -> Tensor:
        ctx.save_for_backward(x, w)
        if coats == 1:
            return sums(x, w).to(x.dtype)
        return torch.stack([sums(x, w.sign() * (w.abs() > n)) for n in range(coats)]).sum(0)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        (grad,) = grads
        x, w = ctx.saved_tensors
        return (w @ grad if ctx.needs_input_grad[0] else None), x @ grad.T, None, None


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


class HiddenLayer(nn.Module):
    """Sums of windows, max-pool, BatchNorm, and, but for the last layer, quantization.

    A residual layer adds a map before it quantizes.

    Parameters
    ----------
    geometry : LayerGeometry
    engine : LayerConfig
        What computes the sums.
    weights : TrainedWeights
    sums : sequence of Sums or None
        As :func:`kakure.model.training.sums.trained_sums` gives them, at each precision of the
        weights.
    codes : float, optional
        Codes per unit of BatchNorm's output; 2^(bits − 1) when left out.
    gamma : float
        What BatchNorm's γ begins with.
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        engine: LayerConfig,
        weights: TrainedWeights,
        sums: Sequence[Sums | None],
        *,
        codes: float | None = None,
        gamma: float = 1.0,
    ) -> None:
        super().__init__()
        self.geometry = geometry
        self.engine = engine
        self.weights = weights
        self.sums_at = sums
        self.codes = codes
        self.norm = nn.BatchNorm2d(geometry.outputs, eps=EPSILON)
        """Of all planes."""
        coarser = (nn.BatchNorm2d(geometry.outputs, eps=EPSILON) for _ in sums[1:])
        self.coarser = nn.ModuleList(coarser)
        """Of 1, 2, … planes."""
        for norm in self.norms:
            nn.init.constant_(norm.weight, gamma)
        self.width = self.widths
        self.dtype = torch.float32
        """Of a step: exact in float32; in bfloat16 fast, and sums lose all but 8 bits."""

    @property
    def widths(self) -> int:
        """Precisions of the weights, 1 to so many bits."""
        return len(self.sums_at)

    @property
    def norms(self) -> list[nn.BatchNorm2d]:
        """The BatchNorm of 1, 2, … planes."""
        return [*(norm for norm in self.coarser if isinstance(norm, nn.BatchNorm2d)), self.norm]

    @property
    def norm_now(self) -> nn.BatchNorm2d:
        """That of the precision in use."""
        return self.norm if self.width == self.widths else self.norms[self.width - 1]

    def use(self, width: int) -> None:
        """Compute with weights of so many bits from now on, or all that there are."""
        self.width = min(width, self.widths)
        self.weights.use(self.width)

    def collect(self, *, is_new: bool) -> None:
        """Let BatchNorm of the precision in use collect new statistics, or keep those it has."""
        norm = self.norm_now
        if is_new:
            norm.reset_running_stats()
        norm.momentum = None if is_new else 0.0  # None is the mean of all batches

    @property
    def engine_sums(self) -> Sums | None:
        """Those of the precision in use."""
        return self.sums_at[self.width - 1]

    @property
    def scale(self) -> float:
        """Codes per unit of the BatchNorm's output."""
        bits = self.geometry.output_bits
        if bits is None:
            return 1
        return 1 << (bits - 1) if self.codes is None else self.codes

    def sums(self, x: Tensor) -> Tensor:
        """Accumulators before the pool, integers, (n, c, h, w) -> (n, outputs, h', w')."""
        g = self.geometry
        plain = self._plain_sums(x)
        if plain is not None:
            return plain
        rows = unroll(x, g.kernel_height, g.kernel_width, g.padding, g.stride)
        acc = EngineSum.apply(rows.float(), self.weights(), self.engine_sums, self.weights.coats)
        assert isinstance(acc, Tensor)
        return acc.view(g.outputs, len(x), g.out_height, g.out_width).transpose(0, 1)

    def _plain_sums(self, x: Tensor) -> Tensor | None:
        """Sums of a convolution, where they are the engine's but for a few readouts; else None."""
        is_fast = self.dtype != torch.float32
        w = self.weights.kernel(self.dtype) if is_fast else self.weights.exact_kernel()
        steps = {"stride": self.geometry.stride, "padding": self.geometry.padding}
        sums = self.engine_sums
        if sums is None:
            return convolve(x, w, **steps)
        if not isinstance(sums, CrossbarSums):
            return None
        coats = self.weights.coats
        largest = w.detach() if coats == 1 else w.detach().sign()  # of all coats the first
        saturating = sums.saturating(largest)
        if saturating is None or not sums.are_few(saturating):
            return None
        if not saturating.any():
            return convolve(x, w, **steps)
        if coats > 1:
            return None
        correction = sums.correction(x.detach(), w.detach(), saturating, **steps)
        return convolve(x, w, **steps) + correction

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        summed, bits = self.geometry.summed, self.geometry.output_bits
        if summed is not None:
            x = sum_pool(x.float(), summed.shift, self.geometry.input_bits).to(x.dtype)
        acc = self.sums(x)
        if self.geometry.pool > 1:
            acc = max_pool(acc, self.geometry.pool)
        if bits is None:
            return self.norm_now(acc.float())
        shift = 2.0 ** (bits - self.geometry.added_bits)
        if self.dtype != torch.float32:
            return norm_quantize(
                acc.to(self.dtype),
                self.norm_now.weight,
                self.norm_now.bias,
                added,
                codes=self.scale,
                shortcut=shift,
                peak=(1 << bits) - 1,
                epsilon=EPSILON,
            )
        y = self.norm_now(acc) * self.scale
        if added is not None:
            y = y + shortcut(added, self.geometry.added_bits, bits)
        return quantize(y, bits)
