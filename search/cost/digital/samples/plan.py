"""What is synthesized to calibrate the model: a seeded plan of blocks and accelerators."""

import json
from collections.abc import Callable
from typing import Any

from kakure.model.files.shipped import CONFIGS

from .blocks import BLOCKS, large_tile, with_shortcut
from .chosen import CHAINS, CHOSEN, SHIPPED, WIDE_GRIDS
from .draw import Draw
from .networks import NETWORKS, chain, residual, wide_grid
from .sample import Sample

__all__ = ["ALONE", "SETTLED", "WHOLE", "plan", "validation"]

COUNTS = {
    "popcount": 40,
    "crossbar_tile": 42,
    "readout": 24,
    "requantizer": 27,
    "pe_array": 26,
    "shortcut": 15,
    "sliding_window": 24,
    "strided_window": 28,
    "sum_pool": 24,
    "max_pool": 24,
    "ram": 24,
    "crossbar_engine": 33,
    "pe_engine": 27,
    "weight_generator": 24,
    "result_sender": 7,
    "pixel_unpacker": 10,
    "frame_gate": 5,
    "accelerator": 9,
    "temporal_accelerator": 36,
    "memory_tile": 36,
}
"""How many of each block are drawn."""

DRAWN = {**BLOCKS, **NETWORKS}
"""How the sizes of each block, or the configuration, are drawn."""

ALONE = frozenset({"strided_window", "sum_pool", "memory_tile"})
"""Blocks that came later: what a sample of theirs holds of other kinds is not looked at, so that
they move no coefficient but their own."""

SETTLED = {"temporal_accelerator": frozenset({"accelerator", "popcount", "ram"})}
"""Kinds of blocks in samples of a block that are not looked at: other samples settle them."""

WHOLE = frozenset({"accelerator", "temporal_accelerator"})
"""Samples that are whole accelerators."""

VALIDATED = {
    "crossbar_tile": (1, 10),
    "requantizer": (1, 6),
    "pe_array": (2, 8),
    "pe_engine": (2, 6),
    "strided_window": (1, 5),
    "sum_pool": (1, 8),
    "weight_generator": (1, 8),
    "accelerator": (2, 6),
    "temporal_accelerator": (1, 6),
    "memory_tile": (1, 8),
}
"""How many more are drawn of some blocks, all held out, after the closed forms were settled.

The first number is the round: a block whose form is changed later needs samples that are new.
"""

LARGE = 6
"""Large tiles drawn, all held out, after the form of a tile's critical path was last changed."""


def _drawn(
    block: str, name: str, count: int, make: Callable[[Draw], dict[str, Any]] | None = None
) -> list[Sample]:
    make = make or DRAWN[block]
    draw = Draw(name, count)
    samples = []
    for draw.sample in range(count):
        samples.append(Sample(block, make(draw)))
    return samples


def validation() -> list[Sample]:
    """Samples that neither the fit nor the choice of the closed forms has seen."""
    samples: list[Sample] = []
    for block, (turn, count) in VALIDATED.items():
        name = f"{block} validation" if turn == 1 else f"{block} validation {turn}"
        drawn = _drawn(block, name, 8 * count)
        samples += [sample for sample in drawn if sample.is_held_out][:count]
    drawn = _drawn("crossbar_tile", "large tile validation", 8 * LARGE, large_tile)
    return [*samples, *[sample for sample in drawn if sample.is_held_out][:LARGE]]


def plan() -> list[Sample]:
    """All samples; the same seed, the same plan. A block's samples do not depend on another's."""
    samples: list[Sample] = []
    for block, count in COUNTS.items():
        samples += _drawn(block, block, count)
    samples += _drawn("requantizer", "requantizer with shortcut", 24, with_shortcut)
    joined = _drawn("accelerator", "residual accelerator", 12, residual)
    samples += [sample for sample in joined if len(sample.parameters["layers"]) > 2]
    for block, names, rows in CHOSEN:
        samples += [Sample(block, dict(zip(names, row, strict=True))) for row in rows]
    samples += [Sample("crossbar_engine", wide_grid(*row)) for row in WIDE_GRIDS]
    samples += [Sample("accelerator", chain(*row)) for row in CHAINS]
    for generator in ("xorshift32", "xorshift16"):
        layers = [[3, 9, 64], *([64, 9, 128], [256, 9, 512], [512, 9, 512]) * 4, [512, 1, 10]]
        values = {"generator": generator, "seed": 1, "layers": layers}
        samples.append(Sample("weight_generator", values))
    for name in SHIPPED:
        config = json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))
        for field in ("$schema", "parameters"):
            config.pop(field, None)
        samples.append(Sample("accelerator", config))
    unique = {sample.key: sample for sample in [*samples, *validation()]}
    return list(unique.values())
