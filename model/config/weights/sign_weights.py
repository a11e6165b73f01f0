"""What kinds of weights have in common whose signs are made on chip."""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry
from kakure.model.errors import UserError
from kakure.model.reference.signs import hidden_weights, sign_matrix

from .weights import IntArray, Masks, Weights

__all__ = ["SignWeights"]

MASKS = ("mask", "mask_2", "mask_3")
"""What a layer's masks are called in a file."""


class SignWeights(Weights):
    """Weights of pseudo-random signs, of which trained masks keep some."""

    seed: int = Field(1, ge=0, le=2**32 - 1)
    """Seed of the sign generator. With ``xorshift16``, 1 gives the signs of Hiddenite."""
    generator: Literal["xorshift32", "xorshift16"] = "xorshift32"
    """Sign generator; ``xorshift16`` is kept for fidelity, its faults are in docs/numerics.md."""
    density: float = Field(0.5, gt=0.0, le=1.0)
    """Fraction of the weights that training keeps in every layer."""

    @property
    def fraction(self) -> float:
        """Expected fraction of the weights that are not 0."""
        return self.density

    @property
    def coat_fractions(self) -> tuple[float, ...]:
        """Expected fraction of the weights in each mask over the same signs, the largest first."""
        return (self.density,)

    @property
    def mask_names(self) -> tuple[str, ...]:
        """What a layer's masks are called in a file."""
        return MASKS[: len(self.coat_fractions)]

    @property
    def mean_square(self) -> float:
        """Expected mean of w²."""
        return sum((2 * n + 1) * fraction for n, fraction in enumerate(self.coat_fractions))

    def draw_masks(self, rng: np.random.Generator, shape: tuple[int, int]) -> Masks:
        """Masks as they are without training, for tests."""
        draws = rng.random(shape)
        return [draws < fraction for fraction in self.coat_fractions]

    def misfit(self, masks: Masks) -> tuple[str, str] | None:
        """The first mask that cannot be, and the rule that it breaks; None where all can."""
        for name, larger, smaller in zip(self.mask_names[1:], masks, masks[1:], strict=False):
            if (smaller & ~larger).any():
                return name, "must be part of the mask before it"
        return None

    def kept(self, weights: int) -> int:
        """How many of a layer's weights training keeps."""
        return round(weights * self.density)

    def kept_by_coat(self, weights: int) -> tuple[int, ...]:
        """How many of a layer's weights each mask keeps, the largest first."""
        return tuple(round(weights * fraction) for fraction in self.coat_fractions)

    def peak(self, sums: int, fan_in: int, rounding: int) -> int:
        """Largest magnitude of a sum, for inputs of one bit: what the engine's sums reach."""
        return sums * len(self.coat_fractions)

    def channel_peaks(
        self, layer: LayerConfig, geometry: LayerGeometry, masks: Masks
    ) -> NDArray[np.int64]:
        """What the engine's sums reach with the weights that the masks keep."""
        found = [layer.channel_peaks(geometry, mask) for mask in masks]
        return np.stack(found).sum(axis=0, dtype=np.int64)

    def check_density(self, geometry: Iterable[LayerGeometry]) -> None:
        """See that training would keep something of every layer, in every mask.

        Raises
        ------
        UserError
            If the density rounds to no weight at all; the line names the layer and its weights.
        """
        for layer in geometry:
            if not min(self.kept_by_coat(layer.weights)):
                raise UserError(
                    f"must keep at least 1 of the {layer.weights} weights of "
                    f"layers[{layer.index}], not 0, as {self.density} does",
                    where=("weights", "density"),
                )

    def signs(self, geometry: LayerGeometry) -> NDArray[np.int8]:
        """Signs of a layer, -1 or +1, (fan_in, outputs)."""
        return sign_matrix(
            self.generator,
            seed=self.seed,
            layer=geometry.index,
            channels=geometry.in_channels,
            window=geometry.window,
            outputs=geometry.outputs,
        )

    def of_masks(self, geometry: LayerGeometry, masks: Masks) -> list[IntArray]:
        """w = m·s of a layer and each of its masks, (fan_in, outputs) each."""
        signs = self.signs(geometry)
        return [hidden_weights(signs, mask) for mask in masks]

    def trained_for(self) -> dict[str, Any]:
        """What the masks were trained for; how many they keep is theirs to say."""
        return self.model_dump(mode="json", exclude={"density"})
