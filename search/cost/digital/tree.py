"""The instance tree of accelerators in closed form: all blocks below one shape, with their counts.

Which blocks there are, and how large, the shapes beside the hardware say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.accelerators.accelerator_shape import AcceleratorShape
from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.shape.block_shape import BlockShape, Child
from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.search.cost.metrics import ADC_TYPES, ENGINES, LayerBatch

__all__ = [
    "Part",
    "all_parts",
    "config_layers",
    "layer_parts",
    "layer_shape",
    "parts_below",
    "role_of",
    "shared_parts",
    "takes_turns",
]

Ints = NDArray[Any]

RAM_ROLES = {
    "cells": "ram_cells",
    "inputs": "ram_store",
    "mask": "ram_mask",
    "buffer": "ram_lines",
    "partial": "ram_partial",
    "queue": "ram_shortcut",
    "table": "ram_scales",
    "memory": "ram_activations",
    "logits": "ram_logits",
    "masks": "ram_masks",
    "planes": "ram_planes",
    "sums": "ram_sums",
    "program": "ram_program",
}
"""What a memory is for, by the name of its instance."""

ALIKE = {"strided_window": "sliding_window", "crossbar_column": "crossbar_grid"}
"""Kinds that work as another does, to whose role they belong."""

ORDER = (
    "crossbar_tile",
    "memory_tile",
    "ram_cells",
    "readout",
    "popcount",
    "crossbar_grid",
    "crossbar_engine",
    "pe_engine",
    "pe_array",
    "processing_element",
    "pe_popcount",
    "ram_store",
    "ram_mask",
    "pe_sign_generator",
    "pe_weight_order",
    "pe_xorshift32",
    "pe_xorshift16",
    "sum_pool",
    "sliding_window",
    "ram_lines",
    "max_pool",
    "ram_partial",
    "shortcut",
    "ram_shortcut",
    "requantizer",
    "requantizer_lane",
    "ram_scales",
    "layer",
    "accelerator",
    "register_bank",
    "counters",
    "spatial_core",
    "stream_register",
    "frame_gate",
    "pixel_unpacker",
    "result_sender",
    "weight_generator",
    "image_reader",
    "crc32",
    "masked_signs",
    "mask_decoder",
    "bit_reader",
    "sign_generator",
    "weight_order",
    "xorshift32",
    "xorshift16",
)
"""Roles in the order in which areas are added up: so sums always round alike. Others come last."""


def role_of(kind: str, name: str, above: tuple[str, ...]) -> str:
    """What a block is there for: its kind, but where the same kind works differently.

    Memories are told apart by the name of the instance, and ``pe_`` stands before what a PE engine
    shares with others; of a temporal accelerator, popcounts and scales work differently. ``above``
    are the kinds of the blocks around it.
    """
    if name == "table" and "scale_lane" in above:
        return "ram_lane_scales"
    if kind == "ram":
        return RAM_ROLES[name]
    if kind == "popcount" and "temporal_array" in above:
        return "array_popcount"
    if "pe_engine" in above and not kind.startswith(("pe_", "processing")):
        return f"pe_{kind}"
    return ALIKE.get(kind, kind)


@dataclass(frozen=True)
class Part:
    """Blocks of one role: for each layer of ``where``, ``count`` of them of some ``shape``."""

    role: str
    shape: BlockShape
    count: Ints
    where: Ints

    @property
    def kind(self) -> str:
        """The kind of block."""
        return self.shape.kind

    @property
    def parameters(self) -> Mapping[str, Ints]:
        """What decides what is in the blocks, an array for each parameter."""
        names, size = self.shape.parameters, len(self.where)
        return {name: np.broadcast_to(getattr(self.shape, name), size) for name in names}


def layer_shape(batch: LayerBatch, generator: str) -> LayerShape:
    """The shape of all layers of a batch."""
    names = (field.name for field in fields(LayerShape))
    values = {name: getattr(batch, name) for name in names if hasattr(batch, name)}
    values |= {name: getattr(batch, name) for name in ("engine", "adc_type")}
    engine, adc_type = values.pop("engine"), values.pop("adc_type")
    return LayerShape(
        is_crossbar=(engine == ENGINES.index("crossbar")).astype(np.int64),
        is_sar=(adc_type == ADC_TYPES.index("sar")).astype(np.int64),
        is_16=int(generator == "xorshift16"),
        **values,
    )


def config_layers(config: Config) -> LayerShape:
    """The shape of all layers of a configuration with hidden weights."""
    assert isinstance(config.weights, HiddenWeights)
    return layer_shape(LayerBatch.of(config), config.weights.generator)


def layer_parts(layers: LayerShape) -> list[Part]:
    """All blocks of each layer: the tree below :class:`.Layer`, itself included."""
    return parts_below(layers, len(layers))


def takes_turns(config: Config) -> bool:
    """Whether the layers take turns on one array, and no block is a layer's alone."""
    return isinstance(config.accelerator, TemporalConfig)


def all_parts(config: Config) -> list[Part]:
    """All blocks of an accelerator."""
    layers = [] if takes_turns(config) else layer_parts(config_layers(config))
    return [*shared_parts(config), *layers]


def shared_parts(config: Config) -> list[Part]:
    """What an accelerator has once: all but a spatial one's layers."""
    architecture = architecture_of(config)
    core = architecture.shape(has_layers=False)
    return parts_below(AcceleratorShape(core, len(architecture.own_registers)))


@dataclass
class _Node:
    """Equal blocks at one depth of the tree."""

    child: Child
    above: tuple[str, ...]
    count: Ints
    where: Ints

    @property
    def role(self) -> str:
        return role_of(self.child.shape.kind, self.child.name, self.above)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal keys: the same role, of the very same sizes, in the same layers."""
        return (self.role, id(self.where), *_identities(self.child.shape))

    def children(self) -> Iterator["_Node"]:
        for child in self.child.shape.children():
            where, count = self.where, self.count
            if child.where is not None:
                where, count = where[child.where], count[child.where]
            if not isinstance(child.count, int) or child.count:
                count = count * child.count
                yield _Node(child, (*self.above, self.child.shape.kind), count, where)


def _identities(shape: BlockShape) -> Iterator[Any]:
    yield type(shape)
    for field in fields(shape):
        value = getattr(shape, field.name)
        if isinstance(value, BlockShape):
            yield from _identities(value)
        else:
            yield id(value) if isinstance(value, np.ndarray) else value


def parts_below(shape: BlockShape, size: int = 1) -> list[Part]:
    """All blocks of a shape, itself included, for each of ``size`` places of its arrays."""
    level = [_Node(Child("", shape), (), np.ones(size, np.int64), np.arange(size))]
    found: list[_Node] = []
    while level:
        level = _merged(level)
        found += level
        level = [below for node in level for below in node.children()]
    places = {role: place for place, role in enumerate(ORDER)}
    found = sorted(_merged(found), key=lambda node: places.get(node.role, len(places)))
    return [Part(node.role, node.child.shape, node.count, node.where) for node in found]


def _merged(nodes: list[_Node]) -> list[_Node]:
    """The nodes, equal ones counted together."""
    found: dict[tuple[Any, ...], _Node] = {}
    for node in nodes:
        first = found.setdefault(node.key, node)
        if first is not node:
            first.count = first.count + node.count
    return list(found.values())
