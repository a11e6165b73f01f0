"""The clock period: closed forms of the critical paths of the blocks, and of a layer's chain.

A delay grows with the logarithm of what a signal passes: adders of a tree, inputs of a
multiplexer, bits of a carry, sinks of a net. Only the longest path of an accelerator matters, so
the fit is of absolute delays: its error in ns weighs the same on short and on long paths.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.search.cost.metrics import LayerBatch

from .block import Parameters
from .counting import bits
from .crossbar_blocks import code_peak, conversion_cycles
from .tree import Part, layer_parts, shared_parts

__all__ = [
    "CHAIN",
    "GENERATOR",
    "KINDS",
    "KIND_OF",
    "PATHS",
    "Pace",
    "layer_pace",
    "layer_paths",
    "pace",
    "path_ns",
    "period_ns",
    "tile_kind",
]

Floats = NDArray[np.float64]
Terms = Mapping[str, NDArray[Any]]


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
        "code_bits": _log(np.minimum(p["adc_bits"], bits(p["rows"]))),
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


def path_ns(
    block: str, parameters: Parameters, fitted: Mapping[str, Any], without: str = ""
) -> Floats:
    """Delay of the critical paths of blocks of one kind, or of one without a term [ns]."""
    terms = PATHS[block](parameters)
    fits = fitted[block]["terms_ns"].items()
    return np.asarray(sum(c * terms[name] for name, c in fits if name != without))


KINDS = (
    "weight_generator",
    "crossbar_tile flash",
    "crossbar_tile sar",
    "pe_array",
    "requantizer",
    "chain",
)
"""What can set the clock; ``chain``: from the tiles' sums through the adders to the pool."""
GENERATOR, FLASH, SAR, ARRAY, REQUANTIZER, CHAIN = range(len(KINDS))
KIND_OF = {"pe_array": ARRAY, "requantizer": REQUANTIZER, "max_pool": CHAIN}


def tile_kind(is_sar: NDArray[Any]) -> NDArray[np.int64]:
    """Index into :data:`KINDS` of tiles."""
    return np.where(np.asarray(is_sar) > 0, SAR, FLASH)


@dataclass(frozen=True)
class Pace:
    """The least period of layers, or of accelerators, and what sets it.

    Attributes
    ----------
    period_ns : array of shape (n,)
    kind : array of shape (n,)
        Index into :data:`KINDS`.
    beyond : array of shape (2, n)
        Where a path has a term beyond those measured, the mean and the worst error of leaving out
        the ends of that path's ranges; else 0.
    lines : tuple of str
        One for every such term.
    """

    period_ns: Floats
    kind: NDArray[np.int64]
    beyond: Floats
    lines: tuple[str, ...]


def layer_pace(batch: LayerBatch, generator: str, fitted: Mapping[str, Any]) -> Pace:
    """Least period of each layer by itself.

    The slowest of its tiles, its PE array, its requantizer, and the chain from the tiles' sums
    through the adders of the row groups and the pool, or the requantizer's choice of a chunk.
    """
    period, kind = np.zeros(len(batch)), np.zeros(len(batch), np.int64)
    beyond, lines = np.zeros((2, len(batch))), []
    for path in layer_paths(batch, generator, fitted):
        slower = path.delay_ns > period[path.where]
        at = path.where[slower]
        period[at], kind[at] = path.delay_ns[slower], path.kind[slower]
        there = path.where[path.outside]
        beyond[:, there] = np.maximum(beyond[:, there], _ends(path.block, fitted))
        lines += path.lines
    return Pace(period, kind, beyond, tuple(dict.fromkeys(lines)))


def _ends(block: str, fitted: Mapping[str, Any]) -> Floats:
    """Mean and worst error of a path where the ends of its ranges were left out, shape (2, 1)."""
    return np.array([[float(fitted[block]["beyond"][key])] for key in ("mean", "max")])


