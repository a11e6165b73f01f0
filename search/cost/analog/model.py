"""Cost of XPert-style analog crossbars: the closed forms behind the interface of all models."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.search.cost.metrics import ADC_TYPES, ENGINES, LayerBatch, LayerCosts, Metrics
from kakure.search.cost.unfitted import Unfitted

from .circuit import Estimate
from .constants import Calibration, load_calibrations
from .work import KINDS, REFERENCE, LayerSize, Readout

__all__ = ["SIZES", "AnalogFigures", "AnalogModel"]

Floats = NDArray[np.float64]

SIZES = {"fan_in": (27, 4608), "outputs": (10, 512), "positions": (1, 1024), "copies": (1, 64)}
"""Layers on which the tile rules are checked: VGG16's, its linear layer included."""

WEIGHT_BITS = 8


@dataclass(frozen=True)
class AnalogFigures:
    """A whole configuration as XPert reports it: one image at a time, layer after layer.

    Attributes
    ----------
    area_mm2 : tiles, the wiring between them, and the global buffer, once [mm²]
    latency_ms : [ms]
    energy_mj : leakage included [mJ]
    operations : two per multiply-accumulate that the network really has
    edap : energy · latency · area [mJ·ms·mm²]
    tops_per_watt, tops_per_mm2 : true operations per energy, and per time and area
    tile_area_mm2 : the tiles alone [mm²]
    """

    area_mm2: float
    latency_ms: float
    energy_mj: float
    operations: float
    edap: float
    tops_per_watt: float
    tops_per_mm2: float
    tile_area_mm2: float


