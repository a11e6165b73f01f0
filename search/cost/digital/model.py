"""The digital cost model: what our own blocks cost, by closed forms fitted to their synthesis."""

from collections.abc import Mapping
from dataclasses import replace
from math import gcd, lcm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.hdl.accelerators.spatial.layer_cycles import COPIES_ERROR, layer_cycles
from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer
from kakure.search.cost.metrics import LayerBatch, LayerCosts, Metrics
from kakure.search.cost.unfitted import Unfitted

from .coefficients import COEFFICIENTS, Coefficients
from .energy_model import EnergyModel
from .part_areas import areas_of, known_parts, memory_bits
from .period import Pace, layer_pace, pace
from .tree import Part, config_layers, layer_parts, layer_shape, shared_parts, takes_turns
from .turn_costs import TurnCosts

__all__ = ["DigitalModel"]

Floats = NDArray[np.float64]
SETTLED = 4
"""Images after which the interval between two results is taken."""
MOST_TURNS = 64
"""Images of a round of all turns, beyond which one of the layer with most copies must do."""


class DigitalModel:
    """Area, cycles and time of the generated hardware, without elaborating it.

    Area is Σ over the instance tree of flip-flops and clock gates, counted exactly, plus counts
    of everything else times a fitted area each, plus memory macros. Cycles of a layer by itself
    are those of :func:`kakure.hdl.accelerators.spatial.layer_cycles.layer_cycles`, those of a whole
    configuration are exact: :func:`kakure.hdl.accelerators.spatial.cycle_model.image_timing`,
    averaged over the turns of the copies. Time is cycles times the clock period, which is estimated
    from the critical paths of the blocks, or given.

    Energy is that of :class:`kakure.search.cost.digital.energy_model.EnergyModel`: of synthesized
    netlists with activity of real images, fitted into ``energy.json``. Without that file
    ``energy_pj`` and ``energy_error`` are NaN.

    Parameters
    ----------
    path : Path
        The coefficients' file.
    coefficients : mapping, optional
        The coefficients themselves, such as :func:`kakure.search.cost.digital.feedback.refit`
        returns; then ``path`` is not read.
    generator : str
        Sign generator of the PE arrays, for :meth:`layer_costs`, as a batch does not say it.
    clock_ns : float, optional
        Clock period of all layers [ns]. By default a layer by itself runs at its own least
        period, and a configuration at that of its slowest layer.

    Raises
    ------
    UserError
        If the coefficients cannot be read, or lack a block.
    """

    name = "digital"

    def __init__(
        self,
        *,
        path: Path = COEFFICIENTS,
        coefficients: Mapping[str, Any] | None = None,
        generator: str = "xorshift32",
        clock_ns: float | None = None,
    ) -> None:
        if coefficients is None:
            self.coefficients = Coefficients.read(path)
        else:
            self.coefficients = Coefficients.of(coefficients)
        self.energy = EnergyModel.read(self.coefficients.blocks)
        self.generator = generator
        self.clock_ns = clock_ns
        self.turns = TurnCosts(self.coefficients, self.energy, clock_ns)

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        """Cost of layers, each by itself: pixels always there, results taken at once.

        Raises
        ------
        UserError
            If a layer lies outside the fitted range and ``extrapolate`` is False; the line names
            the block, its parameter, its range and the value.
        """
        if batch.array_inputs.any():
            return self.turns.layer_costs(batch, extrapolate=extrapolate)
        layers = layer_shape(batch, self.generator)
        return self._costs(layers, layer_parts(layers), extrapolate)

    def shared_area_um2(self, batch: LayerBatch) -> Floats:
        """Area of what the layers share, if each were the only one: nothing in a spatial one."""
        if batch.array_inputs.any():
            return self.turns.shared_area_um2(batch)
        return np.zeros(len(batch))

    def _costs(self, layers: LayerShape, parts: list[Part], extrapolate: bool) -> LayerCosts:
        count = len(layers)
        is_known, lines = known_parts(self.coefficients, parts, count)
        if lines and not extrapolate:
            raise lines[0]
        area, spread, memory = (np.zeros(count) for _ in range(3))
        for (kind, is_outside), areas in areas_of(self.coefficients, parts, count).items():
            area += areas
            error = self.coefficients.beyond if is_outside else self.coefficients.errors
            spread += (error[kind] * areas) ** 2
        for part in parts:
            memory[part.where] += memory_bits(part)
        cycles = layer_cycles(layers)
        period, period_error = self._period(parts, count)
        cycles_error = np.where(cycles.is_exact, 0.0, COPIES_ERROR)
        energy, energy_error = np.full((2, count), np.nan)
        if self.energy:
            energy = self.energy.layers_pj(layers, parts, 1.0 * cycles.cycles, period)
            energy_error = np.full(count, self.energy.layer_error)
        return LayerCosts(
            area_um2=area,
            cycles=cycles.cycles.astype(np.float64),
            time_ns=cycles.cycles * period,
            energy_pj=energy,
            memory_bits=memory,
            area_error=np.sqrt(spread) / area,
            time_error=np.hypot(cycles_error, period_error),
            energy_error=energy_error + np.where(is_known, 0.0, np.sqrt(spread) / area),
            is_known=is_known,
        )

    def _period(self, parts: list[Part], count: int) -> tuple[Floats, Floats]:
        """Clock period of each layer by itself, and its error."""
        if self.clock_ns is not None:
            return np.full(count, self.clock_ns), np.zeros(count)
        found = layer_pace(parts, count, self.coefficients.period)
        return found.period_ns, self._period_errors(found)[0]

    def _period_errors(self, found: Pace) -> Floats:
        """Mean and worst error of a period by what sets it, wider where a path is outside."""
        return np.maximum(self.coefficients.period_errors[:, found.kind], found.beyond)

    def metrics(self, config: Config, *, extrapolate: bool = False) -> Metrics:
        """Cost of a whole configuration: its layers and what there is once; cycles are exact.

        Raises
        ------
        UserError
            As :meth:`layer_costs`, and if the weights are not hidden ones: there is no hardware
            for others.
        """
        if config.weights.kind != "hidden":
            kind = ("weights", "kind")
            raise Unfitted(
                "must be hidden", where=kind, value=config.weights.kind, is_sentence=True
            )
        if takes_turns(config):
            return self.turns.metrics(config, extrapolate=extrapolate)
        shape = config_layers(config)
        count = len(shape)
        tree, parts = layer_parts(shape), shared_parts(config)
        layers = self._costs(shape, tree, extrapolate)
        lines: list[Unfitted] = []
        once_lines = []
        for repeated in (False, True):
            lines += known_parts(self.coefficients, tree, count, repeated=repeated)[1]
            for part in parts:
                found = self.coefficients.outside(part, repeated=repeated)[1]
                once_lines += [line for _, line in found]
            if once_lines and not repeated and not extrapolate:
                raise Unfitted(once_lines[0])
        once_areas = areas_of(self.coefficients, parts, 1)
        shared = sum(float(area.sum()) for area in once_areas.values())
        area = float(layers.area_um2.sum()) + shared
        wider = np.zeros(2)
        for areas in (areas_of(self.coefficients, tree, count), once_areas):
            for (kind, is_outside), found in areas.items():
                if is_outside:
                    ends = self.coefficients.beyond[kind], self.coefficients.beyond_worst[kind]
                    wider += np.array(ends) * found.sum() / area
        clock, clock_errors = self.clock_ns, np.zeros(2)
        if clock is None:
            slowest = pace(config, self.coefficients.period)
            clock, clock_errors = float(slowest.period_ns[0]), self._period_errors(slowest)[:, 0]
            once_lines += slowest.lines
        latency, interval = _timing(config)
        energies, once, energy_errors = layers.energy_pj, float("nan"), np.full(2, np.nan)
        if self.energy:
            every = np.full(count, float(interval))
            energies = self.energy.layers_pj(shape, tree, every, clock)
            once = self.energy.shared_pj(config, parts, float(interval), clock)
            energy_errors = np.array([self.energy.accelerator_error, self.energy.accelerator_worst])
        whole = (self.coefficients.accelerator_error, self.coefficients.accelerator_worst)
        area_errors = np.array(whole) + wider
        energy_errors = energy_errors + wider
        return Metrics(
            layers=replace(layers, time_ns=layers.cycles * clock, energy_pj=energies),
            area_um2=area,
            cycles=float(interval),
            latency_ns=latency * clock,
            interval_ns=interval * clock,
            energy_pj=float(energies.sum()) + once,
            memory_bits=float(layers.memory_bits.sum()),
            area_error=float(area_errors[0]),
            time_error=float(clock_errors[0]),
            energy_error=float(energy_errors[0]),
            area_worst=float(area_errors[1]),
            time_worst=float(clock_errors[1]),
            energy_worst=float(energy_errors[1]),
            outside=(*map(str, lines), *once_lines),
        )


def _timing(config: Config) -> tuple[float, float]:
    """Cycles of the first image, and from one result to the next once the pipeline is full.

    Copies take their turns on from image to image, so the interval comes and goes: its mean is
    taken over two rounds of all turns.
    """
    layers = [n.copies if isinstance(n, CrossbarLayer) else 1 for n in config.layers]
    positions = [geometry.positions for geometry in config.geometry]
    turns = lcm(*(c // gcd(c, p) for c, p in zip(layers, positions, strict=True)))
    images = 1 if max(layers) == 1 else 2 * (turns if turns <= MOST_TURNS else max(layers))
    results = image_timing(config, SETTLED + images).results
    return results[0], (results[-1] - results[SETTLED - 1]) / images
