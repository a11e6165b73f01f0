"""Energy·delay·area of every precision of a network, before any accuracy is measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError
from kakure.search.cost.metrics import CostModel, LayerBatch, least_shift
from kakure.search.cost.table_building import SharesArea

from .precision import Levels, PrecisionSpace

__all__ = ["PRODUCTS", "Cost", "CostsNetworks", "PrecisionCosts", "Product"]

Floats = NDArray[np.float64]

Product = Literal["edap", "delay-area"]
PRODUCTS: tuple[Product, ...] = ("edap", "delay-area")
"""What is to be least: energy·delay·area, or delay·area where a model has no energy."""

CHUNK = 1 << 16
"""Assignments that are costed at once."""


@runtime_checkable
class CostsNetworks(Protocol):
    """A cost model that has many whole networks at once, as its ``metrics`` has each."""

    def networks(
        self, batch: LayerBatch, layers: int, *, extrapolate: bool = False
    ) -> tuple[Floats, Floats, Floats]:
        """Area [µm²], latency [ns] and energy [pJ] of networks of ``layers`` layers."""
        ...


@dataclass(frozen=True)
class Cost:
    """What the cost model says of a whole configuration.

    Attributes
    ----------
    area_um2, time_ns, energy_pj : float
        Time is the latency or the interval, as the space's objective says.
    product : float
        Energy·delay·area [pJ·ns·µm²], or delay·area [ns·µm²]; infinite above the space's bound on
        the area.
    """

    area_um2: float
    time_ns: float
    energy_pj: float
    product: float


@dataclass(frozen=True)
class LayerPrecisions:
    """Costs of one layer, (input_bits, the next layer's input_bits, adc_bits)."""

    area_um2: Floats
    time_ns: Floats
    energy_pj: Floats
    shared_um2: Floats


class PrecisionCosts:
    """Costs of all assignments: a quick estimate of any number of them, and each one's own.

    :meth:`estimate` is what ``model.networks`` says, where the model has it; else it is made of
    tables: with t[l][IP, next IP, AP] the costs of layer l by itself, area is their sum, the
    largest shared block, and the rest that the start's metrics have; time is their sum, or their
    maximum with objective ``interval`` where layers do not take turns; energy is their sum.
    :meth:`exact` is ``model.metrics``.

    Parameters
    ----------
    precision : PrecisionSpace
    model : CostModel
    product : "edap" or "delay-area"
    extrapolate : bool
        Whether costs outside the range that the model was fitted to are taken.

    Raises
    ------
    UserError
        If the model has no energy and ``product`` is ``edap``; if a precision lies outside the
        fitted range and ``extrapolate`` is False.
    """

    def __init__(
        self,
        precision: PrecisionSpace,
        model: CostModel,
        *,
        product: Product = "edap",
        extrapolate: bool = False,
    ) -> None:
        self.precision = precision
        self.model = model
        self.product = product
        self.extrapolate = extrapolate
        self.bound_um2 = precision.space.area_um2 or math.inf
        self.known: dict[Levels, Cost] = {}
        self.base = LayerBatch.of(precision.config(precision.start))
        metrics = model.metrics(precision.config(precision.start), extrapolate=extrapolate)
        if product == "edap" and not math.isfinite(metrics.energy_pj):
            raise UserError(
                f"{model.name}: must have an energy for energy·delay·area, but has none; "
                "ask for the product delay-area instead"
            )
        self.layers = [self._layer(index) for index in range(len(precision.space.layers))]
        booked, *_ = self._sums(np.array([precision.start]))
        self.rest_um2 = metrics.area_um2 - float(booked[0])

    def exact(self, levels: Sequence[int]) -> Cost:
        """What ``model.metrics`` says."""
        levels = tuple(int(level) for level in levels)
        if levels not in self.known:
            metrics = self.model.metrics(
                self.precision.config(levels), extrapolate=self.extrapolate
            )
            is_latency = self.precision.space.objective == "latency"
            time = float(metrics.latency_ns if is_latency else metrics.interval_ns)
            area, energy = float(metrics.area_um2), float(metrics.energy_pj)
            product = area * time * energy if self.product == "edap" else area * time
            if area > self.bound_um2:
                product = math.inf
            self.known[levels] = Cost(area, time, energy, product)
        return self.known[levels]

    def estimate(self, levels: NDArray[np.int64]) -> Floats:
        """The product of n assignments, (n, knobs) -> (n,)."""
        parts = [self._estimate(levels[at : at + CHUNK]) for at in range(0, len(levels), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _estimate(self, levels: NDArray[np.int64]) -> Floats:
        if isinstance(self.model, CostsNetworks) and self.precision.space.objective == "latency":
            batch = self._networks(levels)
            area, time, energy = self.model.networks(
                batch, len(self.base), extrapolate=self.extrapolate
            )
        else:
            area, time, energy = self._sums(levels)
            area = area + self.rest_um2
        product = area * time * energy if self.product == "edap" else area * time
        return np.where(area > self.bound_um2, np.inf, product)

    def _networks(self, levels: NDArray[np.int64]) -> LayerBatch:
        """The layers of n assignments, one network after the other."""
        names = [field.name for field in fields(self.base)]
        columns = {name: np.tile(getattr(self.base, name), len(levels)) for name in names}
        shape = len(levels), len(self.base)
        for place, knob in enumerate(self.precision.knobs):
            values = np.array(knob.values, np.int64)[levels[:, place]]
            columns[knob.name].reshape(shape)[:, knob.layer] = values
            if knob.name == "input_bits" and knob.layer:
                reads = self._reads(knob.layer, values)
                columns["output_bits"].reshape(shape)[:, knob.layer - 1] = reads
        for index in range(len(self.base)):
            here = {name: column.reshape(shape)[:, index] for name, column in columns.items()}
            for name, values in self._sums_of(index, here).items():
                columns[name].reshape(shape)[:, index] = values
        return LayerBatch(**columns)

    def _reads(self, index: int, input_bits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Width of the map that a layer reads: where it is summed, another may be fixed."""
        map_bits = self.precision.space.layers[index].map_bits
        return input_bits if map_bits is None else np.full_like(input_bits, map_bits)

    def _sums_of(
        self, index: int, columns: Mapping[str, NDArray[np.int64]]
    ) -> dict[str, NDArray[np.int64]]:
        """What follows from a layer's ``input_bits`` for the map that it sums, if it does."""
        layer = self.precision.space.layers[index]
        if not layer.sum_pool:
            return {}
        map_bits = self._reads(index, columns["input_bits"])
        shift = least_shift(columns["summed"], map_bits, columns["input_bits"])
        if layer.sum_shift is not None:
            shift = np.full_like(shift, layer.sum_shift)
        return {"map_bits": map_bits, "sum_shift": shift}

    def _sums(self, levels: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
        """Area, time and energy that the tables make of n assignments."""
        n = len(levels)
        area, energy, time, shared = np.zeros((4, n))
        zero = np.zeros(n, np.int64)
        array = self.precision.point.hardware.array
        adds = self.precision.space.objective == "latency" or array is not None
        places = self.precision.places
        for index, layer in enumerate(self.layers):
            here = levels[:, places[index, "input_bits"]]
            after = places.get((index + 1, "input_bits"))
            adc = places.get((index, "adc_bits"))
            at = (
                here,
                zero if after is None else levels[:, after],
                zero if adc is None else levels[:, adc],
            )
            area += layer.area_um2[at]
            energy += layer.energy_pj[at]
            spent = layer.time_ns[at]
            time = time + spent if adds else np.maximum(time, spent)
            shared = np.maximum(shared, layer.shared_um2[at])
        return area + shared, time, energy

    def _layer(self, index: int) -> LayerPrecisions:
        places, knobs = self.precision.places, self.precision.knobs

        def values(layer: int, name: str, otherwise: int) -> tuple[int, ...]:
            place = places.get((layer, name))
            return (otherwise,) if place is None else knobs[place].values

        lists = (
            values(index, "input_bits", 0),
            values(index + 1, "input_bits", 0),
            values(index, "adc_bits", 0),
        )
        shape = tuple(len(part) for part in lists)
        grid = np.meshgrid(*(np.array(part, np.int64) for part in lists), indexing="ij")
        columns = {
            field.name: np.full(math.prod(shape), getattr(self.base, field.name)[index])
            for field in fields(self.base)
        }
        names = ("input_bits", "output_bits", "adc_bits")
        columns |= {name: part.ravel() for name, part in zip(names, grid, strict=True)}
        if index + 1 < len(self.base):
            columns["output_bits"] = self._reads(index + 1, columns["output_bits"])
        columns |= self._sums_of(index, columns)
        batch = LayerBatch(**columns)
        costs = self.model.layer_costs(batch, extrapolate=True)
        if not self.extrapolate and not costs.is_known.all():
            self._refuse(index, [int(p.ravel()[np.argmin(costs.is_known)]) for p in grid])
        shared = np.zeros(len(batch))
        if isinstance(self.model, SharesArea):
            shared = self.model.shared_area_um2(batch)
        return LayerPrecisions(
            costs.area_um2.reshape(shape),
            costs.time_ns.reshape(shape),
            costs.energy_pj.reshape(shape),
            shared.reshape(shape),
        )

    def _refuse(self, index: int, values: Sequence[int]) -> None:
        """Let the model itself say what lies outside its range, with the layer's true number."""
        levels = list(self.precision.start)
        keys = ((index, "input_bits"), (index + 1, "input_bits"), (index, "adc_bits"))
        for key, value in zip(keys, values, strict=True):
            place = self.precision.places.get(key)
            if place is not None:
                levels[place] = self.precision.knobs[place].values.index(value)
        self.model.metrics(self.precision.config(levels), extrapolate=False)
        raise AssertionError("the model takes the configuration but not the layer")
