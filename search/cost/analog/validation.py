"""How far off the closed forms are on points, levels and networks left out of the fit."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .circuit import Circuit
from .regression import (
    PUBLISHED_LAYERS,
    fit_circuits,
    output_share,
    published_networks,
    published_readout,
)
from .sweep import Sweep
from .work import KINDS, REFERENCE, LayerSize, Readout, floor_plan

__all__ = [
    "QUANTITIES",
    "check_extract",
    "check_networks",
    "check_tiles",
    "cross_validate",
    "hold_out_networks",
    "leave_out_levels",
    "residuals",
    "size_doubt",
    "summary",
]

Floats = NDArray[np.float64]

QUANTITIES = {
    "area": "layer_tile_area_um2",
    "latency": "latency_ns",
    "energy": "dyn_energy_pJ",
    "clock": "clk_ns",
    "leakage": "leak_uW",
}
"""Column of the sweep that measures each quantity."""

FOLDS, REPEATS, SEED = 5, 4, 1


def residuals(circuits: Mapping[str, Circuit], sweep: Sweep) -> dict[str, Floats]:
    """Relative error, estimate / measured − 1, of every point; nan where no circuit is known."""
    result = {name: np.full(len(sweep), np.nan) for name in QUANTITIES}
    for kind in KINDS:
        rows = sweep.kind == kind.config
        if kind.name not in circuits or not rows.any():
            continue
        part = sweep.take(rows)
        size = LayerSize(
            REFERENCE.fan_in.repeat(len(part)),
            REFERENCE.outputs.repeat(len(part)),
            REFERENCE.positions.repeat(len(part)),
            REFERENCE.copies.repeat(len(part)),
        )
        estimate = circuits[kind.name].estimate(part.readout, size)
        values = {
            "area": estimate.area_um2,
            "latency": estimate.latency_ns,
            "energy": estimate.energy_pj,
            "clock": estimate.parts["clk_ns"],
            "leakage": estimate.parts["leak_uW"],
        }
        for name, column in QUANTITIES.items():
            result[name][rows] = values[name] / part[column] - 1
    return result


def summary(error: Floats, sweep: Sweep) -> dict[str, Any]:
    """Mean and largest |error| [1], and the point of the largest."""
    size = np.abs(error)
    worst = int(np.nanargmax(size))
    readout = sweep.readout
    kind = "SAR" if readout.is_sar[worst] else "flash"
    return {
        "points": int(np.isfinite(size).sum()),
        "mean": float(np.nanmean(size)),
        "max": float(size[worst]),
        "worst": f"CS {readout.column_sharing[worst]:.0f}, {kind}, "
        f"AP {readout.adc_bits[worst]:.0f}, IP {readout.input_bits[worst]:.0f}",
    }


def cross_validate(sweep: Sweep, published: Mapping[str, Any]) -> dict[str, Floats]:
    """Held-out error of every point: mean of |error| over the fits that did not see it.

    Repeated 5-fold in the paper setting, seeds fixed; the other kinds are too small for folds and
    leave out one point at a time.
    """
    total = {name: np.zeros(len(sweep)) for name in QUANTITIES}
    fits = np.zeros(len(sweep))
    for fold in _folds(sweep):
        held = np.isin(np.arange(len(sweep)), fold)
        circuits = fit_circuits(sweep.take(~held), published)
        for name, error in residuals(circuits, sweep.take(held)).items():
            total[name][held] += np.abs(error)
        fits[held] += 1
    return {name: errors / fits for name, errors in total.items()}


def _folds(sweep: Sweep) -> Iterator[NDArray[np.intp]]:
    is_paper = sweep.kind == KINDS[0].config
    for repeat in range(REPEATS):
        order = np.random.default_rng(SEED + repeat).permutation(np.flatnonzero(is_paper))
        yield from np.array_split(order, FOLDS)
    yield from (np.array([point]) for point in np.flatnonzero(~is_paper))


def leave_out_levels(sweep: Sweep, published: Mapping[str, Any]) -> dict[str, dict[str, Floats]]:
    """Error of every level of CS, AP and IP, and of every pair of AT and CS, left out whole.

    In the paper setting; AT alone cannot be left out: SAR points say nothing of flash converters.
    """
    paper = sweep.take(sweep.kind == KINDS[0].config)
    r = paper.readout
    keys = {
        "CS": r.column_sharing,
        "AP": r.adc_bits,
        "IP": r.input_bits,
        "AT x CS": r.column_sharing + 100 * r.is_sar,
    }
    result = {}
    for name, key in keys.items():
        errors = {quantity: np.zeros(len(paper)) for quantity in QUANTITIES}
        for level in np.unique(key):
            held = key == level
            circuits = fit_circuits(paper.take(~held), published)
            for quantity, error in residuals(circuits, paper.take(held)).items():
                errors[quantity][held] = error
        result[name] = errors
    return result


def check_networks(circuit: Circuit, published: Mapping[str, Any]) -> dict[str, dict[str, Floats]]:
    """Relative error of VGG16's first 12 convolutions, by quantity and AT, over CS."""
    wanted, found = published["vgg16_first_12"], published_networks(circuit)
    return {
        quantity: {
            name: values / np.array(wanted[quantity][name]) - 1 for name, values in types.items()
        }
        for quantity, types in found.items()
    }


