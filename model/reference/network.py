"""Whole networks in plain integers: what decides when PyTorch and hardware disagree.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.geometry import LayerGeometry

from .stages import max_pool, quantize_image, requantize, shortcut, sum_pool, windows

if TYPE_CHECKING:
    from kakure.model.config.config import Config
    from kakure.model.parameters.parameters import Parameters

__all__ = ["classify", "layer_sums", "network", "network_layers"]

IntArray = NDArray[np.integer]


def layer_sums(
    config: "Config", geometry: LayerGeometry, x: IntArray, w: IntArray
) -> NDArray[np.int64]:
    """Accumulators of one layer and one coat of its weights, (n, f) x (f, c) -> (n, c)."""
    return config.weights_of(geometry.index).sums(config, geometry.index, x, w)


def network_layers(
    config: "Config", parameters: "Parameters", images: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Per layer (accumulators before the pool (n, h, w, c), what leaves the layer)."""
    maps: dict[int, IntArray] = {0: quantize_image(images, config.image_bits)}
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        x = maps[geometry.reads]
        if geometry.summed is not None:
            x = sum_pool(x, geometry.summed.shift, geometry.input_bits)
        kernel = geometry.kernel_height, geometry.kernel_width
        rows = windows(x, *kernel, geometry.padding, geometry.stride)
        flat = rows.reshape(-1, geometry.fan_in)
        coats = layer.coats(config, geometry)
        acc = np.sum([layer_sums(config, geometry, flat, w) for w in coats], axis=0)
        acc = acc.reshape(*rows.shape[:3], -1)
        pooled = max_pool(acc, geometry.pool)
        bits, added = geometry.output_bits, 0
        if geometry.adds is not None and bits is not None:
            added = shortcut(maps[geometry.adds], geometry.added_bits, bits)
        y = requantize(pooled, layer.multiplier, layer.offset, layer.shift, bits, added)
        yield acc, y
        maps[geometry.index + 1] = y
        maps = {n: maps[n] for n in maps if n in config.maps_needed_after(geometry.index)}


def network(
    config: "Config", parameters: "Parameters", images: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Logits of 8-bit images, (n, h, w, c) -> (n, classes)."""
    y = np.zeros(0, np.int64)
    for _, y in network_layers(config, parameters, images):
        pass
    return y.reshape(len(images), -1)


def classify(logits: IntArray) -> NDArray[np.int64]:
    """Class of each row: the first of the largest logits."""
    return np.argmax(logits, axis=1)
