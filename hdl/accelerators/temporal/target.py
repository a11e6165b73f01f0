"""What a layer writes, as an operation has it, and how fast its positions may leave the array."""

from typing import Any

from amaranth.lib import data

from kakure.model.config.accelerators.temporal import TemporalConfig

from .program import LayerOperation
from .walk import walk_layout, walk_value
from .widths import CODE_BITS, COUNT_BITS, DIGITS, KERNEL_BITS, POSITION_BITS

__all__ = ["most_pace", "pace_of", "target_layout", "target_value"]


def target_layout(rows: int, banks: int) -> data.StructLayout:
    """What a layer writes.

    ``received`` sums of each channel come, of which the first ``positions`` are there; ``area`` of
    them make a pool. The last channels are ``last_words`` words. ``bits`` is the width of an
    activation. What is added is shifted left, or right.
    """
    return data.StructLayout({
        "target": walk_layout(rows, banks),
        "added": walk_layout(rows, banks),
        "positions": POSITION_BITS,
        "received": POSITION_BITS,
        "area": 2 * KERNEL_BITS,
        "width": COUNT_BITS,
        "channel_passes": COUNT_BITS,
        "last_words": COUNT_BITS,
        "scales": COUNT_BITS,
        "bits": range(CODE_BITS + 1),
        "is_logits": 1,
        "has_added": 1,
        "left": range(CODE_BITS),
        "right": range(CODE_BITS),
    })


def most_pace(array: TemporalConfig) -> int:
    """Most cycles between positions, of any layer."""
    return array.outputs // array.word * DIGITS


def pace_of(operation: LayerOperation) -> int:
    """Cycles between positions that come to the finisher."""
    parts = operation.array.outputs // operation.array.word
    maps = (operation.target, operation.added)
    return max([1, *(parts * found.digits for found in maps if found is not None)])


def target_value(operation: LayerOperation, rows: int, scales: int) -> dict[str, Any]:
    """A layer, as :func:`target_layout` has it; ``scales`` is where its scales begin."""
    g, array = operation.geometry, operation.array
    bits = g.output_bits or 0
    parts = array.outputs // array.word
    return {
        "target": walk_value(operation.target, rows, array.slots),
        "added": walk_value(operation.added, rows, array.slots),
        "positions": operation.positions,
        "received": -(-operation.positions // array.pixels) * array.pixels,
        "area": g.pool**2,
        "width": g.pooled_width,
        "channel_passes": operation.channel_passes,
        "last_words": -(-g.outputs // array.word) - (operation.channel_passes - 1) * parts,
        "scales": scales,
        "bits": bits,
        "is_logits": operation.target is None,
        "has_added": operation.added is not None,
        "left": max(0, bits - g.added_bits) if operation.added is not None else 0,
        "right": max(0, g.added_bits - bits) if operation.added is not None else 0,
    }
