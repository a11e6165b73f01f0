"""Closed forms of an analog crossbar layer: area, clock, latency and energy by component."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .converter import Converter
from .forms import FORMS
from .timing import accumulate_cycles, bus, converter_ns, extra_hops, hop_cycles
from .work import REFERENCE, FloorPlan, Kind, LayerSize, Readout, floor_plan

__all__ = ["ARRAYS_PER_TILE", "CLOCK_MARGIN", "Circuit", "Estimate"]

Floats = NDArray[np.float64]

ARRAYS_PER_TILE = 64
CLOCK_MARGIN = 1.4
"""The simulator's factor on the slowest path."""
ALL = slice(None)
ROWS, RESULTS = slice(0, 3), slice(3, 5)
"""Terms of ``E_ic`` that move inputs, and those that move results."""


@dataclass(frozen=True)
class Estimate:
    """Components of layers, arrays of shape (n,), named and measured as the sweep's columns.

    Attributes
    ----------
    parts : dict
        ``clk_ns``; ``A_*`` [µm²], ``L_*`` [ns] and ``E_*`` [pJ] of one image; ``leak_uW``;
        ``tree_um2``, the layer's part of the wiring between tiles and the global buffer.
    plan : FloorPlan
    """

    parts: dict[str, Floats]
    plan: FloorPlan

    @property
    def area_um2(self) -> Floats:
        """Area of the layer's tiles [µm²]."""
        return self._sum("A_")

    @property
    def latency_ns(self) -> Floats:
        """Time for one image [ns]."""
        return self._sum("L_")

    @property
    def energy_pj(self) -> Floats:
        """Dynamic energy of one image [pJ]."""
        return self._sum("E_")

    @property
    def cycles(self) -> Floats:
        """Clock cycles for one image."""
        return self.latency_ns / self.parts["clk_ns"]

    def _sum(self, prefix: str) -> Floats:
        parts = [part for name, part in self.parts.items() if name.startswith(prefix)]
        return np.sum(parts, axis=0)


