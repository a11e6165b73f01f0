"""Sums of crossbar columns through saturating readouts, and the largest that they can be.

Shapes are written (n, f): n vectors of f values. All results are exact: where a float matrix
product is used for speed, every partial sum stays below 2**24 and so is an integer in float32.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.engines.row_groups import row_groups

__all__ = [
    "adc",
    "bit_planes",
    "bitwise_planes",
    "bitwise_value",
    "channel_peaks",
    "crossbar",
    "crossbar_bitwise",
]

IntArray = NDArray[np.integer]


def adc(count: IntArray | int, adc_bits: int, adc_shift: int = 0) -> IntArray:
    """Readout code, min((count + 2^(s−1)) >> s, 2^AP − 1); worth code << s."""
    half = (1 << adc_shift) >> 1
    return np.minimum((np.asarray(count) + half) >> adc_shift, (1 << adc_bits) - 1)


def bit_planes(x: IntArray, bits: int) -> list[NDArray[np.float32]]:
    """Planes of ``x``, least significant first, each of the shape of ``x``."""
    return [(x >> plane & 1).astype(np.float32) for plane in range(bits)]


def crossbar(
    x: IntArray, w: IntArray, *, rows: int, input_bits: int, adc_bits: int, adc_shift: int = 0
) -> NDArray[np.int64]:
    """Sums of hidden weights through saturating readouts, (n, f) x (f, c) -> (n, c).

    Σ_groups Σ_planes 2^plane · (code⁺ − code⁻) · 2^s, with one count per group of ``rows`` rows,
    input bit-plane and polarity.
    """
    total = np.zeros((x.shape[0], w.shape[1]), np.int64)
    positive, negative = (w > 0).astype(np.float32), (w < 0).astype(np.float32)
    start = 0
    for size in row_groups(x.shape[1], rows):
        group = slice(start, start + size)
        start += size
        for plane, ones in enumerate(bit_planes(x[:, group], input_bits)):
            up = (ones @ positive[group]).astype(np.int32)
            down = (ones @ negative[group]).astype(np.int32)
            code = adc(up, adc_bits, adc_shift) - adc(down, adc_bits, adc_shift)
            total += code.astype(np.int64) << (plane + adc_shift)
    return total


def bitwise_planes(u: IntArray, bits: int) -> list[NDArray[np.float32]]:
    """Planes B_0 .. B_{N−1} of weight codes u in 0 .. 2^N − 1, most significant first."""
    return [(u >> (bits - 1 - i) & 1).astype(np.float32) for i in range(bits)]


def bitwise_value(u: IntArray, bits: int, used: int | None = None) -> IntArray:
    """The weight Σ_{i<n} 2^(n−1−i)·(2·B_i − 1) of the first n = ``used`` planes, an odd integer."""
    used = bits if used is None else used
    return 2 * (np.asarray(u, np.int64) >> (bits - used)) - ((1 << used) - 1)


def crossbar_bitwise(
    x: IntArray,
    u: IntArray,
    *,
    bits: int,
    rows: int,
    input_bits: int,
    adc_bits: int,
    adc_shift: int = 0,
    used: int | None = None,
) -> NDArray[np.int64]:
    """Sums of bitwise weights through saturating readouts, stopping after ``used`` planes.

    Σ_groups Σ_planes 2^plane · Σ_{i<n} 2^(n−1−i) · (2·code_i·2^s − Σ x).
    """
    used = bits if used is None else used
    total = np.zeros((x.shape[0], u.shape[1]), np.int64)
    start = 0
    for size in row_groups(x.shape[1], rows):
        group = slice(start, start + size)
        start += size
        cells = bitwise_planes(u[group], bits)[:used]
        for plane, ones in enumerate(bit_planes(x[:, group], input_bits)):
            count = ones.sum(axis=1).astype(np.int64)[:, None]
            for i, cell in enumerate(cells):
                code = adc((ones @ cell).astype(np.int64), adc_bits, adc_shift)
                value = 2 * (code << adc_shift) - count
                total += value << (plane + used - 1 - i)
    return total


def channel_peaks(
    mask: NDArray[np.bool_],
    *,
    groups: Sequence[int],
    input_bits: int,
    adc_bits: int | None = None,
    adc_shift: int = 0,
) -> NDArray[np.int64]:
    """Magnitude that no sum of hidden weights exceeds, whatever the signs, (f, c) -> (c,).

    Σ_groups of the code of all weights kept, times 2^IP − 1; exact sums where ``adc_bits`` is
    None. No more than the layer's ``peak``, and 0 only where the sum is always 0.
    """
    total = np.zeros(mask.shape[1], np.int64)
    start = 0
    for size in groups:
        kept = mask[start : start + size].sum(axis=0, dtype=np.int64)
        start += size
        total += kept if adc_bits is None else adc(kept, adc_bits, adc_shift) << adc_shift
    return total * ((1 << input_bits) - 1)
