"""The order in which the temporal accelerator uses a layer's mask."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .program import LayerOperation

__all__ = ["mask_groups", "mask_words_of"]


def mask_words_of(operation: LayerOperation, many: int) -> int:
    """How many groups :func:`mask_groups` gives."""
    g = operation.geometry
    return operation.channel_passes * g.window * -(-g.in_channels // many)


def mask_groups(
    operation: LayerOperation, mask: NDArray[np.bool_], many: int
) -> Iterator[NDArray[np.bool_]]:
    """The mask of ``many`` rows and ``outputs`` channels at a time, (many, outputs).

    For all channels of a pass block by block, slot by slot; only groups of which the first row is
    there, and False where a row or a channel is not.
    """
    g, array = operation.geometry, operation.array
    for channel_pass in range(operation.channel_passes):
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
