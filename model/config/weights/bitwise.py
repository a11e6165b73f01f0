"""Bitwise weights: planes of signs, of which the first few make a coarser network."""

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import FieldError, UserError

from .weights import IntArray, Masks, Weights

if TYPE_CHECKING:
    from kakure.model.config.config import Config

__all__ = ["BitwiseWeights"]


class BitwiseWeights(Weights):
    """Odd integer weights of N planes of ±1, usable at any of 1 to N bits, MSB first.

    Source
    ------
    ProgressiveNN, Suda et al., CANDAR 2020.
    """

    kind: Literal["bitwise"] = "bitwise"
    bits: int = Field(8, ge=1, le=8)
    """Number of planes N [bit]."""

    @property
    def widths(self) -> int:
        """Precisions at which one training's weights can be used: 1 to so many bits."""
        return self.bits

    def at(self, width: int) -> Self:
        """The same weights, used at a precision of 1 to ``widths``."""
        assert 1 <= width <= self.bits
        return self.changed(bits=width)

    def of_layer(self, planes: int | None) -> Self:
        """Those of a layer that has so many planes; all where it does not say."""
        if planes is not None and planes > self.bits:
            raise FieldError("planes", f"must be at most weights.bits = {self.bits}, not {planes}")
        return self if planes is None else self.at(planes)

    @property
    def mask_names(self) -> tuple[str, ...]:
        """What a layer's planes are called in a file, the most significant one first."""
        return tuple(f"plane_{n}" for n in range(1, self.bits + 1))

    @property
    def mean_square(self) -> float:
        """Expected mean of w²."""
        return ((1 << 2 * self.bits) - 1) / 3

    def draw_masks(self, rng: np.random.Generator, shape: tuple[int, int]) -> Masks:
        """Planes as they are without training, for tests."""
        return [rng.random(shape) < 0.5 for _ in range(self.bits)]

    def of_masks(self, geometry: LayerGeometry, masks: Masks) -> list[IntArray]:
        """w = Σ 2^(N−1−i)·(2·B_i − 1), (fan_in, outputs)."""
        w = np.zeros(masks[0].shape, np.int16)
        for plane in masks:
            w = 2 * w + np.where(plane, np.int16(1), np.int16(-1))
        return [w]

    def sums(self, config: "Config", index: int, x: IntArray, w: IntArray) -> NDArray[np.int64]:
        """Sums of a layer's inputs and its weights, (n, f) x (f, c) -> (n, c).

        Raises
        ------
        UserError
            If the layer's engine rounds, and does not say how it reads such weights out.
        """
        codes = (np.asarray(w, np.int64) + (1 << self.bits) - 1) >> 1
        try:
            return config.layers[index].bitwise_sums(config, x, codes, self.bits)
        except UserError as error:
            raise error.within("layers", index) from None

    def peak(self, sums: int, fan_in: int, rounding: int) -> int:
        """Largest magnitude of a sum, for inputs of one bit.

        Per plane |2·code·2^s − Σx| is at most fan_in, and the rounding of each group's code.
        """
        return (fan_in + rounding) * ((1 << self.bits) - 1)