@dataclass(frozen=True)
class Circuit:
    """The closed forms of one kind of crossbar with their constants.

    Attributes
    ----------
    kind : Kind
    converter : Converter
    coefficients : coefficients of :data:`.FORMS`
    array_um2, wire_um : area of an array's cells [µm²]; interconnect per side of tile [µm²/µm]
    stages, alone : constants of :func:`.accumulate_cycles`
    hops : span, first and step [mm] and drop of the interconnect
    wire_cycles : cycles per (AP + 6), per input bit and hop, and the latter's part with 1/CS
    activate_cycles : cycles per vector and CS of the reference layer's activation unit
    tree_um : wiring between tiles [µm² per tile, per µm of side, per 8 + 8/CS lines]
    buffer_um2 : area of one bit of the global buffer [µm²]
    output_share : share of the traffic that is not input which goes with outputs, the rest
        with fan-in; from the published networks
    """

    kind: Kind
    converter: Converter
    coefficients: Mapping[str, tuple[float, ...]]
    array_um2: float
    wire_um: float
    stages: tuple[float, ...]
    alone: tuple[float, ...]
    hops: tuple[float, ...]
    wire_cycles: tuple[float, ...]
    activate_cycles: float
    tree_um: float
    buffer_um2: float
    output_share: float

    def form(
        self, name: str, readout: Readout, z: Floats | None = None, terms: slice = ALL
    ) -> Floats:
        """Value of one of :data:`.FORMS`, or of some of its terms."""
        z = readout.adc_bits if z is None else z
        features = FORMS[name].features(self.kind, readout, z)[terms]
        total = np.zeros(len(readout.adc_bits))
        for coefficient, feature in zip(self.coefficients[name][terms], features, strict=True):
            total += coefficient * feature
        return total

    def clock_ns(self, r: Readout) -> Floats:
        """T = 1.4·(converter + encoder + multiplexer): one clock for the whole layer."""
        return CLOCK_MARGIN * (converter_ns(r) + self.form("clock", r))

    def tile_areas(self, r: Readout) -> dict[str, Floats]:
        """Area of one tile by component [µm²]; ``A_ic`` goes with the tile's side."""
        adc = self.kind.size / r.column_sharing * self.converter.area_um2(r)
        accumulate = self.form("A_accum", r)
        other = self.form("A_other", r, adc + accumulate)
        inner = ARRAYS_PER_TILE * (adc + accumulate + other + self.array_um2)
        half = self.wire_um / 2  # side² = inner + wire·side
        return {
            "A_adc_um2": ARRAYS_PER_TILE * adc,
            "A_accum_um2": ARRAYS_PER_TILE * accumulate,
            "A_other_um2": ARRAYS_PER_TILE * other,
            "A_ic_um2": self.wire_um * (half + np.sqrt(half * half + inner)),
            "A_array_um2": np.full(len(adc), ARRAYS_PER_TILE * self.array_um2),
        }

    def estimate(self, r: Readout, size: LayerSize) -> Estimate:
        """All components of layers."""
        plan, reference = floor_plan(self.kind, size), floor_plan(self.kind, REFERENCE)
        clock = self.clock_ns(r)
        tile = self.tile_areas(r)
        side_um = np.sqrt(np.sum(list(tile.values()), axis=0))
        tiles = plan.row_tiles * plan.column_tiles * size.copies
        parts = {"clk_ns": clock}
        parts |= {name: tiles * area for name, area in tile.items()}
        parts["tree_um2"] = self.tree_um * tiles * side_um * (8 + 8 / r.column_sharing)
        parts |= self._latency(r, size, plan, reference, side_um / 1000, clock)
        parts |= self._energy(r, size, plan, reference, side_um / 1000)
        share = tiles / (reference.row_tiles * reference.column_tiles)
        parts["leak_uW"] = share * self.form("leak", r)
        return Estimate(parts, plan)

    def _latency(
        self,
        r: Readout,
        size: LayerSize,
        plan: FloorPlan,
        reference: FloorPlan,
        side_mm: Floats,
        clock: Floats,
    ) -> dict[str, Floats]:
        """Converters and adders by vectors per copy; buffers and wires by the traffic."""
        vectors = np.ceil(size.positions / (plan.duplicates * size.copies))
        traffic = np.ceil(size.positions / size.copies)
        rows = traffic * plan.tile_rows / reference.tile_rows
        outputs = traffic * size.outputs / REFERENCE.outputs
        depth = traffic * size.fan_in / REFERENCE.fan_in
        results = self.output_share * outputs + (1 - self.output_share) * depth
        inputs = self.coefficients["L_buffer"][4] * r.input_bits
        hop = hop_cycles(side_mm, self.hops[0])
        per_result = self.wire_cycles[0] * hop * (r.adc_bits + 6)
        per_row = (
            r.input_bits
            * bus(r)
            * (
                hop * (self.wire_cycles[1] + self.wire_cycles[2] / r.column_sharing)
                + extra_hops(side_mm, *self.hops)
            )
        )
        held = self.form("L_buffer", r) - inputs
        return {
            "L_adc_ns": clock * vectors * r.input_bits * r.column_sharing,
            "L_accum_ns": clock
            * vectors
            * accumulate_cycles(self.kind, r, self.stages, self.alone),
            "L_buffer_ns": clock * (inputs * rows + held * results),
            "L_ic_ns": clock * (per_row * rows + per_result * results),
            "L_activate_ns": clock * self.activate_cycles * r.column_sharing * outputs,
        }

    def _energy(
        self,
        r: Readout,
        size: LayerSize,
        plan: FloorPlan,
        reference: FloorPlan,
        side_mm: Floats,
    ) -> dict[str, Floats]:
        """Converters and adders by conversions, switches by arrays, the rest by the traffic."""
        images = size.positions / REFERENCE.positions
        sums = images * plan.row_arrays / reference.row_arrays
        conversions = sums * size.outputs / REFERENCE.outputs
        arrays = sums * plan.column_arrays / reference.column_arrays
        inputs = images * size.fan_in / REFERENCE.fan_in * plan.column_tiles
        results = images * size.outputs / REFERENCE.outputs * plan.row_tiles / reference.row_tiles
        per_array = self.coefficients["E_adc"][0] * r.column_sharing
        per_array = per_array * np.maximum(r.input_bits - 1, 1)
        return {
            "E_adc_pJ": arrays * per_array + conversions * (self.form("E_adc", r) - per_array),
            "E_accum_pJ": conversions * self.form("E_accum", r),
            "E_buffer_pJ": inputs * self.form("E_buffer", r),
            "E_ic_pJ": inputs * self.form("E_ic", r, side_mm, ROWS)
            + results * self.form("E_ic", r, side_mm, RESULTS),
            "E_switch_pJ": arrays * self.form("E_switch", r),
        }
