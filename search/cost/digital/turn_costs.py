"""What a temporal accelerator costs: one array, on which the layers take turns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.accelerator_shape import AcceleratorShape
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.core import TemporalCore
from kakure.hdl.accelerators.temporal.core_shape import TemporalCoreShape
from kakure.hdl.accelerators.temporal.mask_order import mask_words_of
from kakure.hdl.accelerators.temporal.memory_shape import ram_shape
from kakure.hdl.accelerators.temporal.operation import operation_layout, sizes_of
from kakure.hdl.accelerators.temporal.processor_shape import MEMORIES
from kakure.hdl.accelerators.temporal.program import (
    DIGIT,
    LayerOperation,
    Program,
    SumOperation,
    program_alone,
)
from kakure.hdl.accelerators.temporal.program_reader import record_words
from kakure.hdl.accelerators.temporal.scale_lane_shape import SCALE_BITS
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry, SummedMap
from kakure.search.cost.metrics import ARRAY, LayerBatch, LayerCosts, Metrics
from kakure.search.cost.unfitted import Unfitted

from .coefficients import Coefficients
from .description import stacked
from .energy_model import EnergyModel
from .fit import block_area
from .library import macro_of
from .part_areas import areas_of, known_parts, memory_bits
from .period import layer_pace, path_ns
from .tree import Part, parts_below, shared_parts
from .turns import layer_works, turn_works

__all__ = ["TurnCosts"]

Floats = NDArray[np.float64]
Operations = Sequence[LayerOperation | SumOperation]

OWN = len(TemporalCore.own_registers)
TYPICAL_ROWS = 512
"""Of a bank, at least, where the clock is that of a network with a layer, and not of it alone."""
DEEP = 8192
"""Words of a memory whose area for a word is that of any larger one."""


@dataclass(frozen=True)
class TurnCosts:
    """Costs of configurations whose accelerator is temporal, as :class:`.DigitalModel` has them.

    Area and energy are those of all blocks, memories included. A layer's own area is what it asks
    of the memories of masks and scales; all layers share the rest, of which the map that is largest
    sizes the memories of activations. A layer's energy is that of its operations; what the image
    takes, and what fetching operations takes, belongs to none.

    Parameters
    ----------
    coefficients : Coefficients
    energy : EnergyModel, optional
    clock_ns : float, optional
        Clock period; by default that of the core [ns].
    """

    coefficients: Coefficients
    energy: EnergyModel | None
    clock_ns: float | None = None

    def metrics(self, config: Config, *, extrapolate: bool = False) -> Metrics:
        """Cost of a whole configuration; cycles are exact.

        Raises
        ------
        UserError
            As :meth:`.DigitalModel.metrics`.
        """
        architecture = architecture_of(config)
        assert isinstance(architecture, Temporal)
        architecture.check()
        parts = shared_parts(config)
        outside, more = (
            [line for part in parts for _, line in self.coefficients.outside(part, repeated=r)[1]]
            for r in (False, True)
        )
        if outside and not extrapolate:
            raise Unfitted(outside[0])
        areas = areas_of(self.coefficients, parts, 1)
        area = float(sum(found.sum() for found in areas.values()))
        wider = np.zeros(2)
        for (kind, is_outside), found in areas.items():
            if is_outside:
                ends = self.coefficients.beyond[kind], self.coefficients.beyond_worst[kind]
                wider += np.array(ends) * found.sum() / area
        clock, clock_errors, slow = self._clock(parts)
        timing = architecture.timing(2)
        latency, interval = float(timing.results[0]), float(timing.interval)
        energy, energy_errors = float("nan"), np.full(2, np.nan)
        if self.energy is not None:
            energy = self.energy.pj_of(parts, 1, turn_works(architecture, interval), clock).item()
            energy_errors = np.array(self.energy.turn_errors)
        area_errors = np.array(self.coefficients.turn_errors) + wider
        energy_errors = energy_errors + wider
        layers = _in_turn(architecture)
        is_known = np.full(len(layers), not outside)
        return Metrics(
            layers=self._costs(layers, parts, 1, clock, is_known),
            area_um2=area,
            cycles=interval,
            latency_ns=latency * clock,
            interval_ns=interval * clock,
            energy_pj=energy,
            memory_bits=float(sum(memory_bits(part).sum() for part in parts)),
            area_error=float(area_errors[0]),
            time_error=float(clock_errors[0]),
            energy_error=float(energy_errors[0]),
            area_worst=float(area_errors[1]),
            time_worst=float(clock_errors[1]),
            energy_worst=float(energy_errors[1]),
            outside=(*outside, *more, *slow),
        )

    def _clock(self, parts: list[Part]) -> tuple[float, Floats, tuple[str, ...]]:
        """Clock period, its mean and worst error, and what of its path is outside."""
        if self.clock_ns is not None:
            return self.clock_ns, np.zeros(2), ()
        found = layer_pace(parts, 1, self.coefficients.period)
        errors = np.maximum(self.coefficients.period_errors[:, found.kind], found.beyond)
        return float(found.period_ns[0]), errors[:, 0], found.lines

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        """Cost of layers, each by itself on an array that holds no more.

        Raises
        ------
        UserError
            As :meth:`.DigitalModel.layer_costs`.
        """
        layers = _alone(batch)
        parts = parts_below(AcceleratorShape(_cores(layers), OWN), len(batch))
        is_known, errors = known_parts(self.coefficients, parts, len(batch))
        if errors and not extrapolate:
            raise errors[0]
        clock = self.clock_ns
        if clock is None:
            clock = path_ns(_cores(layers, TYPICAL_ROWS), self.coefficients.period)
        return self._costs(layers, parts, len(batch), clock, is_known)

    def shared_area_um2(self, batch: LayerBatch) -> Floats:
        """Area of the memories of activations, if each layer were the only one."""
        layers = _alone(batch)
        arrays = [layer.array for layer in layers]
        rows = np.array([sizes_of(layer.program, layer.array).rows for layer in layers])
        width = np.array([array.word * DIGIT for array in arrays])
        banks = np.array([array.slots for array in arrays])
        area = block_area(ram_shape(rows, width), self.coefficients.blocks)
        return MEMORIES * banks * area

    def _costs(
        self,
        layers: Sequence["_Layer"],
        parts: list[Part],
        size: int,
        clock: Floats | float,
        is_known: NDArray[np.bool_],
    ) -> LayerCosts:
        """Costs of layers on ``parts``: of one accelerator, or of one for each."""
        count = len(layers)
        words = [layer.words for layer in layers]
        works = layer_works([layer.operations for layer in layers], words)
        energy = np.full(count, np.nan)
        if self.energy is not None:
            energy = self.energy.pj_of(parts, size, works, clock)
        many = np.array([len(layer.operations) for layer in layers])
        cycles = works["cycles"] + many * (np.array(words) + 2)
        masks = np.array([layer.mask_words for layer in layers])
        passes = np.array([layer.passes for layer in layers])
        outputs = np.array([layer.array.outputs for layer in layers])
        width = np.array([layer.array.many for layer in layers]) * outputs
        area = masks * _word_um2(width) + passes * outputs * _word_um2(np.full(count, SCALE_BITS))
        area_error = float(self.coefficients.turn_errors[0])
        return LayerCosts(
            area_um2=area,
            cycles=cycles,
            time_ns=cycles * clock,
            energy_pj=energy,
            memory_bits=1.0 * masks * width + passes * outputs * SCALE_BITS,
            area_error=np.full(count, area_error),
            time_error=np.zeros(count) if self.clock_ns else self._time_errors(parts, size, count),
            energy_error=np.full(count, self.energy.turn_errors[0] if self.energy else np.nan),
            is_known=is_known,
        )

    def _time_errors(self, parts: list[Part], size: int, count: int) -> Floats:
        found = layer_pace(parts, size, self.coefficients.period)
        errors = np.maximum(self.coefficients.period_errors[:, found.kind], found.beyond)[0]
        return np.broadcast_to(errors, (count,)).copy()


@dataclass(frozen=True)
class _Layer:
    """One layer's operations, each of so many words, on an array."""

    operations: Operations
    array: TemporalConfig
    words: int
    program: Program

    @property
    def mask_words(self) -> int:
        """Words of masks that it needs."""
        layers = (one for one in self.operations if isinstance(one, LayerOperation))
        return sum(mask_words_of(one, self.array.many) for one in layers)

    @property
    def passes(self) -> int:
        """Passes over channels, each of which has scales of its own."""
        layers = (one for one in self.operations if isinstance(one, LayerOperation))
        return sum(one.channel_passes for one in layers)