def hold_out_networks(
    circuit: Circuit, published: Mapping[str, Any]
) -> dict[str, dict[str, Floats]]:
    """Relative error of VGG16's latency where it was left out of its one constant, over CS.

    ``one``: the figure itself is left out; ``type``: all five of its AT are. It is the same
    network ten times, so this says nothing of other networks.
    """
    wanted = published["vgg16_first_12"]["latency_ms"]
    kinds = {"flash": 0, "sar": 1}
    result: dict[str, dict[str, Floats]] = {"one": {}, "type": {}}
    for name, place in kinds.items():
        for left_out, errors in result.items():
            found = []
            for index in range(len(wanted[name])):
                seen = np.ones((2, len(wanted[name])), bool)
                seen[place, index if left_out == "one" else slice(None)] = False
                share = output_share(circuit, published, seen.ravel())
                estimate = published_networks(replace(circuit, output_share=share))
                found.append(estimate["latency_ms"][name][index] / wanted[name][index] - 1)
            errors[name] = np.array(found)
    return result


def check_tiles(circuit: Circuit, published: Mapping[str, Any]) -> dict[str, Floats]:
    """Relative error of the published areas of one tile, by AT, over CS."""
    sharing = np.array(published["column_sharing"], np.float64)
    result = {}
    for name, wanted in published["tile_area_um2"].items():
        readout = Readout(
            sharing,
            np.full(len(sharing), name == "sar"),
            np.full(len(sharing), 6.0),
            np.full(len(sharing), 8.0),
        )
        area = np.sum(list(circuit.tile_areas(readout).values()), axis=0)
        result[name] = area / np.array(wanted) - 1
    return result


def check_extract(
    circuit: Circuit, sweep: Sweep, published: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Errors at the points of the published extract that the sweep file does not hold.

    The extract is rounded to two to four digits, area to 0.01 mm²: up to 0.5 % of its own.
    """
    paper = sweep.take(sweep.kind == KINDS[0].config)
    r = paper.readout
    given = set(zip(r.column_sharing, r.is_sar, r.adc_bits, r.input_bits, strict=True))
    errors: dict[str, list[float]] = {"area": [], "latency": [], "energy": []}
    for sharing, kind, adc_bits, input_bits, *wanted in published["extract"]["points"]:
        if (sharing, kind == "sar", adc_bits, input_bits) in given:
            continue
        readout = Readout(
            np.array([float(sharing)]),
            np.array([kind == "sar"]),
            np.array([float(adc_bits)]),
            np.array([float(input_bits)]),
        )
        estimate = circuit.estimate(readout, REFERENCE)
        found = (
            estimate.area_um2[0] / 1e6,
            estimate.latency_ns[0] / 1e3,
            estimate.energy_pj[0] / 1e6,
        )
        for name, value, target in zip(errors, found, wanted, strict=True):
            if target is not None:
                errors[name].append(abs(value / target - 1))
    return {
        name: {"points": len(sizes), "mean": float(np.mean(sizes)), "max": float(np.max(sizes))}
        for name, sizes in errors.items()
    }


def size_doubt(circuit: Circuit) -> float:
    """How much the energy of VGG16 hangs on a rule that no figure checks; mean over AT and CS.

    No energy of another layer than the sweep's is published. This is the relative change if the
    energy of buffers and wires went with the conversions, as the adders' does, not the traffic.
    """
    layers, plan = PUBLISHED_LAYERS, floor_plan(circuit.kind, PUBLISHED_LAYERS)
    images = layers.positions / REFERENCE.positions
    arrays = plan.row_arrays / floor_plan(circuit.kind, REFERENCE).row_arrays
    conversions = images * arrays * layers.outputs / REFERENCE.outputs
    changes = []
    for is_sar in (False, True):
        for sharing in (2, 4, 8, 16, 32):
            readout = published_readout(sharing, is_sar)
            whole = circuit.estimate(readout, layers)
            one = circuit.estimate(readout, REFERENCE).parts
            change = sum(
                one[name] * conversions - whole.parts[name] for name in ("E_buffer_pJ", "E_ic_pJ")
            )
            changes.append(abs(np.sum(change)) / whole.energy_pj.sum())
    return float(np.mean(changes))
