"""An operation as the hardware reads it: one record of fields."""

from dataclasses import dataclass, fields
from math import ceil
from typing import Any

from amaranth.lib import data

from kakure.hdl.engines.ports import planes_of
from kakure.hdl.weights.sign_generator import job_prefix
from kakure.model.config.accelerators.temporal import SIZES, TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.config.weights.weights import Weights

from .address import address_value
from .block_layout import window_layout
from .mask_order import mask_words_of, pass_words_of
from .positions import positions_layout, positions_value
from .program import LayerOperation, Program, SumOperation
from .summer import sum_layout, sum_value
from .target import most_pace, pace_of, target_layout, target_value
from .widths import SUM_BITS

__all__ = ["Sizes", "needs_of", "operation_layout", "operation_values", "sizes_of"]


@dataclass(frozen=True)
class Sizes:
    """What an accelerator holds.

    Attributes
    ----------
    rows : int
        Of a bank of each memory of activations.
    mask_words : int
        Groups of ``many`` rows of ``outputs`` bits.
    scales : int
        Channel passes with scales.
    logits : int
        Channel passes of the last layer.
    operations : int
    planes : int
        Planes of bitwise weights; 0 where signs are made on chip.
    """

    rows: int
    mask_words: int
    scales: int
    logits: int
    operations: int
    planes: int = 0

    def __repr__(self) -> str:
        """As every dataclass, but without planes where there are none: blocks are named by it."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        shown = (f"{n}={v}" for n, v in values.items() if n != "planes" or v)
        return f"Sizes({', '.join(shown)})"

    @property
    def sets(self) -> int:
        """Scales of a channel: one for each number of planes."""
        return max(self.planes, 1)

    @property
    def sum_bits(self) -> int:
        """Width of a sum [bit]."""
        return SUM_BITS + self.planes


def needs_of(program: Program, array: TemporalConfig) -> dict[str, int]:
    """What a program needs of each of :data:`~.temporal.SIZES`."""
    layers = [o for o in program.operations if isinstance(o, LayerOperation)]
    groups = sum(mask_words_of(o, array.many) for o in layers)
    return {
        "activations": max(program.words),
        "mask_bits": groups * array.many * array.outputs,
        "channels": array.outputs * sum(o.channel_passes for o in layers),
        "classes": layers[-1].geometry.outputs,
        "operations": len(program.operations),
    }


def sizes_of(program: Program, array: TemporalConfig, planes: int = 0) -> Sizes:
    """What the array has, or as much as the program needs; ``planes`` of bitwise weights."""
    given = {size: getattr(array, size) for size in SIZES}
    found = {
        size: needed if given[size] is None else given[size]
        for size, needed in needs_of(program, array).items()
    }
    return Sizes(
        rows=ceil(found["activations"] / array.slots),
        mask_words=ceil(found["mask_bits"] / (array.many * array.outputs)),
        scales=ceil(found["channels"] / array.outputs),
        logits=ceil(found["classes"] / array.outputs),
        operations=found["operations"],
        planes=planes,
    )


def operation_layout(array: TemporalConfig, sizes: Sizes) -> data.StructLayout:
    """A layer, or a sum: which memories it works on, and what each block is told."""
    rows, banks = sizes.rows, array.slots
    return data.StructLayout({
        "is_sum": 1,
        "source": 1,
        "target": 1,
        "added": 1,
        "pace": range(most_pace(array) + 1),
        "window": window_layout(rows, banks, sizes.planes),
        "positions": positions_layout(rows, banks, sizes.planes),
        "result": target_layout(rows, banks),
        "sum": sum_layout(rows, banks),
    })


def operation_values(config: Config, program: Program, rows: int) -> list[dict[str, Any]]:
    """All operations of a program, as :func:`operation_layout` has them."""
    weights = config.weights
    result: list[dict[str, Any]] = []
    masks = scales = 0
    for operation in program.operations:
        source, target = operation.source, operation.target
        common = {
            "source": source.memory,
            "target": 1 - source.memory if target is None else target.memory,
        }
        if isinstance(operation, SumOperation):
            value = sum_value(operation, rows, _banks(program))
            result.append(common | {"is_sum": 1, "sum": value})
            continue
        g, array = operation.geometry, operation.array
        window = {
            **_origin_of(weights, operation),
            "mask": masks,
            "channels": g.in_channels,
            "words": source.words,
            "run": operation.run,
            "kernel_height": g.kernel_height,
            "kernel_width": g.kernel_width,
            "window": g.window,
            "next_line": address_value(source.pitch - operation.run + 1, rows, array.slots),
            "blocks": operation.blocks,
            "channel_passes": operation.channel_passes,
            "position_passes": operation.position_passes,
            "last_outputs": g.outputs - (operation.channel_passes - 1) * array.outputs,
        }
        result.append(
            common
            | {
                "is_sum": 0,
                "added": 0 if operation.added is None else operation.added.memory,
                "pace": pace_of(operation),
                "window": window,
                "positions": positions_value(operation, rows, planes_of(config)),
                "result": target_value(operation, rows, scales),
            }
        )
        masks += mask_words_of(operation, array.many)
        scales += operation.channel_passes
    return result


def _origin_of(weights: Weights, operation: LayerOperation) -> dict[str, int]:
    """Where the weights of a layer come from."""
    if isinstance(weights, HiddenWeights):
        index = operation.geometry.index
        return {"prefix": job_prefix(weights.generator, seed=weights.seed, layer=index)}
    words = pass_words_of(operation, operation.array.many)
    return {"pass_words": words, "planes": operation.planes}


def _banks(program: Program) -> int:
    return next(o for o in program.operations if isinstance(o, LayerOperation)).array.slots
