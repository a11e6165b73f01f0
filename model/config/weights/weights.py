"""What every kind of weights has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.schema import KindName, Schema
from kakure.model.errors import FieldError

if TYPE_CHECKING:
    from kakure.model.config.config import Config

__all__ = ["Weights"]


IntArray = NDArray[np.integer]
Masks = Sequence[NDArray[np.bool_]]
"""What is stored of a layer's weights: a bit each in every one of these, (fan_in, outputs)."""


class Weights(Schema, ABC):
    """How the weights of a network come to be; a kind of them is a subclass.

    Add it to :data:`kakure.model.config.weights.table.WEIGHTS`.
    """

    kind: KindName

    @property
    def fraction(self) -> float:
        """Expected fraction of the weights that are not 0."""
        return 1.0

    @property
    def widths(self) -> int:
        """Precisions at which one training's weights can be used: 1 to so many bits."""
        return 1

    def at(self, width: int) -> Self:
        """The same weights, used at a precision of 1 to ``widths``."""
        assert width == self.widths
        return self

    def of_layer(self, planes: int | None) -> Self:
        """Those of a layer that has so many planes; all where it does not say.

        Raises
        ------
        FieldError
            If it has too many, or there are none.
        """
        if planes is not None:
            raise FieldError("planes", f"must be left out with {self.kind} weights, not {planes}")
        return self

    @property
    def mask_names(self) -> tuple[str, ...]:
        """What a layer's masks are called in a file."""
        return ("mask",)

    @property
    def mean_square(self) -> float:
        """Expected mean of w²."""
        return self.fraction

    def draw_masks(self, rng: np.random.Generator, shape: tuple[int, int]) -> Masks:
        """Masks as they are without training, for tests."""
        return [rng.random(shape) < self.fraction]

    def misfit(self, masks: Masks) -> tuple[str, str] | None:
        """The first mask that cannot be, and the rule that it breaks; None where all can."""
        return None

    @abstractmethod
    def of_masks(self, geometry: LayerGeometry, masks: Masks) -> list[IntArray]:
        """Weights of a layer, (fan_in, outputs) each: the engine adds up the sums of all."""

    def values(self, geometry: LayerGeometry, mask: NDArray[np.bool_]) -> IntArray:
        """Weights of a layer that one mask alone makes, (fan_in, outputs)."""
        (made,) = self.of_masks(geometry, [mask])
        return made

    def sums(self, config: "Config", index: int, x: IntArray, w: IntArray) -> NDArray[np.int64]:
        """Sums of a layer's inputs and one coat of its weights, (n, f) x (f, c) -> (n, c)."""
        return config.layers[index].sums(config, x, w)

    @abstractmethod
    def peak(self, sums: int, fan_in: int, rounding: int) -> int:
        """Largest magnitude of a sum of these weights, for inputs of one bit.

        Parameters
        ----------
        sums : int
            What the engine's sums reach with weights in {-1, 0, 1}.
        fan_in : int
        rounding : int
            What an engine that rounds adds to an exact sum at most.
        """

    def channel_peaks(
        self, layer: LayerConfig, geometry: LayerGeometry, masks: Masks
    ) -> NDArray[np.int64]:
        """Magnitude that no sum of a layer's outputs exceeds, (outputs,)."""
        return np.full(geometry.outputs, geometry.peak, np.int64)

    def check_density(self, geometry: Iterable[LayerGeometry]) -> None:
        """See that training would keep something of every layer; UserError names the first."""

    def trained_for(self) -> dict[str, Any]:
        """What the masks were trained for: with other weights they are meaningless."""
        return self.model_dump(mode="json")
