"""Layers that take turns on an array: the operations of each, alone or in a network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.core_shape import TemporalCoreShape
from kakure.hdl.accelerators.temporal.mask_order import mask_words_of
from kakure.hdl.accelerators.temporal.operation import Sizes, operation_layout, sizes_of
from kakure.hdl.accelerators.temporal.planner import program_alone
from kakure.hdl.accelerators.temporal.program import LayerOperation, SumOperation
from kakure.hdl.accelerators.temporal.record import record_words
from kakure.hdl.shape.numbers import ceil_div
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.geometry import LayerGeometry, SummedMap
from kakure.search.cost.metrics import ARRAY, LayerBatch

from .description import stacked

__all__ = ["TurnLayer", "cores_of", "layers_alone", "layers_in_turn"]


@dataclass(frozen=True)
class TurnLayer:
    """One layer on an array.

    Attributes
    ----------
    operations : tuple
        What sums its map, if it is summed, and the layer itself, which is the last.
    array : TemporalConfig
    sizes : Sizes
        Of the accelerator.
    """

    operations: tuple[LayerOperation | SumOperation, ...]
    array: TemporalConfig
    sizes: Sizes

    @property
    def layer(self) -> LayerOperation:
        """The layer itself."""
        operation = self.operations[-1]
        assert isinstance(operation, LayerOperation)
        return operation

    @property
    def words(self) -> int:
        """Words of an operation."""
        return record_words(operation_layout(self.array, self.sizes))

    @property
    def mask_words(self) -> int:
        """Words of masks that it needs."""
        return mask_words_of(self.layer, self.array.many)

    @property
    def passes(self) -> int:
        """Passes over channels, each of which has scales of its own."""
        return self.layer.channel_passes


def layers_in_turn(architecture: Temporal) -> list[TurnLayer]:
    """The layers of a whole network."""
    layers: list[TurnLayer] = []
    taken: list[LayerOperation | SumOperation] = []
    for operation in architecture.program.operations:
        taken.append(operation)
        if isinstance(operation, LayerOperation):
            layers.append(TurnLayer(tuple(taken), architecture.array, architecture.sizes))
            taken = []
    return layers


def layers_alone(batch: LayerBatch) -> list[TurnLayer]:
    """The layers of a batch, each on an accelerator that holds no more."""
    names = [name.removeprefix("array_") for name in ARRAY]
    columns = [getattr(batch, name).tolist() for name in ARRAY]
    arrays = [tuple(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    return [_alone(g, array) for g, array in zip(_geometries(batch), arrays, strict=True)]


@lru_cache(maxsize=4096)
def _alone(geometry: LayerGeometry, shape: tuple[tuple[str, int], ...]) -> TurnLayer:
    array = TemporalConfig.model_validate(dict(shape))
    program = program_alone(geometry, array)
    # What it writes is kept as its reader wants it: the reader asks. Logits are the last layer's.
    words = max(operation.source.size for operation in program.operations)
    is_last = geometry.output_bits is None
    sizes = sizes_of(program, array)
    sizes = replace(sizes, rows=ceil_div(words, array.slots), logits=sizes.logits if is_last else 1)
    return TurnLayer(program.operations, array, sizes)


def cores_of(layers: Sequence[TurnLayer], **sizes: int) -> TemporalCoreShape:
    """The core around each layer, but with some sizes of the accelerator in place of its own."""
    shapes = [TemporalCoreShape.of(layer.array, replace(layer.sizes, **sizes)) for layer in layers]
    found = stacked(shapes)
    assert isinstance(found, TemporalCoreShape)
    return found


def _geometries(batch: LayerBatch) -> list[LayerGeometry]:
    """The layers of a batch, each reading a map that no other reads."""
    names = [field.name for field in fields(batch)]
    rows = zip(*(getattr(batch, name).tolist() for name in names), strict=True)
    return [_geometry(dict(zip(names, row, strict=True))) for row in rows]


def _geometry(row: dict[str, int]) -> LayerGeometry:
    pool, fan_in = row["pool"], row["in_channels"] * row["kernel_height"] * row["kernel_width"]
    side = math.isqrt(row["summed"])
    shape = (side, side) if side * side == row["summed"] else (1, row["summed"])
    summed = SummedMap(*shape, row["map_bits"], row["sum_shift"]) if row["summed"] else None
    copied = (
        "in_height", "in_width", "in_channels", "kernel_height", "kernel_width", "padding",
        "stride", "out_height", "out_width", "outputs", "input_bits",
    )  # fmt: skip
    return LayerGeometry(
        index=0,
        pool=pool,
        pooled_height=row["out_height"] // pool,
        pooled_width=row["out_width"] // pool,
        output_bits=row["output_bits"] or None,
        groups=(fan_in,),
        peak=fan_in * ((1 << row["input_bits"]) - 1),
        reads=0,
        adds=0 if row["residual"] else None,
        added_bits=row["input_bits"] if row["residual"] else 0,
        summed=summed,
        **{name: row[name] for name in copied},
    )
