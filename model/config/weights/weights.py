"""What every kind of weights has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.engines.layer import LayerConfig
from kakure.model.config.geometry import LayerGeometry
from kakure.model.config.schema import KindName, Schema
from kakure.model.errors import UserError

__all__ = ["Weights"]


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
    def coat_fractions(self) -> tuple[float, ...]:
        """Expected fraction of the weights in each mask over the same signs, the largest first."""
        return (self.fraction,)

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
        self, layer: LayerConfig, geometry: LayerGeometry, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Magnitude that no sum of a layer's outputs exceeds, (fan_in, outputs) -> (outputs,)."""
        return np.full(geometry.outputs, geometry.peak, np.int64)

    def check_density(self, geometry: Iterable[LayerGeometry]) -> None:
        """See that training would keep something of every layer; UserError names the first."""

    def check_training(self) -> None:
        """See that there is a training for weights of this kind; UserError if not."""
        raise UserError(
            "must be 'hidden' to train", where=("weights", "kind"), value=repr(self.kind)
        )

    def values(self, geometry: LayerGeometry, mask: NDArray[np.bool_]) -> NDArray[np.int8]:
        """The weights of a layer, (fan_in, outputs), from its mask; UserError if it has none."""
        raise UserError("must be 'hidden'", where=("weights", "kind"), value=repr(self.kind))

    def trained_for(self) -> dict[str, Any]:
        """What the masks were trained for: with other weights they are meaningless."""
        return self.model_dump(mode="json")
