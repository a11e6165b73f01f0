"""Cycles per image of each layer by itself, in closed form.

A layer by itself: pixels are always there, results are always taken. Its windows, engine, pool
and requantizer hold each other up as :mod:`kakure.hdl.accelerators.spatial.cycle_model` says; these
are the solutions of its recurrences for one image after the other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layer_shape import LayerShape

__all__ = ["COPIES_ERROR", "LayerCycles", "layer_cycles"]

Ints = NDArray[Any]

COPIES_ERROR = 0.05
"""Mean relative error of the cycles that are not exact; a test measures it."""


@dataclass(frozen=True)
class LayerCycles:
    """Cycles per image, and whether they are exact (bool array).

    Where they are not they are near: layers with several copies, where now the padding of a row
    and now the copies hold up the others, and few layers on PE arrays with a pool.
    """

    cycles: Ints
    is_exact: NDArray[np.bool_]


def layer_cycles(layers: LayerShape) -> LayerCycles:
    """Cycles from one image to the next, of each of many layers by itself.

    Let c be the cycles of an engine for a vector, n those of the requantizer, and m_k the
    positions of the padded map that complete no window between window k and the next: stride − 1
    within a row, more from row to row and from image to image. Then window k + 1 is taken

        c − 1 + max(m_k + 1, 1 + s_k)

    cycles after window k, where s_k is how long result k waits for the one before it: n − 1
    without a pool, and max(0, n − c − m_{k−1}) with one, if result k − 1 completed a maximum.
    Where a map is summed, its pixels come one a cycle, and the rest works meanwhile.
    """
    cycles = np.zeros(len(layers), np.int64)
    is_exact = np.ones(len(layers), bool)
    chunks = layers.requantizer.chunks
    one = (layers.is_crossbar == 1) & (layers.copies == 1)
    many = (layers.is_crossbar == 1) & (layers.copies > 1)
    pe = layers.is_crossbar == 0
    for where, solve in ((one, _crossbar), (many, _copies)):
        if where.any():
            rows = np.flatnonzero(where)
            cycles[rows] = solve(layers.pick(rows), chunks[rows])
    is_exact &= ~many
    if pe.any():
        rows = np.flatnonzero(pe)
        cycles[rows], is_exact[rows] = _pe_array(layers.pick(rows), chunks[rows])
    return LayerCycles(np.maximum(cycles, layers.summed), is_exact)


def _gaps(layers: LayerShape) -> tuple[Ints, Ints, Ints]:
    """Positions without a window from one to the next in a row, from row to row, and to an image.

    Between two windows are those of the padded map, less those of the strides from one to another.
    """
    stride, window = layers.stride, layers.window
    across, down = stride * (layers.out_width - 1), stride * (layers.out_height - 1)
    row = stride * window.padded_width - across - 1
    image = (window.padded_height - down) * window.padded_width - across - 1
    return stride - 1, row, image


def _crossbar(layers: LayerShape, n: Ints) -> Ints:
    c = layers.crossbar.grid.cycles
    step, row, image = _gaps(layers)
    height, width, pool = layers.out_height, layers.out_width, layers.pool
    plain = (
        height * (width - 1) * np.maximum(step + 1, n)
        + (height - 1) * np.maximum(row + 1, n)
        + np.maximum(image + 1, n)
    )
    return height * width * (c - 1) + np.where(pool == 1, plain, _pooled(layers, n, c))


def _pooled(layers: LayerShape, n: Ints, c: Ints) -> Ints:
    """Σ max(m_k + 1, 1 + s_k) over an image with a pool.

    Window k completes a maximum in the last row of a block of rows, at its last column; result
    k + 1 waits for it, and what that costs depends on the gaps before and after window k + 1.
    """
    step, row, image = _gaps(layers)
    height, width, pool = layers.out_height, layers.out_width, layers.pool
    across, down = width // np.maximum(pool, 1), height // np.maximum(pool, 1)
    total = layers.window.padded_height * layers.window.padded_width  # if nothing waited

    def waits(before: Ints, after: Ints) -> Ints:
        """Cycles lost where a maximum is completed ``before`` positions ahead of a window."""
        stall = np.maximum(n - c - before, 0)
        return np.maximum(stall - after, 0)

    rest_x, rest_y = width - across * pool, height - down * pool
    # The next window lies in the same row, and is not the row's last.
    inside = across - (rest_x <= 1)
    total += down * inside * waits(step, step)
    # The next window is the last of its row: a gap of a row, or of an image, follows it.
    is_next_last = rest_x == 1
    ends_image = rest_y == 0
    rows = down - ends_image
    total += is_next_last * (rows * waits(step, row) + ends_image * waits(step, image))
    # The maximum is completed at the end of a row: the gap is before the next window.
    is_end = rest_x == 0
    total += is_end * (rows * waits(row, step) + ends_image * waits(image, step))
    return total


def _copies(layers: LayerShape, n: Ints) -> Ints:
    """The slowest of the walk over the map, the copies' work, and the requantizer."""
    c = layers.crossbar.grid.cycles
    step, row, image = _gaps(layers)
    height, width, pool = layers.out_height, layers.out_width, layers.pool
    positions = height * width
    walk = layers.window.padded_height * layers.window.padded_width
    wait = np.where(pool == 1, n - 1, 0)
    work = (c + wait) / layers.copies
    rate = np.maximum(work, 1 + np.maximum(wait, step))
    # With a pool, each maximum keeps the next result waiting, in every pool-th row of the map.
    in_turn = (n + pool - 1) / pool
    jumps = _jumps(layers.copies, pool)
    mixed = np.where(jumps > 0, (jumps * c + n) / (jumps * layers.copies + 1), 0.0)
    slow = np.where(pool > 1, np.maximum(rate, np.maximum(in_turn, mixed)), rate)
    slow_rows = np.where(pool > 1, height // pool, 0)
    busy = width * (slow_rows * slow + (height - slow_rows) * rate)
    # Between rows the walk over the padding may add to that, but not in the same round of copies.
    room = positions / (layers.copies + 1)
    for gap, count in ((image, np.ones_like(c)), (row, height - 1)):
        used = np.minimum(count, room)
        busy = busy + used * np.maximum(gap + 1 - wait - rate, 0)
        room = room - used
    return np.maximum(walk, np.ceil(busy - 1e-9).astype(np.int64))


def _jumps(copies: Ints, pool: Ints) -> Ints:
    """Least number of rounds of all copies that end one window before a block's end, or 0."""
    result = np.zeros_like(copies)
    for jumps in range(1, int(pool.max())):
        hits = (result == 0) & (pool > jumps) & (jumps * copies % pool == pool - 1)
        result[hits] = jumps
    return result


def _pe_array(layers: LayerShape, n: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Batches: windows are stored, worked on, and their sums sent one by one."""
    pe = layers.pe_array
    step, row, image = _gaps(layers)
    height, width, positions = layers.out_height, layers.out_width, pe.positions
    batches = -(-positions // pe.pixels)
    pool = layers.pool
    # A result takes n cycles; with a pool only the one after a maximum waits, within its layers.
    maxima = (width // pool) * (height // pool)
    waiting = np.where(pool == 1, positions, maxima)
    waiting -= _maxima_at_ends(layers, pe.pixels, (pool > 1) & (n > 1))
    sends = positions + waiting * (n - 1)
    cycles = positions * pe.blocks + batches * (pe.work_cycles - 1) + sends
    # Gaps within a batch cost their positions; between batches the walk goes on meanwhile.
    between = (positions - 1) // np.lcm(pe.pixels, width)
    cycles += (height - 1 - between) * row
    cycles += (positions - height - (batches - 1 - between)) * step
    send = np.where(pool == 1, n, 1)
    cycles += between * np.maximum(0, row + 1 - pe.work_cycles - pe.pixels * send)
    last = positions - (batches - 1) * pe.pixels
    free = pe.work_cycles + last * send
    cycles += np.maximum(0, image + 1 - free)
    meanwhile = pe.work_cycles + pe.blocks
    is_exact = (row < pe.work_cycles) & (n <= meanwhile) & (image < free)
    return cycles, (pool == 1) | is_exact


def _maxima_at_ends(layers: LayerShape, pixels: Ints, wanted: NDArray[np.bool_]) -> Ints:
    """Positions that complete a maximum and are the last of their batch, counted one by one."""
    result = np.zeros(len(layers), np.int64)
    places = np.flatnonzero(wanted)
    if not len(places):
        return result
    keys = np.stack([
        layers.out_height[places],
        layers.out_width[places],
        layers.pool[places],
        pixels[places],
    ])
    unique, which = np.unique(keys, axis=1, return_inverse=True)
    counts = []
    for height, width, pool, step in unique.T:
        ends = np.append(np.arange(step - 1, height * width - 1, step), height * width - 1)
        y, x = np.divmod(ends, width)
        kept = (y < height // pool * pool) & (x < width // pool * pool)
        counts.append(np.sum(kept & (y % pool == pool - 1) & (x % pool == pool - 1)))
    result[places] = np.array(counts)[which.reshape(-1)]
    return result
