"""Temporal accelerators that calibrate the model: chips of drawn sizes for one small network."""

from math import gcd
from typing import Any

from kakure.hdl.accelerators.temporal.widths import SUM_BITS
from kakure.hdl.shape.nets import MACRO_DEPTH
from kakure.model.config.accelerators.temporal import TemporalConfig

from .draw import Draw

__all__ = ["temporal_chip"]

MOST_LANES = 4096
"""Of a drawn array: larger ones are more of the same elements."""
MOST_SLOTS = 24
"""Banks of each memory of activations of a drawn accelerator."""


MOST_CELLS = 5000
"""Bits of a memory of sums of fewer words than a macro has."""


def temporal_chip(draw: Draw) -> dict[str, Any]:
    """A chip with a name: its hardware depends on nothing but its sizes."""
    outputs = draw("outputs", [1, 2, 4, 8, 8, 16, 16, 16, 32, 64])
    inputs = draw("inputs", [4, 8, 16, 24, 32, 40, 48, 64, 64, 96, 128, 128, 192, 256])
    while inputs // gcd(inputs, outputs) > MOST_SLOTS:
        inputs //= 2
    pixels = draw("pixels", [1, 1, 2, 2, 3, 4, 4, 6, 8, 16])
    pixels = max(1, min(pixels, MOST_LANES // (inputs * outputs)))
    batches = draw("batches", [1, 2, 4, 8, 16, 24, 32, 48, 64, 128])
    if batches < MACRO_DEPTH:
        batches = max(1, min(batches, MOST_CELLS // (SUM_BITS * outputs * pixels)))
    array = TemporalConfig.model_validate({
        "inputs": inputs,
        "outputs": outputs,
        "pixels": pixels,
        "batches": batches,
        "rows": draw("rows", [1, 1, 2, 4, 8, 16]),
    })
    words = draw("activations", [40, 120, 300, 700, 1500, 3000, 6000, 12000, 20000])
    groups = draw("mask_words", [32, 40, 150, 600, 2000, 6000, 12000, 24000])
    passes = draw("channel_passes", [1, 2, 4, 8, 20, 40, 64, 90])
    sizes = {
        "name": "sample",
        "activations": max(words, array.slots),
        "mask_bits": groups * array.many * array.outputs,
        "channels": passes * outputs,
        "classes": draw("classes", [2, 10, 10, 20, 100]) if outputs > 1 else 10,
        "operations": draw("operations", [2, 4, 8, 10, 12, 20, 40]),
    }
    return {
        "name": "sample",
        "dataset": "images",
        "input_shape": [1, 1, 1],
        "weights": {"kind": "hidden", "seed": 1, "generator": "xorshift32"},
        "accelerator": array.model_dump(mode="json") | sizes,
        "layers": [{"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 1}],
    }