def pace(config: Config, fitted: Mapping[str, Any]) -> Pace:
    """Least period of a whole accelerator: of its slowest layer, or of its weight generator."""
    assert isinstance(config.weights, HiddenWeights)
    layers = layer_pace(LayerBatch.of(config), config.weights.generator, fitted)
    shared = {part.kind: part for part in shared_parts(config)}["weight_generator"]
    own, outside, more = _delay(shared, shared.parameters, fitted)
    slowest = int(layers.period_ns.argmax())
    period, kind = layers.period_ns[slowest], int(layers.kind[slowest])
    if own[0] > period:
        period, kind = own[0], GENERATOR
    beyond = layers.beyond.max(axis=1, keepdims=True)
    if outside[0]:
        beyond = np.maximum(beyond, _ends("weight_generator", fitted))
    lines = tuple(dict.fromkeys([*layers.lines, *more]))
    return Pace(np.array([period]), np.array([kind]), beyond, lines)


def period_ns(config: Config, fitted: Mapping[str, Any]) -> float:
    """Least period of a whole accelerator [ns]."""
    return float(pace(config, fitted).period_ns[0])


@dataclass(frozen=True)
class Path:
    """A block's critical path in the layers ``where``; a chain's with what lies behind it."""

    block: str
    where: NDArray[np.int64]
    kind: NDArray[np.int64]
    delay_ns: Floats
    alone_ns: Floats
    outside: NDArray[np.bool_]
    lines: list[str]


def _delay(
    part: Part, parameters: Parameters, fitted: Mapping[str, Any]
) -> tuple[Floats, NDArray[np.bool_], list[str]]:
    """Delay of a path, 0 where there is none; where a term is beyond those measured; lines."""
    terms, entry = PATHS[part.kind](parameters), fitted[part.kind]
    total, outside = np.zeros(len(part.where)), np.zeros(len(part.where), bool)
    lines = []
    for name, coefficient in entry["terms_ns"].items():
        if not coefficient:
            continue
        total = total + coefficient * terms[name]
        low, high = entry["ranges"][name]
        values = np.broadcast_to(terms[name], total.shape)
        wrong = (values < low - SLACK) | (values > high + SLACK)
        wrong = wrong & (values != 0) & (part.count > 0)  # a term of 0 is not there
        if wrong.any():
            outside |= wrong
            value = values[int(np.flatnonzero(wrong)[0])]
            lines.append(
                f"critical path of {part.kind}: {name} must be {low:g} to {high:g} (most of them "
                f"logarithms to base 2), the range that the digital model is fitted to, not "
                f"{value:.5g}"
            )
    return np.where(part.count > 0, total, 0.0), outside, lines


SLACK = 1e-3
"""Ranges are rounded."""


def layer_paths(
    batch: LayerBatch,
    generator: str,
    fitted: Mapping[str, Any],
    blocks: Collection[str] = tuple(PATHS),
) -> Iterator[Path]:
    """Every critical path of each layer by itself, of some blocks; those of chains last."""
    behind = np.zeros(len(batch))
    grid: Parameters = {}
    chain: list[Path] = []
    for part in layer_parts(batch, generator):
        if part.kind == "crossbar_grid":
            grid = part.parameters
        if part.kind not in blocks:
            continue
        parameters = part.parameters
        if part.kind == "crossbar_engine":
            parameters = {**grid, **parameters}
        delay, outside, lines = _delay(part, parameters, fitted)
        if part.kind == "crossbar_tile":
            kind = tile_kind(parameters["is_sar"])
        else:
            kind = np.full(len(part.where), KIND_OF.get(part.kind, CHAIN))
        path = Path(part.kind, part.where, kind, delay, delay, outside, lines)
        if part.kind == "crossbar_engine":
            chain.append(path)
            continue
        if part.kind == "max_pool":
            # Its carries run along with those of the adders before: they do not add up.
            without = path_ns(part.kind, parameters, fitted, without="sum_bits")
            behind[part.where] = np.where(part.count > 0, without, 0.0)
        yield path
    for path in chain:
        yield replace(path, delay_ns=path.alone_ns + behind[path.where])
