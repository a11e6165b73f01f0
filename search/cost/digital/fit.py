"""The fit: an area for every term of every block, and how far off it is on what it never saw."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError
from kakure.search.cost.metrics import LayerBatch

from .block import Block, Counts
from .description import describe
from .least_squares import non_negative
from .library import BLOCKS
from .macro import is_macro, macro_area_um2
from .measured import Measurement, Module
from .period_fit import fit_period
from .samples import SEED, validation
from .tree import Part, layer_parts, shared_parts

__all__ = ["Points", "fit", "points_of", "rank_correlation"]

Floats = NDArray[np.float64]

SMALL_UM2 = 20.0
"""Errors of blocks by themselves are told relative to their area and this: many are empty."""
DIGITS = 6


@dataclass(frozen=True)
class Points:
    """All measured modules of one kind: parameters, areas, and which the fit may not see."""

    parameters: dict[str, NDArray[Any]]
    area_um2: Floats
    is_held_out: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.area_um2)


def points_of(measurements: Iterable[Measurement]) -> dict[str, Points]:
    """Distinct modules by kind, macros left out.

    A module belongs to the fit if a sample of the fit holds it, else it is held out.
    """
    found: dict[str, dict[tuple[float, ...], tuple[float, bool]]] = defaultdict(dict)
    for measurement in measurements:
        for module in measurement.modules:
            if module.memory_um2:
                continue
            values = describe(measurement, module)
            key = tuple(float(values[name]) for name in BLOCKS[module.kind].parameters)
            is_held_out = measurement.sample.is_held_out
            if key in found[module.kind]:
                is_held_out = is_held_out and found[module.kind][key][1]
            found[module.kind][key] = (module.area_um2, is_held_out)
    return {kind: _points(BLOCKS[kind], found[kind]) for kind in sorted(found)}


def _points(block: Block, found: Mapping[tuple[float, ...], tuple[float, bool]]) -> Points:
    keys = sorted(found)
    columns = np.array(keys, np.float64).T
    parameters = {
        name: column if name == "write_groups" else column.astype(np.int64)
        for name, column in zip(block.parameters, columns, strict=True)
    }
    areas, held = zip(*(found[key] for key in keys), strict=True)
    return Points(parameters, np.array(areas), np.array(held, bool))


def _stack(counts: Counts, size: int) -> Floats:
    return np.stack([np.broadcast_to(term, size) for term in counts.terms.values()], axis=1)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _summary(errors: Floats) -> dict[str, float | int]:
    if not len(errors):
        return {"points": 0, "mean": 0.0, "max": 0.0}
    size = np.abs(errors)
    return {"points": len(errors), "mean": _short(size.mean()), "max": _short(size.max())}


def _fit_block(block: Block, points: Points) -> dict[str, Any]:
    counts = block.count(points.parameters)
    terms = _stack(counts, len(points))
    scale = points.area_um2 + block.small_um2
    seen = ~points.is_held_out
    if not seen.any():
        seen = np.ones(len(points), bool)
    target = points.area_um2 - counts.sequential_um2
    solution = non_negative(terms[seen], target[seen], scale[seen])
    coefficients = [_short(c) for c in solution]
    estimate = counts.sequential_um2 + terms @ np.array(coefficients)
    errors = (estimate - points.area_um2) / (points.area_um2 + SMALL_UM2)
    return {
        "terms_um2": dict(zip(counts.terms, coefficients, strict=True)),
        "ranges": {
            name: [float(column[seen].min()), float(column[seen].max())]
            for name, column in points.parameters.items()
        },
        "fitted": _summary(errors[seen]),
        "held_out": _summary(errors[~seen]),
        "beyond": _summary(_beyond(block, points, seen, terms, target, scale)),
    }


def _beyond(
    block: Block,
    points: Points,
    seen: NDArray[np.bool_],
    terms: Floats,
    target: Floats,
    scale: Floats,
) -> Floats:
    """Errors of the points at the ends of every bounded parameter's range, left out of the fit.

    What a value outside the range may be off by, if it is not far outside.
    """
    errors: list[float] = []
    for name, column in points.parameters.items():
        if name in block.repeated:
            continue
        for end in (column[seen].min(), column[seen].max()):
            left = seen & (column == end)
            kept = seen & ~left
            if kept.sum() <= left.sum():  # half of the points, or all, are no end of a range
                continue
            solution = non_negative(terms[kept], target[kept], scale[kept])
            miss = terms[left] @ solution - target[left]
            errors += list(miss / (points.area_um2[left] + SMALL_UM2))
    return np.array(errors)


def estimate_modules(measurement: Measurement, blocks: Mapping[str, Any]) -> float:
    """Area of a sample by the fit, with the modules that synthesis found [µm²]."""
    return sum(
        module.instances * module_area(measurement, module, blocks)
        for module in measurement.modules
    )


def module_area(measurement: Measurement, module: Module, blocks: Mapping[str, Any]) -> float:
    """Area of one instance of a module of ``measurement`` by the fit [µm²]."""
    values = describe(measurement, module)
    block = BLOCKS[module.kind]
    parameters = {
        name: np.array([values[name]], float if name == "write_groups" else np.int64)
        for name in block.parameters
    }
    return float(block_area(block.kind, parameters, blocks)[0])


def block_area(kind: str, parameters: Mapping[str, Any], blocks: Mapping[str, Any]) -> Floats:
    """Areas of blocks of one kind by the fitted coefficients ``blocks`` [µm²]."""
    counts = BLOCKS[kind].count(parameters)
    area = counts.sequential_um2
    fitted = blocks[kind]["terms_um2"]
    for name, term in counts.terms.items():
        if fitted[name]:
            area = area + fitted[name] * term
    if kind == "ram":
        depth, width = parameters["depth"], parameters["width"]
        return np.where(is_macro(depth, width), macro_area_um2(depth, width), area)
    return area


def estimate_tree(measurement: Measurement, blocks: Mapping[str, Any]) -> float:
    """Area of a whole accelerator by the fit and the closed form of its tree [µm²]."""
    config = measurement.sample.config
    assert config is not None and isinstance(config.weights, HiddenWeights)
    parts: list[Part] = list(shared_parts(config))
    parts += layer_parts(LayerBatch.of(config), config.weights.generator)
    return float(sum(np.sum(p.count * block_area(p.kind, p.parameters, blocks)) for p in parts))


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's: the correlation of the ranks; equal values share a rank."""
    ranks = []
    for values in (np.asarray(a, float), np.asarray(b, float)):
        _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[which])
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _designs(measurements: Sequence[Measurement], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of whole samples by block; those of the validation are among the held-out ones."""
    new = {sample.key for sample in validation()}
    rows: dict[str, list[tuple[Measurement, float]]] = defaultdict(list)
    for measurement in measurements:
        estimate = estimate_tree if measurement.sample.block == "accelerator" else estimate_modules
        rows[measurement.sample.block].append((measurement, estimate(measurement, blocks)))
    result = {}
    for block, pairs in sorted(rows.items()):
        entry: dict[str, Any] = {}
        for name, wanted in (
            ("fitted", [not m.sample.is_held_out for m, _ in pairs]),
            ("held_out", [m.sample.is_held_out for m, _ in pairs]),
            ("validation", [m.sample.key in new for m, _ in pairs]),
        ):
            chosen = [pair for pair, is_wanted in zip(pairs, wanted, strict=True) if is_wanted]
            errors = np.array([e / m.area_um2 - 1 for m, e in chosen if m.area_um2])
            entry[name] = _summary(errors)
            if len(chosen) > 2:
                entry[name]["rank_correlation"] = _short(
                    rank_correlation([m.area_um2 for m, _ in chosen], [e for _, e in chosen])
                )
            if len(errors):
                worst = int(np.argmax(np.abs(errors)))
                entry[name]["worst"] = [m for m, _ in chosen if m.area_um2][worst].sample.key
        result[block] = entry
    return result


def fit(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """Everything that ``coefficients.json`` holds; the same measurements, the same result.

    Raises
    ------
    UserError
        If the measurements are of different tools, or a block has none.
    """
    tools = {tuple(sorted(m.tools.items())) for m in measurements}
    if len(tools) > 1:
        raise UserError("measured.jsonl: points of different tools must not be mixed")
    points = points_of(measurements)
    missing = sorted(set(BLOCKS) - set(points))
    if missing:
        raise UserError(f"measured.jsonl: no point of {', '.join(missing)}; run make calibrate")
    blocks = {kind: _fit_block(BLOCKS[kind], points[kind]) for kind in sorted(points)}
    return {
        "command": "python -m kakure.search.cost.digital.calibrate",
        "seed": SEED,
        "samples": len(measurements),
        "tools": dict(sorted(measurements[0].tools.items())),
        "blocks": blocks,
        "designs": _designs(measurements, blocks),
        "period": fit_period(measurements),
    }
