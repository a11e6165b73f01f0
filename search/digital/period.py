"""The clock period: closed forms of the critical paths of the blocks, and of a layer's chain.

A delay grows with the logarithm of what a signal passes: adders of a tree, inputs of a
multiplexer, bits of a carry, sinks of a net.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.config import Config
from search.metrics import LayerBatch

from .block import Parameters
from .counting import bits
from .crossbar_blocks import code_peak, conversion_cycles
from .description import describe
from .least_squares import non_negative
from .measured import Measurement
from .tree import layer_parts, shared_parts

__all__ = ["PATHS", "fit_period", "layer_period_ns", "period_ns"]

Floats = NDArray[np.float64]
Terms = Mapping[str, NDArray[Any]]
DIGITS = 5


def _log(number: Any) -> Floats:
    return np.log2(np.maximum(np.asarray(number, np.float64), 1.0))


def _tile(p: Parameters) -> Terms:
    conversion = conversion_cycles(p)
    lanes = -(-p["rows"] // conversion)
    scale = (np.int64(1) << p["input_bits"]) - 1
    width = bits(code_peak(p["rows"], p["adc_bits"], p["adc_shift"]) * scale) + 1
    return {
        "one": np.ones(np.shape(lanes)),
        "lanes": _log(lanes),
        "choices": _log(p["sharing"] * conversion),
        "sinks": _log(2 * p["columns"] // p["sharing"] * lanes),
        "sum_bits": _log(width) * (p["input_bits"] > 1),
        "code_bits": _log(p["adc_bits"]),
        "is_serial": 1.0 * (conversion > 1),
        "rounds": 1.0 * (p["adc_shift"] > 0),
    }


def _requantizer(p: Parameters) -> Terms:
    chunks = -(-p["channels"] // p["lanes"])
    is_logit = p["output_bits"] == 0
    return {
        "one": np.ones(np.shape(chunks)),
        "shifts": 1.0 * ~is_logit,
        "chunks": _log(chunks),
        "sum_bits": _log(p["sum_bits"]),
        "choice_sinks": _log(p["lanes"] * p["sum_bits"]) * (chunks > 1),
        "shortcut": 1.0 * (p["shortcut_bits"] > 0),
    }


def _array(p: Parameters) -> Terms:
    return {
        "one": np.ones(np.shape(p["inputs"])),
        "inputs": _log(p["inputs"]),
        "planes": _log(p["input_bits"]),
        "sum_bits": _log(p["sum_bits"]),
        "banks": _log(p["banks"]),
        "outputs": _log(p["outputs"]),
        "pixels": _log(p["pixels"]),
    }


def _engine(p: Parameters) -> Terms:
    """From the tiles' sums to the result: the adders between, and the choice of a copy."""
    return {
        "one": np.ones(np.shape(p["groups"])),
        "groups": _log(p["groups"]),
        "sum_bits": _log(p["sum_bits"]) * (p["groups"] > 1),
        "copies": _log(p["copies"]),
    }


def _pool(p: Parameters) -> Terms:
    has_memory = p["width"] // p["size"] > 1
    return {
        "one": np.ones(np.shape(p["channels"])),
        "sum_bits": _log(p["sum_bits"]),
        "memory": 1.0 * has_memory,
        "sinks": _log(p["channels"] * p["sum_bits"]) * has_memory,
    }


def _generator(p: Parameters) -> Terms:
    return {
        "one": np.ones(np.shape(p["layers"])),
        "layers": _log(p["layers"]),
        "row_bits": _log(bits(p["max_rows"])),
    }


PATHS: dict[str, Callable[[Parameters], Terms]] = {
    "crossbar_tile": _tile,
    "requantizer": _requantizer,
    "pe_array": _array,
    "crossbar_engine": _engine,
    "max_pool": _pool,
    "weight_generator": _generator,
}
"""Terms of the critical path of each block, by itself."""


def _parameters(measurement: Measurement, block: str) -> dict[str, NDArray[Any]]:
    modules = [m for m in measurement.modules if m.kind == block]
    values = describe(measurement, modules[0])
    if block == "crossbar_engine":
        grid = next(m for m in measurement.modules if m.kind == "crossbar_grid")
        values = describe(measurement, grid) | values
    if block == "pe_array":
        element = next(m for m in measurement.modules if m.kind == "processing_element")
        values = describe(measurement, element) | values
    return {name: np.array(value, np.int64) for name, value in values.items()}


