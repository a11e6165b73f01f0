"""The fit: an area for every term of every block, and how far off it is on what it never saw."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape
from kakure.hdl.synthesis.memory_macro import is_macro
from kakure.model.errors import UserError

from .description import describe, stacked
from .least_squares import non_negative
from .library import BLOCKS, macro_of, sequential_um2
from .line_file import digest_of_lines
from .measured import Measurement, Module
from .measured_tools import common_tools
from .period_fit import fit_period
from .samples.plan import ALONE, SETTLED, WHOLE, validation
from .samples.sample import SEED
from .tree import all_parts

__all__ = ["Points", "fit", "points_of", "rank_correlation"]

Floats = NDArray[np.float64]

SMALL_UM2 = 20.0
"""Errors of blocks by themselves are told relative to their area and this: many are empty."""
WEIGHED_UM2 = {"crossbar_tile": 1000.0}
"""In the fit errors are weighed relative to the area and this, or :data:`SMALL_UM2`: a block much
smaller than it decides no coefficient."""
DIGITS = 6


@dataclass(frozen=True)
class Points:
    """All measured modules of one kind: their shape, areas, and which the fit may not see."""

    shape: BlockShape
    area_um2: Floats
    is_held_out: NDArray[np.bool_]

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """What decides what is in the modules."""
        return {name: getattr(self.shape, name) for name in self.shape.parameters}

    def __len__(self) -> int:
        return len(self.area_um2)


def points_of(measurements: Iterable[Measurement]) -> dict[str, Points]:
    """Distinct modules by kind, macros left out, and what stands beside a block of ``ALONE``.

    A module belongs to the fit if a sample of the fit holds it, else it is held out.
    """
    found: dict[str, dict[tuple[float, ...], _Point]] = defaultdict(dict)
    for measurement in measurements:
        block = measurement.sample.block
        for module in measurement.modules:
            if module.memory_um2 or (block in ALONE and module.kind != block):
                continue
            if module.kind in SETTLED.get(block, ()):
                continue
            shape = describe(measurement, module)
            key = tuple(float(getattr(shape, name)) for name in shape.parameters)
            is_held_out = measurement.sample.is_held_out
            if key in found[module.kind]:
                is_held_out = is_held_out and found[module.kind][key][2]
            found[module.kind][key] = (shape, module.area_um2, is_held_out)
    return {kind: _points(found[kind]) for kind in sorted(found)}


_Point = tuple[BlockShape, float, bool]


def _points(found: Mapping[tuple[float, ...], _Point]) -> Points:
    shapes, areas, held = zip(*(found[key] for key in sorted(found)), strict=True)
    return Points(stacked(shapes), np.array(areas), np.array(held, bool))


def _stack(shape: BlockShape, size: int) -> Floats:
    return np.stack([np.broadcast_to(term, size) for term in shape.terms.values()], axis=1)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _summary(errors: Floats) -> dict[str, float | int]:
    if not len(errors):
        return {"points": 0, "mean": 0.0, "max": 0.0}
    size = np.abs(errors)
    return {"points": len(errors), "mean": _short(size.mean()), "max": _short(size.max())}


def _fit_block(points: Points) -> dict[str, Any]:
    shape = points.shape
    terms = _stack(shape, len(points))
    scale = points.area_um2 + WEIGHED_UM2.get(shape.kind, SMALL_UM2)
    sequential = sequential_um2(shape)
    seen = ~points.is_held_out
    if not seen.any():
        seen = np.ones(len(points), bool)
    target = points.area_um2 - sequential
    solution = non_negative(terms[seen], target[seen], scale[seen])
    coefficients = [_short(c) for c in solution]
    estimate = sequential + terms @ np.array(coefficients)
    errors = (estimate - points.area_um2) / (points.area_um2 + SMALL_UM2)
    return {
        "terms_um2": dict(zip(shape.terms, coefficients, strict=True)),
        "ranges": {
            name: [float(column[seen].min()), float(column[seen].max())]
            for name, column in points.parameters.items()
        },
        "fitted": _summary(errors[seen]),
        "held_out": _summary(errors[~seen]),
        "beyond": _summary(_beyond(points, seen, terms, target, scale)),
    }


def _beyond(
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
        if name in points.shape.repeated:
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
    return block_area(stacked([describe(measurement, module)]), blocks).item()


def block_area(shape: BlockShape, blocks: Mapping[str, Any]) -> Floats:
    """Areas of blocks of one kind by the fitted coefficients ``blocks`` [µm²]."""
    area = np.asarray(sequential_um2(shape), np.float64)
    fitted = blocks[shape.kind]["terms_um2"]
    for name, term in shape.terms.items():
        if fitted[name]:
            area = area + fitted[name] * term
    if isinstance(shape, RamShape):
        return np.where(is_macro(shape.depth, shape.width), macro_of(shape).area_um2, area)
    return area


def estimate_tree(measurement: Measurement, blocks: Mapping[str, Any]) -> float:
    """Area of a whole accelerator by the fit and the closed form of its tree [µm²]."""
    config = measurement.sample.config
    assert config is not None
    return float(sum(np.sum(p.count * block_area(p.shape, blocks)) for p in all_parts(config)))


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's: the correlation of the ranks; equal values share a rank."""
    from scipy.stats import spearmanr  # takes half a second, which only a fit shall wait for

    found: Any = spearmanr(a, b)  # a named tuple, which pyright does not see
    return float(found.statistic)


def _designs(measurements: Sequence[Measurement], blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of whole samples by block; those of the validation are among the held-out ones."""
    new = {sample.key for sample in validation()}
    rows: dict[str, list[tuple[Measurement, float]]] = defaultdict(list)
    for measurement in measurements:
        estimate = estimate_tree if measurement.sample.block in WHOLE else estimate_modules
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
        If there are no measurements, they are of different tools, or a block has none.
    """
    if not measurements:
        raise UserError("must hold measurements; run kakure calibrate")
    tools = common_tools(m.tools for m in measurements)
    if tools is None:
        raise UserError("points of different tools must not be mixed")
    points = points_of(measurements)
    missing = sorted(set(BLOCKS) - set(points))
    if missing:
        raise UserError(f"no point of {', '.join(missing)}; run kakure calibrate")
    blocks = {kind: _fit_block(points[kind]) for kind in sorted(points)}
    return {
        "command": "kakure calibrate",
        "seed": SEED,
        "samples": len(measurements),
        "measured": digest_of_lines(m.to_json() for m in measurements),
        "tools": tools,
        "blocks": blocks,
        "designs": _designs(measurements, blocks),
        "period": fit_period(measurements),
    }
