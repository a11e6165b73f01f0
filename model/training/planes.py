"""Bitwise weights as they are trained: real numbers, rounded to odd integers of 1 to N bits."""

import torch
from torch import Tensor, nn

from kakure.model.config.geometry import LayerGeometry

from .trained_weights import TrainedWeights

__all__ = ["BitwisePlanes", "codes_of", "rounded"]

REACH = 2.5
"""Range of an output's weights, in root mean squares of them to each side."""


def codes_of(latent: Tensor, reach: Tensor, bits: int) -> Tensor:
    """Codes u = ⌊2^(N−1)·(v / reach + 1)⌋, kept within 0 .. 2^N − 1, as real numbers."""
    return ((latent / reach + 1) * (1 << (bits - 1))).floor_().clamp_(0, (1 << bits) - 1)


class Rounded(torch.autograd.Function):
    """See :func:`rounded`."""

    @staticmethod
    def forward(
        ctx, latent: Tensor, reach: Tensor, bits: int, width: int, dtype: torch.dtype
    ) -> Tensor:
        ctx.save_for_backward(reach)
        ctx.width = width
        # The first planes of a code are the code of so many bits.
        codes = codes_of(latent, reach, bits).mul_(2.0 ** (width - bits)).floor_()
        return codes.mul_(2).sub_((1 << width) - 1).to(dtype)

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        (reach,) = ctx.saved_tensors
        return grads[0].float() * ((1 << ctx.width) / reach), None, None, None, None


def rounded(
    latent: Tensor, reach: Tensor, bits: int, width: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Odd integers of ``width`` of ``bits`` planes, about 2^width·v / reach; straight-through.

    The gradient passes as if nothing were rounded or cut, so that all widths move ``latent``
    alike.

    Parameters
    ----------
    latent : Tensor, (outputs, f)
    reach : Tensor, (outputs, 1)
        Above 0; what lies beyond it, to either side, is cut.
    bits, width : int
        Planes of the code, 1 to 8, and how many of them are used.
    dtype : torch.dtype
        Of the result; bfloat16 holds all of them.
    """
    result = Rounded.apply(latent, reach, bits, width, dtype)
    assert isinstance(result, Tensor)
    return result


class BitwisePlanes(TrainedWeights):
    """Weights of N planes of ±1: an output's real numbers, rounded within a range of their own.

    The range follows the root mean square, so the scale of an output's numbers does not matter, as
    BatchNorm behind the sums lets none matter.

    Parameters
    ----------
    geometry : LayerGeometry
    bits : int
        Planes N.
    generator : torch.Generator
        Draws the first numbers, from a normal distribution.
    deviation : float
        Its standard deviation; what it is decides only how fast the numbers change.
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        *,
        bits: int,
        generator: torch.Generator,
        deviation: float = 1.0,
    ) -> None:
        super().__init__(geometry)
        self.bits = self.width = bits
        drawn = torch.empty(geometry.fan_in, geometry.outputs)
        drawn.normal_(0, deviation, generator=generator)
        self.scores = nn.Parameter(self.inside(drawn))

    def use(self, width: int) -> None:
        """Give weights of the first ``width`` planes from now on."""
        self.width = width

    def _reach(self) -> Tensor:
        """Range of each output, (outputs, 1)."""
        size = self.scores.detach().square().mean(1, keepdim=True).sqrt_()
        return (REACH * size).clamp_(min=torch.finfo(torch.float32).tiny)

    @property
    def masks(self) -> list[Tensor]:
        """All planes, bool, (fan_in, outputs), the most significant first."""
        codes = self.outside(codes_of(self.scores.detach(), self._reach(), self.bits)).int()
        return [(codes >> (self.bits - 1 - n) & 1).bool() for n in range(self.bits)]

    def _exact(self) -> Tensor:
        return rounded(self.scores, self._reach(), self.bits, self.width)

    def _fast(self, dtype: torch.dtype) -> Tensor:
        return rounded(self.scores, self._reach(), self.bits, self.width, dtype)