def _word_um2(width: NDArray[np.int64]) -> Floats:
    """Area of one word more in a deep memory."""
    return macro_of(ram_shape(np.full(len(width), DEEP), width)).area_um2 / DEEP


@lru_cache(maxsize=4096)
def _layer_alone(geometry: LayerGeometry, sizes: tuple[tuple[str, int], ...]) -> _Layer:
    array = TemporalConfig.model_validate(dict(sizes))
    program = program_alone(geometry, array)
    words = record_words(operation_layout(array, sizes_of(program, array)))
    return _Layer(program.operations, array, words, program)


def _alone(batch: LayerBatch) -> list[_Layer]:
    names = [name.removeprefix("array_") for name in ARRAY]
    columns = [getattr(batch, name).tolist() for name in ARRAY]
    arrays = [tuple(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    return [_layer_alone(g, a) for g, a in zip(_geometries(batch), arrays, strict=True)]


def _in_turn(architecture: Temporal) -> list[_Layer]:
    """The layers of a whole network."""
    layers: list[_Layer] = []
    taken: list[LayerOperation | SumOperation] = []
    words = record_words(operation_layout(architecture.array, architecture.sizes))
    for operation in architecture.program.operations:
        taken.append(operation)
        if isinstance(operation, LayerOperation):
            layers.append(_Layer(tuple(taken), architecture.array, words, architecture.program))
            taken = []
    return layers


def _cores(layers: Sequence[_Layer], rows: int = 1) -> TemporalCoreShape:
    """Cores that hold a layer each, and banks of at least so many rows."""
    shapes = []
    for layer in layers:
        sizes = sizes_of(layer.program, layer.array)
        sizes = replace(sizes, rows=max(sizes.rows, rows))
        shapes.append(TemporalCoreShape.of(layer.array, sizes))
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
