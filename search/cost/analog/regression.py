"""Constants of the closed forms from the reference sweep and the published figures."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .circuit import ARRAYS_PER_TILE, CLOCK_MARGIN, Circuit
from .converter import Converter
from .forms import FORMS
from .least_squares import least_deviations, least_squares
from .packing import flash_packing, sar_area
from .sweep import Sweep
from .timing import accumulate_cycles, bus, converter_ns, extra_hops, hop_cycles
from .vgg16 import VGG16_CHANNELS, VGG16_POSITIONS
from .work import KINDS, REFERENCE, Kind, LayerSize, Readout, floor_plan

__all__ = [
    "PUBLISHED",
    "PUBLISHED_LAYERS",
    "fit_circuits",
    "output_share",
    "published_networks",
    "published_readout",
    "read_published",
]

Floats = NDArray[np.float64]

PUBLISHED = Path(__file__).with_name("published.json")
VECTORS = 256
"""Vectors of the reference layer."""
SPANS = (1.86, 1.84, 1.88, 1.82, 1.9, 1.8, 1.92)
"""Sides of a tile [mm] that one cycle crosses, tried in this order."""
REFERENCE_MAP = 16 * 16 * 128
"""Activations of the reference layer's map, which the global buffer is taken to hold."""
PUBLISHED_LAYERS = LayerSize(
    fan_in=9 * np.array((3, *VGG16_CHANNELS[:11])),
    outputs=np.array(VGG16_CHANNELS[:12]),
    positions=np.array(VGG16_POSITIONS[:12]) ** 2,
    copies=np.ones(12, np.int64),
)
"""VGG16's first 12 convolutions, of which area and latency are published."""
STEPS = [(step, 2.0) for step in (0.34, 0.36, 0.38, 0.4, 0.42, 0.44, 0.46)] + [(100.0, 0.0)]
"""Steps of tile side [mm] that take one more hop, and hops less per cycle of a hop above one."""
TREE_TILES = 7
"""Tiles that the sweep's wiring between tiles joins: 3 of the layer and 4 of its dummy."""


def read_published() -> dict[str, Any]:
    """Figures of the facts that are not in the sweep."""
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def fit_circuits(sweep: Sweep, published: Mapping[str, Any]) -> dict[str, Circuit]:
    """Constants of every kind that the sweep holds; the 64 x 64 RRAM array must be among them."""
    parts = {kind.name: sweep.take(sweep.kind == kind.config) for kind in KINDS}
    known = [kind for kind in KINDS if len(parts[kind.name])]
    assert known and known[0] is KINDS[0], "the sweep must hold points of the paper setting"
    sar = {kind.name: sar_area(parts[kind.name], kind) for kind in known}
    packing = flash_packing(known, parts, sar, published)
    circuits: dict[str, Circuit] = {}
    first = None
    for kind in known:
        converter = Converter(
            sar_um2=sar[kind.name],
            flash_um2=(packing.constant, packing.per_column[kind.name]),
            widths=packing.widths,
            pitch=packing.per_column[kind.name] / packing.per_column[known[0].name],
            size=kind.size,
        )
        circuits[kind.name] = _circuit(kind, parts[kind.name], converter, first)
        first = first or circuits[kind.name]
    share = output_share(circuits[known[0].name], published)
    return {name: replace(circuit, output_share=share) for name, circuit in circuits.items()}


