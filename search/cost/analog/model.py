"""Cost of XPert-style analog crossbars: the closed forms behind the interface of all models."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.search.cost.metrics import LayerBatch, LayerCosts, Metrics

from .constants import Calibration, load_calibrations
from .figures import AnalogFigures
from .groups import groups
from .work import KINDS

__all__ = ["AnalogModel"]

Floats = NDArray[np.float64]

WEIGHT_BITS = 8


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
        for group in groups(batch, self.by_size):
            rows, size, calibration = group.rows, group.size, group.calibration
            outside, lines = group.outside(batch)
            if lines and not extrapolate:
                raise lines[0].but("extrapolate to have an estimate all the same")
            estimate = group.estimate(self.first)
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
        for group in groups(batch, self.by_size):
            area[group.rows] = group.estimate(self.first).area_um2
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
        for group in groups(batch, self.by_size):
            estimate = group.estimate(self.first)
            outside, lines = group.outside(batch)
            found += map(str, lines)
            for place, name in enumerate(("area", "latency", "energy")):
                mean, worst = group.calibration.network_errors[name]
                far = np.where(outside, group.calibration.far_errors[name], 0.0)
                means[place, group.rows], worsts[place, group.rows] = mean + far, worst + far
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
        for group in groups(batch, self.by_size):
            estimate = group.estimate(self.first)
            leak[group.rows] = estimate.parts["leak_uW"]
            dynamic[group.rows] = estimate.energy_pj

        def each(values: Floats) -> Floats:
            return values.reshape(-1, layers)

        latency = each(costs.time_ns).sum(axis=1)
        buffer = each(self.shared_area_um2(batch)).max(axis=1)
        energy = each(dynamic).sum(axis=1) + each(leak).sum(axis=1) * latency / 1000
        return each(costs.area_um2).sum(axis=1) + buffer, latency, energy

    def figures(self, config: Config, *, extrapolate: bool = False) -> AnalogFigures:
        """The figures XPert reports: EDAP, TOPS/W, TOPS/mm²; raises as :meth:`layer_costs`."""
        tiles = float(self.tile_area_um2(LayerBatch.of(config)).sum())
        return AnalogFigures.of(
            config, self.metrics(config, extrapolate=extrapolate), tile_area_um2=tiles
        )

    def estimate(self, config: Config, *, extrapolate: bool = False) -> list[dict[str, float]]:
        """Components of every layer, named and measured as the sweep's columns."""
        batch = LayerBatch.of(config)
        self.layer_costs(batch, extrapolate=extrapolate)
        result: list[dict[str, float]] = [{} for _ in range(len(batch))]
        for group in groups(batch, self.by_size):
            parts = group.estimate(self.first).parts
            for place, row in enumerate(group.rows):
                result[row] = {name: float(part[place]) for name, part in parts.items()}
        return result
