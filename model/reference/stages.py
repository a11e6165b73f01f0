"""What lies around an engine: image, windows, pool, shortcut, requantizer.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["max_pool", "quantize_image", "requantize", "shortcut", "sum_pool", "windows"]

IntArray = NDArray[np.integer]


def quantize_image(images: IntArray, input_bits: int) -> IntArray:
    """8-bit pixels to activations: the ``input_bits`` most significant bits."""
    return np.asarray(images, np.uint8) >> (8 - input_bits)


def windows(
    x: IntArray, kernel_height: int, kernel_width: int, padding: int, stride: int = 1
) -> IntArray:
    """Unrolled windows, (n, h, w, c) -> (n, h', w', c·kh·kw); row r = (channel, ky, kx)."""
    edge = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    view = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, edge), (kernel_height, kernel_width), axis=(1, 2)
    )[:, ::stride, ::stride]  # (n, h', w', c, kh, kw)
    return view.reshape(*view.shape[:3], -1)


def max_pool(acc: IntArray, size: int) -> IntArray:
    """Maximum over size x size blocks, (n, h, w, c) -> (n, h//size, w//size, c)."""
    n, height, width, channels = acc.shape
    height, width = height // size, width // size
    cut = acc[:, : height * size, : width * size]
    return cut.reshape(n, height, size, width, size, channels).max(axis=(2, 4))


def sum_pool(x: IntArray, shift: int, bits: int) -> NDArray[np.int64]:
    """Sums over the map, min(Σ >> shift, 2^bits − 1), (n, h, w, c) -> (n, 1, 1, c)."""
    total = np.sum(x, axis=(1, 2), dtype=np.int64, keepdims=True)
    return np.minimum(total >> shift, (1 << bits) - 1)


def shortcut(x: IntArray, input_bits: int, output_bits: int) -> NDArray[np.int64]:
    """Activations in the step of another width: the most significant bits keep their place."""
    x = np.asarray(x, np.int64)
    if output_bits < input_bits:
        return x >> (input_bits - output_bits)
    return x << (output_bits - input_bits)


def requantize(
    acc: IntArray,
    multiplier: IntArray,
    offset: IntArray,
    shift: IntArray | int,
    output_bits: int | None,
    added: IntArray | int = 0,
) -> NDArray[np.int64]:
    """y = clamp(((acc·M + B) >> S) + added, 0, 2^bits − 1); acc·M + B where bits is None.

    M, B and S per channel; ``added`` is what comes over the shortcut of a residual layer.
    """
    y = np.asarray(acc, np.int64) * multiplier + offset
    if output_bits is None:
        return y
    return np.clip((y >> shift) + added, 0, (1 << output_bits) - 1)
