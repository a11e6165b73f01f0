"""Sizes of the temporal accelerator's array."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import GATE_FF, WIRE_FF, buffers, gated
from kakure.hdl.shape.numbers import Number, at_least, range_bits

from .excess_counter_shape import ExcessCounterShape
from .horner_element_shape import HornerElementShape
from .memory_shape import ram_shape
from .program import DIGIT

__all__ = ["TemporalArrayShape"]


@dataclass(frozen=True)
class TemporalArrayShape(BlockShape):
    """An array of elements; ``pace`` is the most cycles for a position that is sent."""

    inputs: Number
    outputs: Number
    pixels: Number
    batches: Number
    many: Number
    pace: Number
    sum_bits: Number

    kind = "temporal_array"
    parameters = ("inputs", "outputs", "pixels", "batches", "many")
    repeated = frozenset({"outputs", "pixels", "batches"})

    @property
    def lanes(self) -> Number:
        """Products of a cycle."""
        return self.inputs * self.outputs * self.pixels

    @property
    def _batch_bits(self) -> Number:
        return range_bits(at_least(self.batches, 2))

    @property
    def _made_bits(self) -> Number:
        return range_bits(self.inputs * self.outputs + 1)

    @property
    def _group_flops(self) -> Number:
        """Weights of both polarities that come in a cycle."""
        return 2 * self.many * self.outputs

    @property
    def _weights(self) -> Number:
        return self.inputs * self.outputs

    @cached_property
    def flops(self) -> Number:
        """Weights of both sets and polarities, a step's activations, and what the step is.

        A step's plane 2, whether it adds, is in its first cycle, begins or drains sums, and its
        digit, twice where it is needed until its sums are written; how many weights and lanes there
        are; the cycles left, and where the draining is.
        """
        left = range_bits(at_least(self.pace * self.pixels, DIGIT))
        counts = self._made_bits + range_bits(self.lanes + 1)
        drains = 1 + range_bits(self.pace + 1) + range_bits(self.pixels)
        tags = 2 * self._batch_bits + 10
        return 4 * self._weights + DIGIT * self.inputs * self.pixels + tags + left + counts + drains

    @cached_property
    def gates(self) -> Number:
        """One for each group of weights that come, one for those in use, the activations, a step.

        And one for what is kept of the step until its sums are written.
        """
        groups = self.inputs // self.many
        steps = gated(3 + self._batch_bits) + gated(2 + self._batch_bits)
        return groups * gated(self._group_flops) + 2 + steps

    @cached_property
    def free_flops(self) -> Number:
        """Those that every cycle clocks: counters and tags."""
        step = gated(3 + self._batch_bits) * (3 + self._batch_bits)
        kept = gated(2 + self._batch_bits) * (2 + self._batch_bits)
        weights = 2 * self._weights * (1 + gated(self._group_flops))
        counts = self._made_bits + range_bits(self.lanes + 1)
        return self.flops - weights - DIGIT * self.inputs * self.pixels - step - kept - counts

    @cached_property
    def terms(self) -> Terms:
        """A plane's choice, the sums' adders, what drains, and drivers of weights and planes."""
        sums = 1.0 * self.outputs * self.pixels
        planes = 1.0 * self.inputs * self.pixels
        groups = 1.0 * self.inputs // self.many
        weight = buffers((2 * GATE_FF + WIRE_FF) * self.pixels)
        plane = buffers((2 * GATE_FF + WIRE_FF) * self.outputs)
        return {
            "plane_bit": planes,
            "sum": sums,
            "sent_bit": self.sum_bits * self.outputs * np.where(self.pixels > 1, self.pixels, 0.0),
            "group": groups,
            "held_weight": 2.0 * self._weights * (1 - gated(self._group_flops)),
            "product_bit": 1.0 * self._made_bits * range_bits(self.pixels + 1),
            "weight_buffer": 2.0 * self._weights * weight,
            "plane_buffer": planes * plane,
            "tag_bit": 1.0 * self._batch_bits,
            "one": np.ones(np.shape(sums)),
        }

    def children(self) -> Iterator[Child]:
        """Elements, counts of negative weights, and the memory of sums."""
        sums = self.outputs * self.pixels
        yield Child("excess", ExcessCounterShape(self.inputs, self.many), self.outputs)
        yield Child("element", HornerElementShape(self.inputs), sums)
        yield Child("sums", ram_shape(self.batches, self.sum_bits * sums))
