"""Sizes of a readout: how long it converts, how many rows it counts at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.arithmetic.popcount_shape import PopcountShape, count_bits
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import gated
from kakure.hdl.shape.numbers import Number, at_most, ceil_div, choose

__all__ = ["ReadoutShape", "code_peak"]


def code_peak(rows: Number, adc_bits: Number, adc_shift: Number) -> Number:
    """As :func:`kakure.model.config.geometry.code_peak`, of numbers or arrays."""
    half = (1 << adc_shift) >> 1
    return at_most((rows + half) >> adc_shift, (1 << adc_bits) - 1) << adc_shift


@dataclass(frozen=True)
class ReadoutShape(BlockShape):
    """A readout of ``rows`` cells; ``is_sar`` is 1 for sar, 0 for flash."""

    rows: Number
    is_sar: Number
    adc_bits: Number
    adc_shift: Number

    kind = "readout"
    parameters = ("rows", "is_sar", "adc_bits", "adc_shift")

    @cached_property
    def cycles(self) -> Number:
        """Cycles of a conversion: 1 for flash, ``adc_bits`` for sar."""
        return choose(self.is_sar > 0, self.adc_bits, 1)

    @cached_property
    def lanes(self) -> Number:
        """Rows that are counted in one cycle."""
        return ceil_div(self.rows, self.cycles)

    @property
    def peak(self) -> Number:
        """Largest value of a code, worth ``code << adc_shift``."""
        return code_peak(self.rows, self.adc_bits, self.adc_shift)

    @property
    def cap_bits(self) -> Number:
        """Bits at which the count saturates."""
        return self.adc_bits + self.adc_shift

    @cached_property
    def sum_bits(self) -> Number:
        """Bits of the count over all cycles of a conversion."""
        return count_bits(self.rows, self.cap_bits)

    @cached_property
    def flops(self) -> Number:
        """The count so far, where a conversion takes several cycles."""
        return choose(self.cycles > 1, self.sum_bits, 0)

    @cached_property
    def gates(self) -> Number:
        """The count has one enable."""
        return gated(self.flops)

    @cached_property
    def terms(self) -> Terms:
        """The adder of a serial count, and the rounding."""
        serial = 1.0 * self.flops
        counted = count_bits(self.lanes, self.cap_bits)
        is_serial, has_shift = self.cycles > 1, self.adc_shift > 0
        width = np.where(is_serial, self.sum_bits, counted)
        return {
            "sum_bit": serial,
            "adder": np.where(is_serial, counted, 0.0),
            "enable": serial * (1 - self.gates),
            "rounding": np.where(has_shift, width, 0.0),
            "code_bit": np.where(has_shift, self.adc_bits, 0.0),
        }

    def children(self) -> Iterator[Child]:
        """The tree that counts."""
        yield Child("popcount", PopcountShape(self.lanes, self.cap_bits))