def _path(
    block: str, parameters: Parameters, fitted: Mapping[str, Any], without: str = ""
) -> Floats:
    terms = PATHS[block](parameters)
    fits = fitted[block]["terms_ns"].items()
    return np.asarray(sum(c * terms[name] for name, c in fits if name != without))


def fit_period(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """Coefficients of every path [ns], and their errors on what the fit did not see."""
    result: dict[str, Any] = {}
    for block, terms_of in PATHS.items():
        chosen = [m for m in measurements if m.sample.block == block]
        rows = [terms_of(_parameters(m, block)) for m in chosen]
        names = list(rows[0])
        terms = np.array([[float(row[name]) for name in names] for row in rows])
        delay = np.array([m.critical_path_ns for m in chosen])
        held = np.array([m.sample.is_held_out for m in chosen])
        solution = non_negative(terms[~held], delay[~held], delay[~held])
        coefficients = [float(f"{c:.{DIGITS}g}") for c in solution]
        errors = np.abs(terms @ np.array(coefficients) / delay - 1)
        result[block] = {
            "terms_ns": dict(zip(names, coefficients, strict=True)),
            **{
                name: {
                    "points": int(wanted.sum()),
                    "mean": float(f"{errors[wanted].mean():.3g}"),
                    "max": float(f"{errors[wanted].max():.3g}"),
                }
                for name, wanted in (("fitted", ~held), ("held_out", held))
                if wanted.any()
            },
        }
    result["accelerator"] = _accelerators(measurements, result)
    return result


def _accelerators(measurements: Sequence[Measurement], fitted: Mapping[str, Any]) -> Any:
    """Errors of the period of whole accelerators, none of which the fit of the paths saw."""
    errors = []
    for measurement in measurements:
        config = measurement.sample.config
        if measurement.sample.block != "accelerator" or config is None:
            continue
        errors.append(abs(period_ns(config, fitted) / measurement.critical_path_ns - 1))
    if not errors:
        return {"all": {"points": 0, "mean": 0.0, "max": 0.0}}
    mean, worst = (float(f"{value:.3g}") for value in (np.mean(errors), max(errors)))
    return {"all": {"points": len(errors), "mean": mean, "max": worst}}


def shared_period_ns(config: Config, fitted: Mapping[str, Any]) -> float:
    """Least period of what there is once, of which the weight generator is the slowest [ns]."""
    parts = {part.kind: part for part in shared_parts(config)}
    generator = parts["weight_generator"].parameters
    return float(_path("weight_generator", generator, fitted)[0])


def layer_period_ns(batch: LayerBatch, generator: str, fitted: Mapping[str, Any]) -> Floats:
    """Least period of each layer by itself [ns].

    The slowest of its tiles, its PE array, its requantizer, and the chain from the tiles' sums
    through the adders of the row groups and the pool, or the requantizer's choice of a chunk.
    """
    period = np.zeros(len(batch))
    for where, delay in _paths(batch, generator, fitted):
        np.maximum.at(period, where, delay)
    return period


def period_ns(config: Config, fitted: Mapping[str, Any]) -> float:
    """Least period of a whole accelerator [ns]."""
    assert config.weights.kind == "hidden"
    layers = layer_period_ns(LayerBatch.of(config), config.weights.generator, fitted)
    return max(float(layers.max()), shared_period_ns(config, fitted))


def _paths(
    batch: LayerBatch, generator: str, fitted: Mapping[str, Any]
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    behind = np.zeros(len(batch))
    grid: Parameters = {}
    chain: list[tuple[NDArray[np.int64], Floats]] = []
    for part in layer_parts(batch, generator):
        if part.kind == "crossbar_grid":
            grid = part.parameters
        if part.kind not in PATHS:
            continue
        parameters = (
            {**grid, **part.parameters} if part.kind == "crossbar_engine" else (part.parameters)
        )
        delay = np.where(part.count > 0, _path(part.kind, parameters, fitted), 0.0)
        if part.kind == "crossbar_engine":
            chain.append((part.where, delay))
        elif part.kind == "max_pool":
            # Its carries run along with those of the adders before: they do not add up.
            without = _path(part.kind, parameters, fitted, without="sum_bits")
            behind[part.where] = np.where(part.count > 0, without, 0.0)
        yield part.where, delay
    for where, delay in chain:
        yield where, delay + behind[where]
