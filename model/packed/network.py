"""Whole test sets through the integer model, equal to the reference."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.stages import quantize_image, sum_pool

from .kernel import kernel
from .layer import PackedLayer, layer_of

__all__ = ["PackedNetwork"]

CHUNK_BYTES = 1 << 20
"""Sums of a layer that are kept at once; not much more than a processor's second cache [byte]."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class PackedNetwork:
    """The integer model, bit-equal to :func:`kakure.model.reference.network.network`.

    Layers that the kernel cannot take are computed as the reference does, and all of them where it
    cannot be compiled.

    Parameters
    ----------
    config : Config
    parameters : Parameters
    threads : int or None
        Images are shared between as many; as this process may use cores when None.
    """

    def __init__(
        self, config: Config, parameters: Parameters, *, threads: int | None = None
    ) -> None:
        self.config = config
        self.threads = cores() if threads is None else threads
        found = kernel()
        self.stages = [
            layer_of(config, geometry, layer, found)
            for geometry, layer in zip(config.geometry, parameters.layers, strict=True)
        ]
        largest = max(geometry.positions * geometry.outputs for geometry in config.geometry)
        self.chunk = max(1, CHUNK_BYTES // (4 * largest))

    @property
    def packed(self) -> list[bool]:
        """Of each layer, whether the kernel computes it."""
        return [isinstance(stage, PackedLayer) for stage in self.stages]

    def layers(
        self, images: NDArray[np.uint8]
    ) -> Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]:
        """As :func:`kakure.model.reference.network.network_layers`, in narrower integers."""
        maps: dict[int, NDArray[np.integer]] = {0: quantize_image(images, self.config.image_bits)}
        for geometry, stage in zip(self.config.geometry, self.stages, strict=True):
            x = maps[geometry.reads]
            if geometry.summed is not None:
                x = sum_pool(x, geometry.summed.shift, geometry.input_bits)
            acc = stage.sums(x)
            y = stage.written(acc, None if geometry.adds is None else maps[geometry.adds])
            yield acc, y
            maps[geometry.index + 1] = y
            needed = self.config.maps_needed_after(geometry.index)
            maps = {n: maps[n] for n in maps if n in needed}

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Logits of 8-bit images, (n, h, w, c) -> (n, classes)."""
        parts = [images[n : n + self.chunk] for n in range(0, len(images), self.chunk)]
        if self.threads == 1 or len(parts) < 2:
            found = [self._logits(part) for part in parts]
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                found = list(pool.map(self._logits, parts))
        classes = self.config.geometry[-1].outputs
        return np.concatenate([np.zeros((0, classes), np.int64), *found])

    def _logits(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        y = np.zeros(0, np.int64)
        for _, y in self.layers(images):
            pass
        return np.asarray(y, np.int64).reshape(len(images), -1)
