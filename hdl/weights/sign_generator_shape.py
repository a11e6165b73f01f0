"""Sizes and latency of a sign generator, and of what is below it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, FixedShape, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, bits, choose, range_bits

__all__ = ["SignGeneratorShape", "WeightOrderShape", "Xorshift16Shape", "Xorshift32Shape"]


@dataclass(frozen=True)
class Xorshift32Shape(FixedShape):
    """Three stages of a row's start state, the state, and which stages hold a row."""

    kind = "xorshift32"
    latency = 4
    """Cycles from the one that accepts a layer to the one that offers its first word."""

    @cached_property
    def flops(self) -> Number:
        """Four words, and a bit for each stage."""
        return 131 * self.one

    @cached_property
    def gates(self) -> Number:
        """The start states that are absorbed are loaded too: they have none."""
        return 3 * self.one


@dataclass(frozen=True)
class Xorshift16Shape(BlockShape):
    """A generator for ``windows`` different sizes of windows, of up to ``max_channels``."""

    windows: Number
    max_channels: Number

    kind = "xorshift16"
    parameters = ("windows", "max_channels")
    repeated = frozenset({"max_channels"})
    latency = 2
    """Cycles from the one that accepts a layer to the one that offers its first word."""

    @cached_property
    def flops(self) -> Number:
        """The state."""
        return 16 + 0 * self.windows

    @cached_property
    def gates(self) -> Number:
        """It steps as a whole."""
        return gated(self.flops)

    @cached_property
    def terms(self) -> Terms:
        """A linear map for each window."""
        return {
            "linear_map": 1.0 * self.windows,
            "channel_bit": 1.0 * range_bits(self.max_channels),
            "one": np.ones(np.shape(self.windows)),
        }


@dataclass(frozen=True)
class WeightOrderShape(BlockShape):
    """Counters for layers of up to so many channels, window positions and words in a row.

    ``is_16`` is 1 for the order of ``xorshift16``.
    """

    max_channels: Number
    max_window: Number
    max_blocks: Number
    is_16: Number

    kind = "weight_order"
    parameters = ("max_channels", "max_window", "max_blocks", "is_16")
    repeated = frozenset(parameters)

    @property
    def max_rows(self) -> Number:
        """Rows of weights at most."""
        return self.max_channels * self.max_window

    @cached_property
    def flops(self) -> Number:
        """Channel, position, row and block."""
        sizes = (self.max_channels, self.max_window, self.max_rows, self.max_blocks)
        return sum(range_bits(size) for size in sizes)

    @cached_property
    def terms(self) -> Terms:
        """Counters, and a row that goes back."""
        return {
            "counter_bit": 1.0 * self.flops,
            "row_bit": 1.0 * range_bits(self.max_rows) * self.is_16,
            "one": np.ones(np.shape(self.flops)),
        }


@dataclass(frozen=True)
class SignGeneratorShape(BlockShape):
    """A generator for layers of up to so many channels, window positions and words in a row.

    ``is_16`` is 1 for ``xorshift16``, whose ``windows`` are of so many different sizes.
    """

    max_channels: Number
    max_window: Number
    max_blocks: Number
    is_16: Number
    windows: Number = 1

    kind = "sign_generator"
    parameters = ("max_channels", "max_window", "max_blocks", "is_16")
    repeated = frozenset(parameters)

    @property
    def latency(self) -> Number:
        """Cycles from the one that accepts a job to the one that offers its first word."""
        return choose(self.is_16 == 1, Xorshift16Shape.latency, Xorshift32Shape.latency)

    @property
    def _lanes_16(self) -> Xorshift16Shape:
        return Xorshift16Shape(self.windows, self.max_channels)

    @property
    def _job_bits(self) -> Number:
        """What is kept of a job: of the start states only ``xorshift16`` needs what they share."""
        sizes = (self.max_channels, self.max_window, self.max_blocks)
        return sum(bits(size) for size in sizes) + 16 * self.is_16

    @cached_property
    def flops(self) -> Number:
        """The job, whether there is one, and whether a word is offered."""
        return self._job_bits + 2

    @cached_property
    def gates(self) -> Number:
        """The job is taken as a whole."""
        return gated(self._job_bits)

    @cached_property
    def terms(self) -> Terms:
        """What takes jobs, and the next channel."""
        job = 1.0 * self._job_bits
        return {
            "job_bit": job * (1 - self.gates),
            "channel_bit": 1.0 * range_bits(self.max_channels) * self.is_16,
            "one": np.ones(np.shape(job)),
        }

    def children(self) -> Iterator[Child]:
        """The order of words, and the lanes that make them."""
        order = WeightOrderShape(self.max_channels, self.max_window, self.max_blocks, self.is_16)
        yield Child("order", order)
        yield Child("lanes", Xorshift32Shape(), choose(self.is_16 == 1, 0, 1))
        yield Child("lanes", self._lanes_16, choose(self.is_16 == 1, 1, 0))
