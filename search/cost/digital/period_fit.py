"""The fit of the critical paths, and how far off the clock period is by what sets it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.shape.block_shape import BlockShape
from kakure.model.config.config import Config

from .description import describe
from .least_squares import non_negative
from .measured import Measurement
from .period import (
    CHAIN,
    GENERATOR,
    KIND_OF,
    KINDS,
    PATHS,
    Path,
    layer_paths,
    pace,
    path_ns,
    period_ns,
    tile_kind,
)
from .tree import config_layers, layer_parts, shared_parts

__all__ = ["fit_period", "shape_of"]

Floats = NDArray[np.float64]
DIGITS = 5
SAMPLES = {"temporal_core": "temporal_accelerator"}
"""Samples that a block is measured in, where it is not by itself."""
LEAST_POINTS = 3
"""Held-out points below which the error of a kind is that of all of them, short ones too."""


def fit_period(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """Coefficients of every path [ns], their ranges, and errors on what the fit did not see."""
    result: dict[str, Any] = {}
    shortest = _shortest(measurements)
    for block in PATHS:
        chosen = [m for m in measurements if m.sample.block == SAMPLES.get(block, block)]
        if block == "crossbar_engine":  # where a tile is the slowest part nothing is seen of it
            chosen = [m for m in chosen if _tile_ns(m, result) < m.critical_path_ns]
        rows = [shape_of(m, block).path_terms for m in chosen]
        names = list(rows[0])
        terms = np.array([[float(row[name]) for name in names] for row in rows])
        delay = np.array([m.critical_path_ns for m in chosen])
        held = np.array([m.sample.is_held_out for m in chosen])
        solution = non_negative(terms[~held], delay[~held], np.ones(int((~held).sum())))
        coefficients = [_short(c, DIGITS) for c in solution]
        errors = np.abs(terms @ np.array(coefficients) / delay - 1)
        result[block] = {
            "terms_ns": dict(zip(names, coefficients, strict=True)),
            "ranges": {
                name: [_short(column.min(), DIGITS), _short(column.max(), DIGITS)]
                for name, column in zip(names, _seen(block, terms, measurements).T, strict=True)
            },
            "beyond": _errors(_beyond(terms[~held], delay[~held], shortest)),
            **{
                name: _errors(errors[wanted])
                for name, wanted in (("fitted", ~held), ("held_out", held))
                if wanted.any()
            },
        }
    result["kinds"] = _kinds(measurements, result)
    result["accelerator"] = _accelerators(measurements, result)
    return result


def shape_of(measurement: Measurement, block: str) -> BlockShape:
    """What the critical path of a block of a sample is computed from."""
    module = next(m for m in measurement.modules if m.kind == block)
    return describe(measurement, module)


def _short(value: float, digits: int = 3) -> float:
    return float(f"{value:.{digits}g}")


def _errors(errors: Floats | Sequence[float]) -> dict[str, float | int]:
    size = np.abs(np.asarray(errors, np.float64))
    if not len(size):
        return {"points": 0, "mean": 0.0, "max": 0.0}
    return {"points": len(size), "mean": _short(size.mean()), "max": _short(size.max())}


def _shortest(measurements: Sequence[Measurement]) -> float:
    """The shortest weight generator measured [ns]: every accelerator has one, or a slower path."""
    paths = [m.critical_path_ns for m in measurements if m.sample.block == "weight_generator"]
    return min(paths)


def _seen(block: str, terms: Floats, measurements: Sequence[Measurement]) -> Floats:
    """Terms of a path that were measured; a weight generator's in whole accelerators too."""
    if block != "weight_generator":
        return terms
    rows = list(terms)
    for measurement in measurements:
        if measurement.sample.block == "accelerator" and measurement.sample.config is not None:
            part = {p.kind: p for p in shared_parts(measurement.sample.config)}[block]
            values = part.shape.path_terms.values()
            rows.append(np.array([float(np.asarray(value).item()) for value in values]))
    return np.array(rows)