class AnalogModel:
    """An XPert-style crossbar at 32 nm: 64 x 64 (or 128 x 128) arrays, SAR or flash converters.

    A weight takes two cells in two columns: the two halves of an 8-bit weight in 4-bit RRAM cells
    (XPert), or the positive and the negative cell of a hidden weight; with ``sram-1b`` eight
    1-bit cells. Bitwise weights of up to 8 bits are stored as 8-bit weights.

    ``copies`` repeats a layer's tiles; besides, the free duplicates that fit in them work too.

    Parameters
    ----------
    cell : {"rram-4b", "sram-1b"}
        ``sram-1b`` knows 128 x 128 only.
    """

    name = "analog"

    def __init__(self, cell: Literal["rram-4b", "sram-1b"] = "rram-4b") -> None:
        calibrations = load_calibrations()
        self.first = calibrations[KINDS[0].name]
        self.by_size: Mapping[int, Calibration] = {
            kind.size: calibrations[kind.name] for kind in KINDS if kind.name.startswith(cell)
        }
        if not self.by_size:
            raise ValueError(f"cell must be rram-4b or sram-1b, not {cell!r}")

    def layer_costs(self, batch: LayerBatch, *, extrapolate: bool = False) -> LayerCosts:
        """Cost of layers, each by itself.

        Area is that of the layer's tiles and its part of the wiring between tiles; the global
        buffer is shared. Time is that of one image through this layer alone.

        Raises
        ------
        UserError
            If a layer is no crossbar or of a size without constants; if it lies outside the range
            that was fitted and ``extrapolate`` is False.
        """
        names = [field.name for field in fields(LayerCosts) if field.name != "is_known"]
        result = {name: np.zeros(len(batch)) for name in names}
        is_known = np.ones(len(batch), np.bool_)
        for rows, calibration, readout, size in self._groups(batch):
            outside, lines = self._outside(batch, rows, calibration, readout, size)
            if lines and not extrapolate:
                raise lines[0].but("extrapolate to have an estimate all the same")
            estimate = _estimate(calibration, self.first, readout, size)
            is_known[rows] = ~outside
            result["area_um2"][rows] = estimate.area_um2 + estimate.parts["tree_um2"]
            result["cycles"][rows] = estimate.cycles
            result["time_ns"][rows] = estimate.latency_ns
            leakage = estimate.parts["leak_uW"] * estimate.latency_ns / 1000
            result["energy_pj"][rows] = estimate.energy_pj + leakage
            stored = size.fan_in * size.outputs * WEIGHT_BITS
            result["memory_bits"][rows] = stored * size.copies * estimate.plan.duplicates
            for target, name in (("area", "area"), ("time", "latency"), ("energy", "energy")):
                result[f"{target}_error"][rows] = np.where(
                    outside, calibration.far_errors[name], calibration.layer_errors[name]
                )
        return LayerCosts(**result, is_known=is_known)

    def tile_area_um2(self, batch: LayerBatch) -> Floats:
        """Area of each layer's tiles alone [µm²]."""
        area = np.zeros(len(batch))
        for rows, calibration, readout, size in self._groups(batch):
            area[rows] = _estimate(calibration, self.first, readout, size).area_um2
        return area

    def shared_area_um2(self, batch: LayerBatch) -> Floats:
        """Area of the global buffer if each layer were the only one: it holds the map it reads."""
        values = batch.in_height * batch.in_width * batch.input_bits
        held = batch.in_channels * np.maximum(values, batch.summed * batch.map_bits)
        return self.first.circuit.buffer_um2 * held.astype(np.float64)

    def metrics(self, config: Config, *, extrapolate: bool = False) -> Metrics:
        """Cost of a whole configuration; raises as :meth:`layer_costs`.

        Every layer has its own tiles, all leaking while an image passes through layer after layer.
        """
        return self.batch_metrics(LayerBatch.of(config), extrapolate=extrapolate)

    def batch_metrics(self, batch: LayerBatch, *, extrapolate: bool = False) -> Metrics:
        """Cost of the network whose layers are the rows of ``batch``."""
        layers = self.layer_costs(batch, extrapolate=extrapolate)
        leak = dynamic = 0.0
        means, worsts = np.zeros((3, len(batch))), np.zeros((3, len(batch)))
        found: list[str] = []
        for rows, calibration, readout, size in self._groups(batch):
            estimate = _estimate(calibration, self.first, readout, size)
            outside, lines = self._outside(batch, rows, calibration, readout, size)
            found += map(str, lines)
            for place, name in enumerate(("area", "latency", "energy")):
                mean, worst = calibration.network_errors[name]
                far = np.where(outside, calibration.far_errors[name], 0.0)
                means[place, rows], worsts[place, rows] = mean + far, worst + far
            leak += float(estimate.parts["leak_uW"].sum())
            dynamic += float(estimate.energy_pj.sum())
        buffer = float(self.shared_area_um2(batch).max())
        latency, area = float(layers.time_ns.sum()), float(layers.area_um2.sum())
        slowest = int(layers.time_ns.argmax())

        shares = [layers.area_um2, layers.time_ns, layers.energy_pj]
        error, worst = (
            [
                float((e * share).sum() / share.sum())
                for e, share in zip(errors, shares, strict=True)
            ]
            for errors in (means, worsts)
        )
        return Metrics(
            layers=layers,
            area_um2=area + buffer,
            cycles=float(layers.cycles[slowest]),
            latency_ns=latency,
            interval_ns=float(layers.time_ns[slowest]),
            energy_pj=dynamic + leak * latency / 1000,
            memory_bits=float(layers.memory_bits.sum()) + buffer / self.first.circuit.buffer_um2,
            area_error=error[0],
            time_error=error[1],
            energy_error=error[2],
            area_worst=worst[0],
            time_worst=worst[1],
            energy_worst=worst[2],
            outside=tuple(found),
        )

    def networks(
        self, batch: LayerBatch, layers: int, *, extrapolate: bool = False
    ) -> tuple[Floats, Floats, Floats]:
        """Area, latency and energy of many networks at once, as :meth:`metrics` has them.

        Parameters
        ----------
        batch : LayerBatch
            The layers of all networks, one network after the other.
        layers : int
            Number of layers of each.

        Returns
        -------
        area_um2, latency_ns, energy_pj : float64 array, (networks,)
        """
        costs = self.layer_costs(batch, extrapolate=extrapolate)
        leak, dynamic = np.zeros(len(batch)), np.zeros(len(batch))
        for rows, calibration, readout, size in self._groups(batch):
            estimate = _estimate(calibration, self.first, readout, size)
            leak[rows] = estimate.parts["leak_uW"]
            dynamic[rows] = estimate.energy_pj

        def each(values: Floats) -> Floats:
            return values.reshape(-1, layers)

        latency = each(costs.time_ns).sum(axis=1)
        buffer = each(self.shared_area_um2(batch)).max(axis=1)
        energy = each(dynamic).sum(axis=1) + each(leak).sum(axis=1) * latency / 1000
        return each(costs.area_um2).sum(axis=1) + buffer, latency, energy

    def figures(self, config: Config, *, extrapolate: bool = False) -> AnalogFigures:
        """The figures XPert reports: EDAP, TOPS/W, TOPS/mm²; raises as :meth:`layer_costs`."""
        metrics = self.metrics(config, extrapolate=extrapolate)
        operations = 2.0 * sum(layer.weights * layer.positions for layer in config.geometry)
        area, latency = metrics.area_um2 / 1e6, metrics.latency_ns / 1e6
        energy = metrics.energy_pj / 1e9
        return AnalogFigures(
            area_mm2=area,
            latency_ms=latency,
            energy_mj=energy,
            operations=operations,
            edap=energy * latency * area,
            tops_per_watt=operations / metrics.energy_pj,
            tops_per_mm2=operations / metrics.latency_ns / 1000 / area,
            tile_area_mm2=float(self.tile_area_um2(LayerBatch.of(config)).sum()) / 1e6,
        )

    def estimate(self, config: Config, *, extrapolate: bool = False) -> list[dict[str, float]]:
        """Components of every layer, named and measured as the sweep's columns."""
        batch = LayerBatch.of(config)
        self.layer_costs(batch, extrapolate=extrapolate)
        result: list[dict[str, float]] = [{} for _ in range(len(batch))]
        for rows, calibration, readout, size in self._groups(batch):
            parts = _estimate(calibration, self.first, readout, size).parts
            for place, row in enumerate(rows):
                result[row] = {name: float(part[place]) for name, part in parts.items()}
        return result

    def _groups(
        self, batch: LayerBatch
    ) -> list[tuple[NDArray[np.intp], Calibration, Readout, LayerSize]]:
        """Rows by size of array, with what the closed forms need of them."""
        _check_engine(batch)
        readout = Readout(
            column_sharing=batch.column_sharing.astype(np.float64),
            is_sar=batch.adc_type == ADC_TYPES.index("sar"),
            adc_bits=batch.adc_bits.astype(np.float64),
            input_bits=batch.input_bits.astype(np.float64),
        )
        size = LayerSize(
            fan_in=batch.in_channels * batch.kernel_height * batch.kernel_width,
            outputs=batch.outputs,
            positions=batch.out_height * batch.out_width,
            copies=batch.copies,
        )
        groups, left = [], np.ones(len(batch), np.bool_)
        for side, calibration in self.by_size.items():
            mine = (batch.rows == side) & (batch.columns == side)
            left &= ~mine
            if mine.any():
                rows = np.flatnonzero(mine)
                groups.append((rows, calibration, readout.take(rows), size.take(rows)))
        if left.any():
            row = int(np.flatnonzero(left)[0])
            known = " or ".join(f"{side} x {side}" for side in self.by_size)
            raise Unfitted(
                f"crossbar.rows x columns must be {known} in the analog model",
                value=f"{batch.rows[row]} x {batch.columns[row]}",
            )
        return groups

    def _outside(
        self,
        batch: LayerBatch,
        rows: NDArray[np.intp],
        calibration: Calibration,
        readout: Readout,
        size: LayerSize,
    ) -> tuple[NDArray[np.bool_], list[Unfitted]]:
        """Layers outside the fitted range, and an error for every parameter that is."""
        outside = np.zeros(len(rows), np.bool_)
        errors = []
        for name, (low, high) in (calibration.ranges | SIZES).items():
            values = getattr(readout if hasattr(readout, name) else size, name)
            wrong = (values < low) | (values > high)
            if wrong.any():
                place = int(np.flatnonzero(wrong)[0])
                side = calibration.circuit.kind.size
                errors.append(
                    Unfitted(
                        f"must be {low:g} to {high:g}, the range that the analog model of "
                        f"{side} x {side} arrays was fitted to",
                        where=("layers", int(rows[place]), name),
                        value=f"{values[place]:g}",
                        is_sentence=True,
                    )
                )
            outside |= wrong
        for name, values in (("residual", batch.residual), ("sum_pool", batch.summed)):
            unknown = values[rows] > 0
            if unknown.any():
                what = {"residual": "shortcuts", "sum_pool": "sums of maps"}[name]
                errors.append(
                    Unfitted(
                        f"must be false in the analog model, which knows no {what} and counts no "
                        "cost of them",
                        where=("layers", int(rows[int(np.argmax(unknown))]), name),
                        is_sentence=True,
                    )
                )
            outside |= unknown
        return outside, errors


def _check_engine(batch: LayerBatch) -> None:
    wrong = batch.engine != ENGINES.index("crossbar")
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise Unfitted(
            "must be crossbar in the analog model",
            where=("layers", row, "engine"),
            value=ENGINES[batch.engine[row]],
            is_sentence=True,
        )


def _estimate(
    calibration: Calibration, first: Calibration, readout: Readout, size: LayerSize
) -> Estimate:
    """The closed forms; beyond the readouts of a small sweep, times the paper setting's trend."""
    circuit = calibration.circuit
    if calibration is first:
        return circuit.estimate(readout, size)
    names = ("column_sharing", "adc_bits", "input_bits")
    held = {name: np.clip(getattr(readout, name), *calibration.ranges[name]) for name in names}
    inside = Readout(is_sar=readout.is_sar, **held)
    estimate = circuit.estimate(inside, size)
    if all((held[name] == getattr(readout, name)).all() for name in names):
        return estimate
    there, here = (first.circuit.estimate(r, REFERENCE).parts for r in (readout, inside))
    parts = {name: part * there[name] / here[name] for name, part in estimate.parts.items()}
    return Estimate(parts, estimate.plan)
