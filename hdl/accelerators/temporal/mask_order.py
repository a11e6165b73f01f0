"""The order in which the temporal accelerator uses a layer's mask."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .program import LayerOperation

__all__ = ["mask_groups", "mask_words_of", "pass_words_of"]


def pass_words_of(operation: LayerOperation, many: int) -> int:
    """Groups of the channels of one pass, of all planes."""
    g = operation.geometry
    return operation.planes * g.window * -(-g.in_channels // many)


def mask_words_of(operation: LayerOperation, many: int) -> int:
    """How many groups :func:`mask_groups` gives."""
    return operation.channel_passes * pass_words_of(operation, many)


def mask_groups(
    operation: LayerOperation, masks: Sequence[NDArray[np.bool_]], many: int
) -> Iterator[NDArray[np.bool_]]:
    """The mask, or planes, of ``many`` rows and ``outputs`` channels at a time, (many, outputs).

    For all channels of a pass plane by plane, block by block, slot by slot; only groups of which
    the first row is there, and False where a row or a channel is not.
    """
    for channel_pass in range(operation.channel_passes):
        for mask in masks:
            yield from _pass_groups(operation, mask, channel_pass, many)


def _pass_groups(
    operation: LayerOperation, mask: NDArray[np.bool_], channel_pass: int, many: int
) -> Iterator[NDArray[np.bool_]]:
    g, array = operation.geometry, operation.array
    some = slice(channel_pass * array.outputs, (channel_pass + 1) * array.outputs)
    for block in range(operation.blocks):
        for slot in operation.slots(block):
            if slot is None:
                continue
            for first in range(slot.word * array.word, (slot.word + 1) * array.word, many):
                channels = range(first, min(first + many, g.in_channels))
                if not channels:
                    continue
                place = slot.ky * g.kernel_width + slot.kx
                rows = [channel * g.window + place for channel in channels]
                part = mask[rows, some]
                group = np.zeros((many, array.outputs), bool)
                group[: part.shape[0], : part.shape[1]] = part
                yield group
