"""Layers on PE arrays for tests: sizes, configurations, promised cycles."""

import json

from kakure.model.config.config import Config, parse_config

__all__ = ["SHAPES", "layer_on_array", "promised"]

SHAPES = [
    # (height, width, channels), kernel, outputs, (inputs, outputs, pixels), input_bits
    ((1, 1, 1), 1, 1, (1, 1, 1), 1),
    ((4, 4, 2), 2, 5, (3, 2, 4), 3),  # 9 positions: two batches and one of one position
    ((2, 3, 3), 1, 4, (16, 16, 16), 8),
    ((3, 3, 2), 2, 33, (2, 16, 3), 2),
    ((4, 3, 2), 3, 3, (5, 1, 1), 4),
    ((2, 2, 5), 1, 2, (2, 2, 3), 1),
]


def layer_on_array(size, kernel, outputs, array, input_bits, *, weights) -> Config:
    """A convolution without padding, and a linear layer behind it."""
    return parse_config(
        json.dumps({
            "name": "engine",
            "dataset": "maps",
            "input_shape": list(size),
            "weights": weights,
            "pe_array": dict(zip(("inputs", "outputs", "pixels"), array, strict=True)),
            "layers": [
                {
                    "kind": "conv",
                    "channels": outputs,
                    "kernel": kernel,
                    "padding": 0,
                    "engine": "pe_array",
                    "input_bits": input_bits,
                },
                {"kind": "linear", "channels": 1, "engine": "pe_array", "input_bits": 1},
            ],
        })
    )


def promised(schedule, images):
    """Cycles that take the windows of images, and their sums, when nothing is waited for."""
    windows, sums = [], []
    free = 0
    for _ in range(images):
        left = schedule.positions
        while left:
            batch = min(left, schedule.pixels)
            left -= batch
            ends = [free + schedule.store_cycles * (n + 1) - 1 for n in range(batch)]
            offered = ends[-1] + schedule.work_cycles
            windows += ends
            sums += range(offered, offered + batch)
            free = offered + batch
    return windows, sums