def _circuit(kind: Kind, part: Sweep, converter: Converter, first: Circuit | None) -> Circuit:
    r, tiles, clock = part.readout, part["tiles"], part["clk_ns"]
    arrays = tiles * ARRAYS_PER_TILE
    area, latency = part["layer_tile_area_um2"], part["latency_ns"]
    by_area, by_time = 1 / area, 1 / latency
    by_energy = 1 / part["dyn_energy_pJ"]
    side = np.sqrt(area / tiles) / 1000
    periphery = (part["A_adc_um2"] + part["A_accum_um2"]) / arrays
    per_vector = VECTORS * clock
    rest = part["E_other_pJ"] - part["E_buffer_pJ"] - part["E_ic_pJ"]
    targets = {
        "clock": (clock / CLOCK_MARGIN - converter_ns(r), CLOCK_MARGIN / clock, side),
        "A_accum": (part["A_accum_um2"] / arrays, arrays * by_area, side),
        "A_other": (part["A_other_um2"] / arrays, arrays * by_area, periphery),
        "L_buffer": (part["L_buffer_ns"] / per_vector, per_vector * by_time, side),
        "E_adc": (part["E_adc_pJ"], by_energy, side),
        "E_accum": (part["E_accum_pJ"], by_energy, side),
        "E_buffer": (part["E_buffer_pJ"], by_energy, side),
        "E_ic": (part["E_ic_pJ"], by_energy, side),
        "E_switch": (rest, by_energy, side),
        "leak": (part["leak_uW"], 1 / part["leak_uW"], side),
    }
    coefficients = {
        name: least_squares(FORMS[name].features(kind, r, z), target, weight)
        for name, (target, weight, z) in targets.items()
    }
    if first and not coefficients["L_buffer"][4]:  # one input width: its share is the first kind's
        held = list(coefficients["L_buffer"])
        held[4] = first.coefficients["L_buffer"][4]
        coefficients["L_buffer"] = tuple(held)
    if first:  # the encoder of a flash converter is the same beside every array
        known = first.coefficients["clock"]
        features = FORMS["clock"].features(kind, r, side)
        target, weight, _ = targets["clock"]
        encoder = known[4] * features[4] + known[5] * features[5]
        own = least_squares(features[:4], target - encoder, weight)
        coefficients["clock"] = (*own[:3], own[3] or known[3], *known[4:])
    duplicates = floor_plan(kind, REFERENCE).duplicates
    stages, alone = _stages(kind, part, duplicates)
    hops, wire = _wires(part, side, first)
    activate = part["L_other_ns"] - part["L_buffer_ns"] - part["L_ic_ns"]
    tree = part["glob_htree_um2"] / (TREE_TILES * 1000 * side * (8 + 8 / part["CS"]))
    if kind.size != KINDS[0].size:
        tree = tree * _tree_ratio(kind)
    return Circuit(
        kind=kind,
        converter=converter,
        coefficients=coefficients,
        array_um2=float(np.mean(part["A_array_um2"] / arrays)),
        wire_um=float(np.mean(part["A_ic_um2"] / tiles / (1000 * side))),
        stages=stages,
        alone=alone,
        hops=hops,
        wire_cycles=wire,
        activate_cycles=float(np.mean(activate / clock / VECTORS / part["CS"])),
        tree_um=float(np.mean(tree)),
        buffer_um2=float(np.mean(part["glob_buffer_um2"] / (REFERENCE_MAP * part["IP_bits"]))),
        output_share=1.0,
    )


def _tree_ratio(kind: Kind) -> float:
    """The dummy layer, 64 -> 512, takes other tiles than with the first kind."""
    dummy = LayerSize(*(np.array([n]) for n in (9 * 64, 512, VECTORS, 1)))
    plans = [floor_plan(kind, size) for size in (REFERENCE, dummy)]
    tiles = sum(int(plan.row_tiles[0] * plan.column_tiles[0]) for plan in plans)
    return TREE_TILES / tiles


