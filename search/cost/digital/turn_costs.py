"""What a temporal accelerator costs: one array, on which the layers take turns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.accelerator_shape import AcceleratorShape
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.core import TemporalCore
from kakure.hdl.accelerators.temporal.memory_shape import ram_shape
from kakure.hdl.accelerators.temporal.scale_lane_shape import SCALE_BITS
from kakure.model.config.config import Config
from kakure.search.cost.metrics import LayerBatch, LayerCosts, Metrics
from kakure.search.cost.unfitted import Unfitted

from .coefficients import Coefficients
from .energy_model import EnergyModel
from .library import macro_of
from .part_areas import areas_of, known_parts, memory_bits
from .period import layer_pace, path_ns
from .tree import Part, parts_below, shared_parts
from .turn_layers import TurnLayer, cores_of, layers_alone, layers_in_turn
from .turns import layer_works

__all__ = ["TurnCosts"]

Floats = NDArray[np.float64]

OWN = len(TemporalCore.own_registers)
DEEP = 8192
"""Words of a memory whose area for a word is that of any larger one."""
TYPICAL_ROWS = 512
"""Of a bank, where the clock is that of a network with a layer, and not of the layer alone."""
GROWING = frozenset({"ram_masks", "ram_lane_scales", "ram_program", "ram_logits", "logit_sender"})
"""Roles of what holds something of every layer, and of what the last layer alone decides."""


@dataclass(frozen=True)
class TurnCosts:
    """Costs of configurations whose accelerator is temporal, as :class:`.DigitalModel` has them.

    Area and energy are those of all blocks, memories included. A layer's own area is what it asks
    of the memories of masks and scales; all layers share the rest, which the largest map sizes. A
    layer's energy and time are those of its operations, with the words that are fetched for them;
    what an image takes belongs to none.

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
        periods, clock_errors, slow = self._pace(parts, 1)
        clock = float(periods[0])
        timing = architecture.timing(2)
        latency, interval = float(timing.results[0]), float(timing.interval)
        energy, energy_errors = float("nan"), np.full(2, np.nan)
        if self.energy is not None:
            energy = self.energy.shared_pj(config, parts, interval, clock)
            energy_errors = np.array(self.energy.turn_errors)
        area_errors = np.array(self.coefficients.turn_errors) + wider
        energy_errors = energy_errors + wider
        layers = layers_in_turn(architecture)
        is_known = np.full(len(layers), not outside)
        return Metrics(
            layers=self._costs(layers, parts, 1, periods, clock_errors[0], is_known),
            area_um2=area,
            cycles=interval,
            latency_ns=latency * clock,
            interval_ns=interval * clock,
            energy_pj=energy,
            memory_bits=float(sum(memory_bits(part).sum() for part in parts)),
            area_error=float(area_errors[0]),
            time_error=float(clock_errors[0, 0]),
            energy_error=float(energy_errors[0]),
            area_worst=float(area_errors[1]),
            time_worst=float(clock_errors[1, 0]),
            energy_worst=float(energy_errors[1]),
            outside=(*outside, *more, *slow),
        )

    def _pace(self, parts: list[Part], size: int) -> tuple[Floats, Floats, tuple[str, ...]]:
        """Clock periods of accelerators, their mean and worst errors, what of a path is outside."""
        if self.clock_ns is not None:
            return np.full(size, self.clock_ns), np.zeros((2, size)), ()
        found = layer_pace(parts, size, self.coefficients.period)
        errors = np.maximum(self.coefficients.period_errors[:, found.kind], found.beyond)
        return found.period_ns, errors, found.lines

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        """Cost of layers, each by itself on an accelerator that holds no more.

        The clock is not that of such a small one, but with banks of :data:`TYPICAL_ROWS`.

        Raises
        ------
        UserError
            As :meth:`.DigitalModel.layer_costs`.
        """
        layers, size = layers_alone(batch), len(batch)
        parts = parts_below(AcceleratorShape(cores_of(layers), OWN), size)
        is_known, errors = known_parts(self.coefficients, parts, size)
        if errors and not extrapolate:
            raise errors[0]
        periods, clock_errors, _ = self._pace(parts, size)
        if self.clock_ns is None:
            periods = path_ns(cores_of(layers, rows=TYPICAL_ROWS), self.coefficients.period)
        return self._costs(layers, parts, size, periods, clock_errors[0], is_known)

    def shared_area_um2(self, batch: LayerBatch) -> Floats:
        """Area of what all layers share, if each were the only one: its map sizes the banks."""
        # Nothing but the map may differ: addresses of masks and scales are a few bits.
        cores = cores_of(layers_alone(batch), mask_words=DEEP, scales=1, operations=1, logits=1)
        parts = parts_below(AcceleratorShape(cores, OWN), len(batch))
        shared = [part for part in parts if part.role not in GROWING]
        areas = areas_of(self.coefficients, shared, len(batch))
        return np.sum(list(areas.values()), axis=0)

    def _costs(
        self,
        layers: Sequence[TurnLayer],
        parts: list[Part],
        size: int,
        periods: Floats,
        clock_error: Floats,
        is_known: NDArray[np.bool_],
    ) -> LayerCosts:
        """Costs of layers on ``parts`` of ``size`` accelerators: of one, or of one for each."""
        count = len(layers)
        works = layer_works([(layer.operations, layer.words) for layer in layers])
        energy, energy_error = np.full((2, count), np.nan)
        if self.energy is not None:
            energy = self.energy.pj_of(parts, size, works, periods)
            energy_error = np.full(count, self.energy.turn_errors[0])
        masks = np.array([layer.mask_words for layer in layers])
        passes = np.array([layer.passes for layer in layers])
        outputs = np.array([layer.array.outputs for layer in layers])
        width = np.array([layer.array.many for layer in layers]) * outputs
        return LayerCosts(
            area_um2=masks * _word_um2(width)
            + passes * outputs * _word_um2(np.full(count, SCALE_BITS)),
            cycles=works["cycles"],
            time_ns=works["cycles"] * periods,
            energy_pj=energy,
            memory_bits=1.0 * masks * width + passes * outputs * SCALE_BITS,
            area_error=np.full(count, self.coefficients.turn_errors[0]),
            time_error=np.broadcast_to(clock_error, (count,)).copy(),
            energy_error=energy_error,
            is_known=is_known,
        )


def _word_um2(width: NDArray[np.int64]) -> Floats:
    """Area of one word more in a deep memory."""
    return macro_of(ram_shape(np.full(len(width), DEEP), width)).area_um2 / DEEP
