"""A layer of exact sums as products of matrices in floating point, which are as exact and fast."""

import numpy as np
from numpy.typing import NDArray

from kakure.model.reference.stages import windows

from .plain_layer import PlainLayer

__all__ = ["MOST_EXACT", "MatrixLayer"]

IntArray = NDArray[np.integer]

MOST_EXACT = 1 << 53
"""Below it, every integer is exact in float64."""
MOST_SINGLE = 1 << 24
"""In float32."""


class MatrixLayer(PlainLayer):
    """A layer whose engine's sums are those of a matrix product, and stay below 2^53.

    Every partial sum is an integer that the format holds, in whichever order they are added.
    """

    def sums(self, x: IntArray) -> IntArray:
        """Accumulators before the pool, (n, h, w, c) -> (n, h', w', outputs)."""
        geometry = self.geometry
        dtype = np.float32 if geometry.peak < MOST_SINGLE else np.float64
        kernel = geometry.kernel_height, geometry.kernel_width
        rows = windows(x, *kernel, geometry.padding, geometry.stride)
        acc = rows.reshape(-1, geometry.fan_in).astype(dtype) @ self.weights.astype(dtype)
        return acc.reshape(*rows.shape[:3], -1).astype(np.int64)
