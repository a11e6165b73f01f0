"""Sizes of a requantizer and of its lanes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import REGISTER_FF, WIRE_FF, buffers, driven, gated, ram_load
from kakure.hdl.shape.numbers import (
    Number,
    at_least,
    at_most,
    ceil_div,
    choose,
    log2,
    range_bits,
    whole,
)

__all__ = [
    "MULTIPLIER_BITS",
    "OFFSET_BITS",
    "SHIFT_BITS",
    "RequantizerLaneShape",
    "RequantizerShape",
    "least_lanes",
]

MULTIPLIER_BITS = 16
OFFSET_BITS = 32
SHIFT_BITS = 5


def least_lanes(outputs: Number, cycles: Any) -> Number:
    """Least multipliers, a power of two, that finish ``outputs`` channels in ``cycles``.

    The requantizer reads a result in place: what gives it stands still for all of its cycles but
    the first. There is at least one multiplier, and none without a channel.
    """
    budget = at_least(whole(cycles), 1)
    return at_most(1 << range_bits(ceil_div(outputs, budget)), outputs)


@dataclass(frozen=True)
class RequantizerLaneShape(BlockShape):
    """A multiplier that serves ``chunks`` channels in turn; ``output_bits`` is 0 for logits.

    A channel has ``sets`` scales, of which one at a time is used.
    """

    chunks: Number
    sum_bits: Number
    output_bits: Number
    shortcut_bits: Number
    sets: Number = 1

    kind = "requantizer_lane"
    parameters = ("chunks", "sum_bits", "output_bits", "shortcut_bits")
    repeated = frozenset({"chunks", "shortcut_bits"})

    @property
    def scale_bits(self) -> Number:
        """Bits of the scale that is kept for a channel: M, B, and S but for logits."""
        return MULTIPLIER_BITS + OFFSET_BITS + choose(self.output_bits > 0, SHIFT_BITS, 0)

    @property
    def product_bits(self) -> Number:
        """Bits of the product of a sum and M; of a logit's those that count."""
        width = self.sum_bits + MULTIPLIER_BITS - 1
        return choose(self.output_bits > 0, width, at_most(width, OFFSET_BITS))

    @property
    def entries(self) -> Number:
        """Scales that are kept."""
        return self.chunks * self.sets

    @property
    def _taken(self) -> Number:
        return self.sum_bits + self.shortcut_bits

    @cached_property
    def flops(self) -> Number:
        """The sum and the product, each with what a shortcut adds, and the scale in use.

        M of several channels is read as the sum is taken: it is in the memory's register.
        """
        scale = self.scale_bits - choose(self.entries == 1, 0, MULTIPLIER_BITS)
        return self._taken + self.product_bits + self.shortcut_bits + scale

    @cached_property
    def gates(self) -> Number:
        """One for what is selected and one for the product; one for a lone scale."""
        return 1.0 + gated(self._taken) + choose(self.entries == 1, 1, 0)

    @cached_property
    def terms(self) -> Terms:
        """Multiplier, shifter, clamp, and the drivers of the memory."""
        is_logit = self.output_bits == 0
        one = np.ones(np.shape(self.sum_bits))
        wide = at_least(self.product_bits - OFFSET_BITS, 0)
        load = np.where(self.entries > 1, ram_load(self.entries), 0)
        return {
            "held_bit": self._taken * (1 - gated(self._taken)),
            "multiplier_bit": 1.0 * self.sum_bits,
            "multiplier": one * (self.sum_bits > 3),  # a smaller one is a few gates
            "shifter": np.where(is_logit, 0.0, 1.0),
            "wide_bit": np.where(is_logit, 0.0, wide),
            "output_bit": np.where(is_logit, 0.0, 1.0 * self.output_bits),
            "added_bit": 1.0 * self.shortcut_bits,
            "cut_bit": np.where(self.shortcut_bits > 0, 1.0 * self.output_bits, 0.0),
            "scale_buffer": self.scale_bits * buffers(load),
            "one": one,
        }

    def children(self) -> Iterator[Child]:
        """The scales of several channels."""
        table = RamShape(self.entries, self.scale_bits)
        yield Child("table", table, choose(self.entries > 1, 1, 0))


@dataclass(frozen=True)
class RequantizerShape(BlockShape):
    """``lanes`` multipliers for ``channels``; ``output_bits`` is 0 for logits.

    A channel has ``sets`` scales, of which one at a time is used.
    """

    channels: Number
    lanes: Number
    sum_bits: Number
    output_bits: Number
    shortcut_bits: Number
    sets: Number = 1

    kind = "requantizer"
    parameters = ("channels", "lanes", "sum_bits", "output_bits", "shortcut_bits")
    repeated = frozenset({"channels", "lanes", "shortcut_bits"})

    @property
    def chunks(self) -> Number:
        """Cycles for a vector: channels that share a lane."""
        return ceil_div(self.channels, self.lanes)

    @property
    def lane(self) -> RequantizerLaneShape:
        """Each lane."""
        return RequantizerLaneShape(
            self.chunks, self.sum_bits, self.output_bits, self.shortcut_bits, self.sets
        )

    @property
    def result_bits(self) -> Number:
        """Bits of one result."""
        return choose(self.output_bits > 0, self.output_bits, OFFSET_BITS)

    @property
    def held_bits(self) -> Number:
        """Bits of all results, those of channels past the last one too."""
        return self.chunks * self.lanes * self.result_bits

    @cached_property
    def flops(self) -> Number:
        """The results, the chunk, and five bits that follow a vector through the pipeline."""
        return self.held_bits + range_bits(self.chunks) + 5

    @cached_property
    def gates(self) -> Number:
        """All results shift together."""
        return gated(self.held_bits)

    @cached_property
    def terms(self) -> Terms:
        """The choice of a chunk, and the drivers of the scales."""
        is_serial = self.chunks > 1
        taken = self.sum_bits + self.shortcut_bits
        outputs = 1.0 * self.held_bits
        load = np.where(is_serial, driven(ram_load(self.chunks)), REGISTER_FF)
        many = buffers(self.lanes * (load + WIRE_FF))
        return {
            "chosen_bit": np.where(is_serial, 1.0 * self.channels * taken, 0.0),
            "choice_bit": np.where(is_serial, 1.0 * self.lanes * taken, 0.0),
            "chunk": np.where(is_serial, 1.0 * self.chunks, 0.0),
            "lane": 1.0 * self.lanes,
            "scale_buffer": self.lane.scale_bits * many,
            "held_bit": outputs * (1 - self.gates),
            "one": np.ones(np.shape(outputs)),
        }

    @property
    def path_terms(self) -> Terms:
        """The choice of a chunk, and the multiplier."""
        chosen = log2(self.lanes * self.sum_bits)
        return {
            "one": np.ones(np.shape(self.chunks)),
            "shifts": 1.0 * (self.output_bits > 0),
            "chunks": log2(self.chunks),
            "sum_bits": log2(self.sum_bits),
            "choice_sinks": chosen * (self.chunks > 1),
            "shortcut": 1.0 * (self.shortcut_bits > 0),
        }

    def children(self) -> Iterator[Child]:
        """The lanes."""
        yield Child("lane", self.lane, self.lanes)
