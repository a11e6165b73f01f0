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
from kakure.model.errors import UserError

__all__ = ["TRAINED_SUMS", "CrossbarSums", "Sums", "trained_sums"]

Sums = Callable[[Tensor, Tensor], Tensor]
"""Integers of inputs and hidden weights, (f, n), (f, c) -> (c, n), exact in float32."""

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

    rows: int
    input_bits: int
    adc_bits: int
    adc_shift: int

    def is_plain(self, kernel: Tensor) -> bool:
        """Whether no readout can saturate, as none of its columns keeps so many cells.

        Parameters
        ----------
        kernel : Tensor, (c, in, ky, kx)
            Weights of a convolution, in {−1, 0, 1}.
        """
        if self.adc_shift:
            return False
        outputs, channels, *window = kernel.shape
        dtype = kernel.dtype if self.rows <= INTEGERS.get(kernel.dtype, 0) else torch.float32
        w = kernel.permute(0, 2, 3, 1).reshape(outputs, -1).to(dtype)
        groups = _groups(channels, math.prod(window), self.rows).to(w)
        cells, balance = w.abs() @ groups, w @ groups
        most = torch.maximum(cells + balance, cells - balance).max()  # twice the larger column
        return int(most) <= 2 * ((1 << self.adc_bits) - 1)

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


def crossbar_sums(config: Config, index: int) -> Sums:
    """Sums of a layer on a crossbar."""
    layer = CrossbarLayer.of(config, index)
    return CrossbarSums(config.crossbar.rows, layer.input_bits, layer.adc_bits, layer.adc_shift)


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
