"""Sums of engines that round, as PyTorch computes them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.model.config.engines.row_groups import row_groups
from kakure.model.config.weights.bitwise import BitwiseWeights
from kakure.model.errors import UserError

__all__ = [
    "TRAINED_SUMS",
    "BitwiseCrossbarSums",
    "CrossbarSums",
    "Sums",
    "sums_by_width",
    "trained_sums",
]

Sums = Callable[[Tensor, Tensor], Tensor]
"""Integers of inputs and weights, (f, n), (f, c) -> (c, n), exact in float32."""

INTEGERS = {torch.bfloat16: 1 << 7, torch.float32: 1 << 23}
"""Up to which every integer, and twice it, is exact."""


@lru_cache(maxsize=64)
def _groups(channels: int, window: int, rows: int) -> Tensor:
    """1 where a row (position, channel) is of a group of ``rows`` rows (channel, position)."""
    sizes = row_groups(channels * window, rows)
    group = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    return functional.one_hot(group.view(channels, window).T.reshape(-1), len(sizes))


@dataclass(frozen=True)
class CrossbarSums:
    """Sums of hidden weights through saturating readouts, (f, n), (f, c) -> (c, n).

    Equal to :func:`kakure.model.reference.crossbar.crossbar`: integers below 2**24, exact in
    float32. Groups of so few rows that no code saturates are one matrix product instead of one per
    bit-plane.
    """

    FEW = 4
    """One group of so many may saturate where a convolution is corrected."""

    rows: int
    input_bits: int
    adc_bits: int
    adc_shift: int

    def saturating(self, kernel: Tensor) -> Tensor | None:
        """Which readouts can saturate, as one of their columns keeps so many cells.

        Parameters
        ----------
        kernel : Tensor, (c, in, ky, kx)
            Weights of a convolution, in {−1, 0, 1}.

        Returns
        -------
        bool Tensor, (c, groups), or None
            None where codes are rounded, and nearly all differ from counts.
        """
        if self.adc_shift:
            return None
        outputs, channels, *window = kernel.shape
        dtype = kernel.dtype if self.rows <= INTEGERS.get(kernel.dtype, 0) else torch.float32
        w = kernel.permute(0, 2, 3, 1).reshape(outputs, -1).to(dtype)
        groups = _groups(channels, math.prod(window), self.rows).to(w)
        cells, balance = w.abs() @ groups, w @ groups
        most = cells + balance.abs()  # twice the larger column
        return most > 2 * ((1 << self.adc_bits) - 1)

    def are_few(self, saturating: Tensor) -> bool:
        """Whether so few groups can saturate that a convolution is better corrected."""
        return self.FEW * int(saturating.any(0).sum()) <= saturating.shape[1]

    @torch.no_grad()
    def correction(
        self, x: Tensor, kernel: Tensor, saturating: Tensor, *, stride: int, padding: int
    ) -> Tensor:
        """What saturating readouts take from a convolution's sums, (n, c, h', w').

        Parameters
        ----------
        x : Tensor, (n, in, h, w)
            Codes.
        kernel : Tensor, (c, in, ky, kx)
            In {−1, 0, 1}.
        saturating : bool Tensor, (c, groups)
            As :meth:`saturating` gives it.
        """
        outputs, channels, height, width = kernel.shape
        window = height * width
        cap = (1 << self.adc_bits) - 1
        w = kernel.reshape(outputs, -1)  # rows (channel, ky, kx)
        sizes = row_groups(channels * window, self.rows)
        high = (x.shape[2] + 2 * padding - height) // stride + 1
        wide = (x.shape[3] + 2 * padding - width) // stride + 1
        result = torch.zeros(len(x), outputs, high * wide, device=x.device)
        for group in saturating.any(0).nonzero().flatten().tolist():
            start = group * self.rows
            end = start + sizes[group]
            first, last = start // window, -(-end // window)
            rows = functional.unfold(
                x[:, first:last].float(), (height, width), padding=padding, stride=stride
            )[:, start - first * window : end - first * window].to(torch.int32)
            columns = saturating[:, group].nonzero().flatten()
            cells = w[columns, start:end]
            for plane in range(self.input_bits):
                ones = (rows >> plane & 1).float()
                for sign in (1, -1):
                    count = (sign * cells > 0).float() @ ones  # (n, columns, positions)
                    result[:, columns] -= (count - cap).clamp_(min=0) * (sign << plane)
        return result.view(len(x), outputs, high, wide).to(x.dtype)

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        outputs = w.shape[1]
        cap = (1 << self.adc_bits) - 1
        cells = torch.cat([w > 0, w < 0], dim=1).T.float()  # (2·c, f)
        codes = x.to(torch.uint8)
        total = x.new_zeros(outputs, x.shape[1])
        start = 0
        for size in row_groups(x.shape[0], self.rows):
            group = slice(start, start + size)
            start += size
            if self.adc_shift == 0 and size <= cap:
                total += w[group].T @ x[group]
                continue
            for plane in range(self.input_bits):
                ones = (codes[group] >> plane & 1).float()
                count = cells[:, group] @ ones  # (2·c, n)
                if self.adc_shift:
                    half = (1 << self.adc_shift) >> 1
                    count = ((count + half) / (1 << self.adc_shift)).floor_()
                count.clamp_(max=cap)
                weight = 1 << (plane + self.adc_shift)
                total.add_(count[:outputs], alpha=weight).sub_(count[outputs:], alpha=weight)
        return total


@dataclass(frozen=True)
class BitwiseCrossbarSums:
    """Sums of bitwise weights through saturating readouts, (f, n), (f, c) -> (c, n).

    Equal to :func:`kakure.model.reference.crossbar.crossbar_bitwise`; summed in float64, as they
    may be 2^24 and more.
    """

    rows: int
    input_bits: int
    adc_bits: int
    adc_shift: int
    bits: int

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        half, cap = (1 << self.adc_shift) >> 1, (1 << self.adc_bits) - 1
        u = ((w + ((1 << self.bits) - 1)) / 2).to(torch.int32)
        cells = [(u >> n & 1).float().T for n in range(self.bits)]  # (c, f)
        codes = x.to(torch.uint8)
        total = torch.zeros(w.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
        start = 0
        for size in row_groups(x.shape[0], self.rows):
            group = slice(start, start + size)
            start += size
            for plane in range(self.input_bits):
                ones = (codes[group] >> plane & 1).float()
                whole = ones.sum(0)
                for n, cell in enumerate(cells):
                    count = ((cell[:, group] @ ones + half) / (1 << self.adc_shift)).floor_()
                    count.clamp_(max=cap).mul_(2 << self.adc_shift).sub_(whole)
                    total.add_(count, alpha=1 << (plane + n))
        return total


def crossbar_sums(config: Config, index: int) -> Sums:
    """Sums of a layer on a crossbar."""
    layer = CrossbarLayer.of(config, index)
    readouts = config.crossbar.rows, layer.input_bits, layer.adc_bits, layer.adc_shift
    weights = config.weights_of(index)
    if isinstance(weights, BitwiseWeights):
        return BitwiseCrossbarSums(*readouts, weights.bits)
    return CrossbarSums(*readouts)


TRAINED_SUMS: dict[str, Callable[[Config, int], Sums]] = {
    "crossbar": crossbar_sums,
}
"""By engine; those whose sums are exact need none."""


def trained_sums(config: Config, index: int) -> Sums | None:
    """Sums of a layer's engine; None where they are those of a matrix product.

    Raises
    ------
    UserError
        If the engine rounds, and nobody said how PyTorch computes that.
    """
    layer = config.layers[index]
    if layer.is_exact:
        return None
    if layer.engine not in TRAINED_SUMS:
        raise UserError(
            "must be exact or in TRAINED_SUMS to train",
            where=("layers", index, "engine"),
            value=repr(layer.engine),
        )
    return TRAINED_SUMS[layer.engine](config, index)


def sums_by_width(config: Config, index: int) -> list[Sums | None]:
    """:func:`trained_sums` at each precision of the weights, the coarsest first."""
    widths = range(1, config.weights_of(index).widths + 1)
    return [trained_sums(config.at(width), index) for width in widths]
