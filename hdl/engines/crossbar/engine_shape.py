"""Sizes of a layer's crossbar engine: its grid, and how often it is there."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, choose, log2, range_bits, signed_bits
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer

from .grid_shape import CrossbarGridShape

__all__ = ["CrossbarEngineShape", "has_memory"]


def has_memory(config: Config, index: int) -> bool:
    """Whether the cells of a layer on a crossbar are memories."""
    return bool(CrossbarEngineShape.of(config, index).grid.has_memory)


@dataclass(frozen=True)
class CrossbarEngineShape(BlockShape):
    """``copies`` of a grid."""

    copies: Number
    grid: CrossbarGridShape

    kind = "crossbar_engine"
    parameters = ("copies", "fan_in", "input_bits", "outputs", "total_bits")
    repeated = frozenset({"fan_in", "outputs", "copies"})

    @classmethod
    def of(cls, config: Config, index: int) -> "CrossbarEngineShape":
        """The engine of a layer on a crossbar."""
        geometry, layer = config.geometry[index], CrossbarLayer.of(config, index)
        grid = CrossbarGridShape(
            fan_in=geometry.fan_in,
            outputs=geometry.outputs,
            rows=config.crossbar.rows,
            columns=config.crossbar.columns,
            sharing=layer.column_sharing,
            is_sar=int(layer.adc_type == "sar"),
            adc_bits=layer.adc_bits,
            adc_shift=layer.adc_shift,
            input_bits=layer.input_bits,
            in_memory=int(config.crossbar.cells == "memory"),
        )
        return cls(layer.copies, grid)

    @property
    def fan_in(self) -> Number:
        """Inputs of a window."""
        return self.grid.fan_in

    @property
    def input_bits(self) -> Number:
        """Bits of an input."""
        return self.grid.input_bits

    @property
    def outputs(self) -> Number:
        """Outputs of the layer."""
        return self.grid.outputs

    @property
    def total_bits(self) -> Number:
        """Bits of a sum over all row groups."""
        return signed_bits(self.grid.peak)

    @property
    def held_windows(self) -> Number:
        """Windows that are in the engine at most: in registers, and results not taken."""
        return choose(self.copies == 1, 1, 2 * self.copies)

    @property
    def _window_bits(self) -> Number:
        return self.fan_in * self.input_bits

    @cached_property
    def flops(self) -> Number:
        """A window in each of several copies, whether it is there, and whose turn it is."""
        each = self.copies * (self._window_bits + 1)
        return choose(self.copies > 1, each + 2 * range_bits(self.copies), 0)

    @cached_property
    def gates(self) -> Number:
        """One for each window."""
        return choose(self.copies > 1, self.copies * gated(self._window_bits), 0)

    @cached_property
    def terms(self) -> Terms:
        """The choice of a result."""
        copies = self.copies
        is_many = copies > 1
        window, sums = 1.0 * self._window_bits, 1.0 * self.outputs * self.total_bits
        return {
            "copy": np.where(is_many, copies, 0.0),
            "gathered": np.where(is_many, copies * sums, 0.0),
            "sum_bit": np.where(is_many, sums, 0.0),
            "held": np.where(is_many, copies * window * (1 - gated(window)), 0.0),
            "window": np.where(is_many, window, 0.0),
        }

    @property
    def path_terms(self) -> Terms:
        """From the tiles' sums to the result: the adders between, and the choice of a copy."""
        groups = self.grid.groups
        return {
            "one": np.ones(np.shape(groups)),
            "groups": log2(groups),
            "sum_bits": log2(self.grid.sum_bits) * (groups > 1),
            "copies": log2(self.copies),
        }

    def children(self) -> Iterator[Child]:
        """The grids."""
        yield Child("grid", self.grid, self.copies)