def _beyond(terms: Floats, delay: Floats, shortest: float) -> list[float]:
    """Errors of the points with the least or the most of a term, left out of the fit.

    Of points long enough to set the clock, or of all where there are none.
    """
    errors: list[tuple[float, float]] = []
    for column in terms.T:
        for end in (column.min(), column.max()):
            left = column == end
            if left.sum() > len(left) // 2:
                continue
            solution = non_negative(terms[~left], delay[~left], np.ones(int((~left).sum())))
            errors += list(zip(terms[left] @ solution, delay[left], strict=True))
    long = [pair for pair in errors if max(pair) >= shortest]
    return [period / measured - 1 for period, measured in long or errors]


def _kinds(measurements: Sequence[Measurement], fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Errors of the period by what sets it, of held-out samples long enough to set it.

    Long enough is as long as :func:`_shortest`. They are blocks by themselves that are held out,
    crossbar engines with their tiles, and whole accelerators, by the path that the model takes
    for the slowest.
    """
    found: dict[int, list[tuple[float, float]]] = {kind: [] for kind in range(len(KINDS))}
    blocks = {"weight_generator": GENERATOR, **KIND_OF}
    shortest = _shortest(measurements)
    for measurement in measurements:
        sample, delay = measurement.sample, measurement.critical_path_ns
        if sample.block == "accelerator" and sample.config is not None:
            whole = pace(sample.config, fitted)
            found[int(whole.kind[0])].append((float(whole.period_ns[0]), delay))
        elif not sample.is_held_out:
            continue
        elif sample.block == "temporal_accelerator" and sample.config is not None:
            whole = pace(sample.config, fitted)
            found[int(whole.kind[0])].append((float(whole.period_ns[0]), delay))
        elif sample.block == "crossbar_engine" and sample.config is not None:
            period, kind = _engine_pace(sample.config, fitted)
            found[kind].append((period, delay))
        elif sample.block in PATHS:
            period = float(path_ns(shape_of(measurement, sample.block), fitted))
            is_sar = np.array(sample.parameters.get("adc_type") == "sar")
            kind = blocks.get(sample.block, int(tile_kind(is_sar)))
            found[kind].append((period, delay))
    result = {}
    for kind, pairs in found.items():
        long = [pair for pair in pairs if max(pair) >= shortest]
        chosen = long if len(long) >= LEAST_POINTS else pairs
        result[KINDS[kind]] = {
            "ns": [_short(min(d for _, d in chosen)), _short(max(d for _, d in chosen))],
            **_errors([period / delay - 1 for period, delay in chosen]),
        }
    return result


def _paths(config: Config, fitted: Mapping[str, Any], blocks: tuple[str, ...]) -> Iterator[Path]:
    parts = layer_parts(config_layers(config))
    return layer_paths(parts, len(config.layers), fitted, blocks)


def _tile_ns(measurement: Measurement, fitted: Mapping[str, Any]) -> float:
    """Path of the slowest tile of a crossbar engine by the fit [ns]."""
    config = measurement.sample.config
    assert config is not None
    paths = _paths(config, fitted, ("crossbar_tile", "memory_tile"))
    return max(float(path.alone_ns[0]) for path in paths if path.where[0] == 0)


def _engine_pace(config: Config, fitted: Mapping[str, Any]) -> tuple[float, int]:
    """Period of the first layer's crossbar engine by itself, and what sets it."""
    best, slowest = 0.0, CHAIN
    for path in _paths(config, fitted, ("crossbar_tile", "memory_tile", "crossbar_engine")):
        if path.where[0] == 0 and path.alone_ns[0] > best:
            best, slowest = float(path.alone_ns[0]), int(path.kind[0])
    return best, slowest


def _accelerators(measurements: Sequence[Measurement], fitted: Mapping[str, Any]) -> Any:
    """Errors of the period of whole accelerators, none of which the fit of the paths saw."""
    errors = []
    for measurement in measurements:
        config = measurement.sample.config
        if measurement.sample.block != "accelerator" or config is None:
            continue
        errors.append(period_ns(config, fitted) / measurement.critical_path_ns - 1)
    return {"all": _errors(errors)}