def _stages(
    kind: Kind, part: Sweep, duplicates: NDArray[np.int64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Whole cycles of the adder tree by search, and the line below it."""
    r = part.readout
    cycles = part["L_accum_ns"] / part["clk_ns"] / (VECTORS / duplicates)
    weight = part["clk_ns"] / part["latency_ns"]
    shares = r.column_sharing >= kind.cells
    best, stages = np.inf, (12.0, 1.0, 1.0)
    least = sorted(range(6, 18), key=lambda n: (abs(n - 12), n))
    for candidate in product(least, (1, 0, -1, -2, -3, 2, 3), (1, 0, 2, 3)):
        trial = tuple(float(n) for n in candidate)
        miss = (accumulate_cycles(kind, r, trial, (0.0, 0.0)) - cycles) * weight
        cost = float(np.square(miss[shares]).sum())
        if cost < best * (1 - 1e-6) - 1e-15:
            best, stages = cost, trial
    rest = cycles - r.input_bits * r.column_sharing
    columns = [1.0 * ~shares, ~shares * r.adc_bits]
    return stages, least_squares(columns, rest * ~shares, weight)


def _wires(
    part: Sweep, side: Floats, first: Circuit | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Thresholds of the interconnect by search, cycles by least squares."""
    r = part.readout
    cycles = part["L_ic_ns"] / part["clk_ns"] / VECTORS
    weight = VECTORS * part["clk_ns"] / part["latency_ns"]
    lines = bus(r) * r.input_bits
    best, found = np.inf, ((1.86, 0.38, 0.42, 2.0), (1.0, 6.0, 4.0))
    starts = np.arange(0.3, 0.5, 0.02) if first is None else [first.hops[1]]
    seen = set()
    for span in SPANS:
        hop = hop_cycles(side, span)
        matrix = np.stack(
            [hop * (r.adc_bits + 6), lines * hop, lines * hop / r.column_sharing], axis=1
        )
        for start, (step, drop) in product(starts, STEPS):
            more = extra_hops(side, span, start, step, drop)
            if (key := hop.tobytes() + more.tobytes()) in seen:
                continue
            seen.add(key)
            solution, cost = least_deviations(matrix, cycles - lines * more, weight)
            if cost < best * (1 - 1e-6):
                best = cost
                found = (
                    (float(span), float(start), float(step), drop),
                    tuple(float(value) for value in solution),
                )
    return found


def published_readout(sharing: int, is_sar: bool) -> Readout:
    """The readout of all 12 published layers: AP 6, IP 8."""
    return Readout(
        column_sharing=np.full(12, float(sharing)),
        is_sar=np.full(12, is_sar),
        adc_bits=np.full(12, 6.0),
        input_bits=np.full(12, 8.0),
    )


def published_networks(circuit: Circuit) -> dict[str, dict[str, Floats]]:
    """Area [mm²] and latency [ms] of VGG16's first 12 convolutions by AT and, in it, CS."""
    result: dict[str, dict[str, Floats]] = {"area_mm2": {}, "latency_ms": {}}
    for name in ("flash", "sar"):
        estimates = [
            circuit.estimate(published_readout(sharing, name == "sar"), PUBLISHED_LAYERS)
            for sharing in (2, 4, 8, 16, 32)
        ]
        areas = [estimate.area_um2.sum() / 1e6 for estimate in estimates]
        latencies = [estimate.latency_ns.sum() / 1e6 for estimate in estimates]
        result["area_mm2"][name] = np.array(areas)
        result["latency_ms"][name] = np.array(latencies)
    return result


def output_share(
    circuit: Circuit, published: Mapping[str, Any], seen: NDArray[np.bool_] | None = None
) -> float:
    """Where the traffic of results goes with: least squares over the published latencies.

    ``seen`` says which of them are looked at, flash before SAR; all by default.
    """
    wanted = published["vgg16_first_12"]["latency_ms"]
    low, high = (_latencies(replace(circuit, output_share=share)) for share in (0.0, 1.0))
    target = np.concatenate([wanted[name] for name in ("flash", "sar")])
    slope, rest = (high - low) / target, 1 - low / target
    if seen is not None:
        slope, rest = slope[seen], rest[seen]
    return float(np.clip((slope @ rest) / (slope @ slope), 0, 1))


def _latencies(circuit: Circuit) -> Floats:
    return np.concatenate(list(published_networks(circuit)["latency_ms"].values()))
