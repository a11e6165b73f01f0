"""The clock period: closed forms of the critical paths of the blocks, and of a layer's chain.

A delay grows with the logarithm of what a signal passes: adders of a tree, inputs of a
multiplexer, bits of a carry, sinks of a net. Only the longest path of an accelerator matters, so
the fit is of absolute delays: its error in ns weighs the same on short and on long paths.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.engines.crossbar.tile_shape import TileShape
from kakure.hdl.shape.block_shape import BlockShape
from kakure.model.config.config import Config

from .tree import Part, config_layers, layer_parts, shared_parts, takes_turns

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


PATHS = (
    "crossbar_tile",
    "memory_tile",
    "requantizer",
    "pe_array",
    "crossbar_engine",
    "max_pool",
    "weight_generator",
    "temporal_core",
)
"""Kinds of blocks whose critical path is fitted, each by itself."""


def path_ns(shape: BlockShape, fitted: Mapping[str, Any], without: str = "") -> Floats:
    """Delay of the critical paths of blocks of one kind, or of one without a term [ns]."""
    terms = shape.path_terms
    fits = fitted[shape.kind]["terms_ns"].items()
    return np.asarray(sum(c * terms[name] for name, c in fits if name != without))


KINDS = (
    "weight_generator",
    "crossbar_tile flash",
    "crossbar_tile sar",
    "pe_array",
    "requantizer",
    "chain",
    "temporal core",
    "memory_tile",
)
"""What can set the clock; ``chain``: from the tiles' sums through the adders to the pool."""
GENERATOR, FLASH, SAR, ARRAY, REQUANTIZER, CHAIN, CORE, MEMORY = range(len(KINDS))
KIND_OF = {
    "pe_array": ARRAY,
    "requantizer": REQUANTIZER,
    "max_pool": CHAIN,
    "temporal_core": CORE,
    "memory_tile": MEMORY,
}


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


def layer_pace(parts: Iterable[Part], size: int, fitted: Mapping[str, Any]) -> Pace:
    """Least period of each of ``size`` layers by itself, of which ``parts`` are the blocks.

    The slowest of its tiles, its PE array, its requantizer, and the chain from the tiles' sums
    through the adders of the row groups and the pool, or the requantizer's choice of a chunk.
    """
    period, kind = np.zeros(size), np.zeros(size, np.int64)
    beyond, lines = np.zeros((2, size)), []
    for path in layer_paths(parts, size, fitted):
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
    """Least period of a whole accelerator: of its slowest layer, or of its weight generator.

    Of a temporal one, of its core.
    """
    if takes_turns(config):
        return layer_pace(shared_parts(config), 1, fitted)
    layers = layer_pace(layer_parts(config_layers(config)), len(config.layers), fitted)
    shared = {part.kind: part for part in shared_parts(config)}["weight_generator"]
    own, outside, more = _delay(shared, fitted)
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


def _delay(part: Part, fitted: Mapping[str, Any]) -> tuple[Floats, NDArray[np.bool_], list[str]]:
    """Delay of a path, 0 where there is none; where a term is beyond those measured; lines."""
    terms, entry = part.shape.path_terms, fitted[part.kind]
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
    parts: Iterable[Part],
    size: int,
    fitted: Mapping[str, Any],
    blocks: Collection[str] = PATHS,
) -> Iterator[Path]:
    """Every critical path of each layer by itself, of some blocks; those of chains last."""
    behind = np.zeros(size)
    chain: list[Path] = []
    for part in parts:
        if part.kind not in blocks:
            continue
        delay, outside, lines = _delay(part, fitted)
        if isinstance(part.shape, TileShape) and part.kind == TileShape.kind:  # of registers
            kind = np.broadcast_to(tile_kind(part.shape.is_sar), len(part.where))
        else:
            kind = np.full(len(part.where), KIND_OF.get(part.kind, CHAIN))
        path = Path(part.kind, part.where, kind, delay, delay, outside, lines)
        if part.kind == "crossbar_engine":
            chain.append(path)
            continue
        if part.kind == "max_pool":
            # Its carries run along with those of the adders before: they do not add up.
            without = path_ns(part.shape, fitted, without="sum_bits")
            behind[part.where] = np.where(part.count > 0, without, 0.0)
        yield path
    for path in chain:
        yield replace(path, delay_ns=path.alone_ns + behind[path.where])
