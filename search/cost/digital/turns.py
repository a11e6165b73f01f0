"""How often the blocks of a temporal accelerator work for an image: layers take turns on them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.mask_order import mask_words_of
from kakure.hdl.accelerators.temporal.operation import operation_layout
from kakure.hdl.accelerators.temporal.program import LayerOperation, SumOperation
from kakure.hdl.accelerators.temporal.record import record_words
from kakure.hdl.accelerators.temporal.timing import layer_work, operation_cycles

__all__ = ["WORKS", "layer_works", "operation_works", "turn_works"]

WORKS: tuple[str, ...] = (
    "computes",
    "uses",
    "steps",
    "sum_reads",
    "windows",
    "words",
    "groups",
    "mask_reads",
    "blocks",
    "passes",
    "sent",
    "finished",
    "written",
    "added",
    "summed",
    "fetches",
)
"""Cycles in which products are added, and as many of which all lanes would be in use; digits of a
batch that are added, and how often sums are read; positions that are read, and how often all banks
are for them; groups of rows that are made, and masks that are read for them; blocks of weights;
passes over channels; positions that are sent; positions that leave the pools; words that are
written; how often all banks are read for what is added; words that are summed; words of operations.
"""


FETCH = 2
"""Cycles from the last word of an operation to its start, and after its end."""


def operation_works(operation: LayerOperation | SumOperation, words: int) -> dict[str, float]:
    """The works of one operation of ``words``, each of :data:`WORKS`."""
    result: dict[str, float] = dict.fromkeys(WORKS, 0.0)
    result["fetches"] = words
    if isinstance(operation, SumOperation):
        source = operation.source
        summed = source.height * source.width * source.words * source.digits
        return result | {"summed": summed, "written": source.words * operation.target.digits}
    g, array, source = operation.geometry, operation.array, operation.source
    passes = operation.channel_passes
    batches = passes * -(-operation.positions // array.pixels)
    blocks = passes * operation.position_passes * operation.blocks
    steps = batches * operation.blocks * source.digits
    positions = g.pooled_height * g.pooled_width
    parts = -(-g.outputs // array.word)
    read = passes * operation.positions * g.window * source.words * source.digits
    products = g.weights * operation.positions * sum(operation.digit_planes)
    target, added = operation.target, operation.added
    return result | {
        "computes": layer_work(operation).computes,
        "uses": products / array.lanes,
        "steps": steps,
        "sum_reads": steps,  # all but a pass's first, and when they are sent
        "windows": steps * array.pixels,
        "words": read / array.slots,
        "groups": blocks * (array.inputs // array.many),
        "mask_reads": mask_words_of(operation, array.many) * operation.position_passes,
        "blocks": blocks,
        "passes": passes,
        "sent": batches * array.pixels,
        "finished": passes * positions,
        "written": 0 if target is None else positions * parts * target.digits,
        "added": 0 if added is None else positions * parts * added.digits / array.slots,
    }


def _sums(operations: Iterable[LayerOperation | SumOperation], words: int) -> dict[str, float]:
    total: dict[str, float] = dict.fromkeys(WORKS, 0.0)
    for operation in operations:
        for name, value in operation_works(operation, words).items():
            total[name] += value
    return total


def layer_works(
    layers: Sequence[tuple[Sequence[LayerOperation | SumOperation], int]],
) -> dict[str, NDArray[np.float64]]:
    """The works of layers, and their ``cycles``, those of fetching included; nothing of an image.

    Parameters
    ----------
    layers : sequence of (operations, int)
        Of each layer, and the words of an operation.
    """
    found = [_sums(operations, words) for operations, words in layers]
    result = {name: np.array([one[name] for one in found], np.float64) for name in WORKS}
    cycles = [
        sum(operation_cycles(operation) + words + FETCH for operation in operations)
        for operations, words in layers
    ]
    nothing = np.zeros(len(layers))
    return result | {"cycles": np.array(cycles, np.float64), "bytes": nothing, "pixels": nothing}


def turn_works(architecture: Temporal, cycles: float) -> dict[str, NDArray[np.float64]]:
    """The works of a whole network, shape (1,): an image every ``cycles``."""
    height, width, channels = architecture.config.shape
    words = record_words(operation_layout(architecture.array, architecture.sizes))
    values: dict[str, float] = {
        **_sums(architecture.program.operations, words),
        "cycles": cycles,
        "pixels": height * width,
        "bytes": height * width * channels,
    }
    return {name: np.array([float(value)]) for name, value in values.items()}
