"""One layer as the reference computes it: what the kernel cannot take."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry
from kakure.model.parameters.parameters import LayerParameters
from kakure.model.reference.stages import max_pool, requantize, shortcut, windows

__all__ = ["PlainLayer"]

IntArray = NDArray[np.integer]


class PlainLayer:
    """A layer by its engine's own sums and the stages of the reference.

    Parameters
    ----------
    config : Config
    geometry : LayerGeometry
    parameters : LayerParameters
    weights : int array, (fan_in, outputs)
        Those of the parameters, which take a while to make.
    """

    def __init__(
        self,
        config: Config,
        geometry: LayerGeometry,
        parameters: LayerParameters,
        weights: IntArray,
    ) -> None:
        self.config = config
        self.geometry = geometry
        self.parameters = parameters
        self.weights = weights

    def sums(self, x: IntArray) -> IntArray:
        """Accumulators before the pool, (n, h, w, c) -> (n, h', w', outputs)."""
        geometry = self.geometry
        kernel = geometry.kernel_height, geometry.kernel_width
        rows = windows(x.astype(np.int64), *kernel, geometry.padding, geometry.stride)
        flat = rows.reshape(-1, geometry.fan_in)
        weights = self.config.weights_of(geometry.index)
        acc = weights.sums(self.config, geometry.index, flat, self.weights)
        return acc.reshape(*rows.shape[:3], -1)

    def written(self, acc: IntArray, added: IntArray | None) -> IntArray:
        """What leaves the layer, codes or logits; ``added`` is what its shortcut brings."""
        geometry, layer = self.geometry, self.parameters
        bits, more = geometry.output_bits, 0
        if added is not None and bits is not None:
            more = shortcut(added, geometry.added_bits, bits)
        pooled = max_pool(acc, geometry.pool)
        y = requantize(pooled, layer.multiplier, layer.offset, layer.shift, bits, more)
        return y if bits is None else y.astype(np.uint8)
