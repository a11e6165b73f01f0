"""Two children of hidden and bitwise weights: the sign is made on chip, magnitudes are stored.

They are of the study :mod:`kakure.search.studies.mixture` alone: reference and training know them
as long as it runs.
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from kakure.model.config.config import Config
from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.weights.sign_weights import SignWeights
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.config.weights.weights import IntArray, Masks
from kakure.model.datasets.recipe import Recipe
from kakure.model.training.trained_weights import TrainedWeights
from kakure.model.training.weights import TRAINED_WEIGHTS

__all__ = ["MagnitudeWeights", "OddWeights", "known"]


class StoredMagnitudes(SignWeights):
    """Weights s·u of signs that are made on chip and magnitudes of which every bit is stored."""

    bits: int = Field(2, ge=1, le=4)
    """Stored planes of a magnitude's code, the most significant first."""

    @property
    @abstractmethod
    def step(self) -> float:
        """Distance of two codes, in root mean squares of the latent weights.

        Of a uniform quantizer of least error for a normal distribution: Max, IRE Transactions on
        Information Theory 6 (1960) 7.
        """

    @property
    @abstractmethod
    def scale(self) -> int:
        """Of a weight, beside the distance of two codes."""

    @abstractmethod
    def magnitudes(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the codes 0 .. 2^bits − 1 stand for."""

    @property
    def mask_names(self) -> tuple[str, ...]:
        """What a layer's planes are called in a file."""
        return tuple(f"plane_{n}" for n in range(1, self.bits + 1))

    @property
    def mean_square(self) -> float:
        """Expected mean of w² of codes that are all as frequent."""
        return float((self.magnitudes(np.arange(1 << self.bits)) ** 2).mean())

    def draw_masks(self, rng: np.random.Generator, shape: tuple[int, int]) -> Masks:
        """Planes as they are without training, for tests."""
        return [rng.random(shape) < 0.5 for _ in range(self.bits)]

    def misfit(self, masks: Masks) -> None:
        """Any planes can be."""

    def of_masks(self, geometry: LayerGeometry, masks: Masks) -> list[IntArray]:
        """w = s·u, (fan_in, outputs)."""
        codes = np.zeros(masks[0].shape, np.int64)
        for plane in masks:
            codes = 2 * codes + plane
        return [self.signs(geometry) * self.magnitudes(codes)]

    def peak(self, sums: int, fan_in: int, rounding: int) -> int:
        """Largest magnitude of a sum, for inputs of one bit; the engine must be exact."""
        return fan_in * int(self.magnitudes(np.array([(1 << self.bits) - 1]))[0])

    def channel_peaks(
        self, layer: LayerConfig, geometry: LayerGeometry, masks: Masks
    ) -> NDArray[np.int64]:
        """Magnitude that no sum of the layer exceeds."""
        return np.full(geometry.outputs, geometry.peak, np.int64)


class MagnitudeWeights(StoredMagnitudes):
    """Magnitudes 0, 1, .. 2^bits − 1: a supermask, and how strong what it keeps is."""

    kind: Literal["magnitude"] = "magnitude"

    @property
    def step(self) -> float:
        """Of a quantizer of 2^(bits+1) − 1 levels."""
        return (1.2240, 0.6508, 0.3534, 0.1929)[self.bits - 1]

    @property
    def scale(self) -> int:
        """One."""
        return 1

    def magnitudes(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The codes."""
        return codes


class OddWeights(StoredMagnitudes):
    """Magnitudes 1, 3, .. 2^(bits+1) − 1: bitwise weights whose first plane is not stored."""

    kind: Literal["odd"] = "odd"

    @property
    def step(self) -> float:
        """Of a quantizer of 2^(bits+1) levels."""
        return (0.9957, 0.5860, 0.3352, 0.1881)[self.bits - 1]

    @property
    def scale(self) -> int:
        """Two: only every second number is one."""
        return 2

    def magnitudes(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """2·code + 1."""
        return 2 * codes + 1


class Quantized(torch.autograd.Function):
    """Signs times what codes stand for; the gradient passes as if nothing were rounded or cut."""

    @staticmethod
    def forward(ctx, values: Tensor, weights: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return weights

    @staticmethod
    def backward(ctx, *grads: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return grads[0].float() * slope, None, None


class TrainedMagnitudes(TrainedWeights):
    """Latent weights v, begun as s·|N(0, d)|; v·s is rounded to a code, 0 where they disagree.

    ``deviation`` d decides only how fast they change.
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        weights: StoredMagnitudes,
        *,
        generator: torch.Generator,
        deviation: float,
    ) -> None:
        super().__init__(geometry)
        self.kind = weights
        signs = self.inside(torch.from_numpy(weights.signs(geometry))).float()
        self.register_buffer("signs", signs)
        drawn = torch.empty(geometry.fan_in, geometry.outputs)
        drawn.normal_(0, deviation, generator=generator)
        self.scores = nn.Parameter(signs * self.inside(drawn).abs())

    def _step(self) -> Tensor:
        size = self.scores.detach().square().mean(1, keepdim=True).sqrt_()
        return (self.kind.step * size).clamp_(min=torch.finfo(torch.float32).tiny)

    def _codes(self) -> Tensor:
        half = 0.5 if self.kind.scale == 1 else 0.0
        ratio = self.scores.detach() * self.get_buffer("signs") / self._step()
        return (ratio + half).floor_().clamp_(0, (1 << self.kind.bits) - 1)

    @property
    def masks(self) -> list[Tensor]:
        """All planes, bool, (fan_in, outputs), the most significant first."""
        codes = self.outside(self._codes()).int()
        bits = self.kind.bits
        return [(codes >> (bits - 1 - n) & 1).bool() for n in range(bits)]

    def _exact(self) -> Tensor:
        scale = self.kind.scale
        weights = self.get_buffer("signs") * (scale * self._codes() + (scale - 1))
        result = Quantized.apply(self.scores, weights, scale / self._step())
        assert isinstance(result, Tensor)
        return result


def trained_magnitudes(
    config: Config, geometry: LayerGeometry, recipe: Recipe, generator: torch.Generator
) -> TrainedWeights:
    """The magnitudes of a layer."""
    weights = config.weights
    assert isinstance(weights, StoredMagnitudes)
    deviation = 1.0 if recipe.optimizer == "muon" else geometry.fan_in**-0.5
    return TrainedMagnitudes(geometry, weights, generator=generator, deviation=deviation)


@contextmanager
def known() -> Iterator[None]:
    """Reference and training know both kinds meanwhile."""
    kinds = {"magnitude": MagnitudeWeights, "odd": OddWeights}
    for name, kind in kinds.items():
        WEIGHTS.table[name] = kind
        TRAINED_WEIGHTS[name] = trained_magnitudes
    try:
        yield
    finally:
        for name in kinds:
            del WEIGHTS.table[name], TRAINED_WEIGHTS[name]
