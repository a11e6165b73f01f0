"""Sizes of a PE array and of its elements."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.arithmetic.popcount_shape import PopcountShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.nets import WIRE_FF, buffers, gated
from kakure.hdl.shape.numbers import Number, bits, choose, log2, range_bits

__all__ = ["PeArrayShape", "ProcessingElementShape"]

MUX_SELECT_FF, MUX_DATA_FF, ADDER_FF, CONTROL_FF = 1.92, 0.95, 4.0, 6.0
"""Loads of inputs of an element and of a popcount [fF]."""


@dataclass(frozen=True)
class ProcessingElementShape(BlockShape):
    """An element of ``inputs``, with ``banks`` sums of ``sum_bits``."""

    inputs: Number
    input_bits: Number
    sum_bits: Number
    banks: Number

    kind = "processing_element"
    parameters = ("inputs", "input_bits", "sum_bits", "banks")

    @cached_property
    def flops(self) -> Number:
        """The sums."""
        return self.sum_bits * self.banks

    @cached_property
    def gates(self) -> Number:
        """One for each sum."""
        return self.banks * gated(self.sum_bits)

    @cached_property
    def terms(self) -> Terms:
        """Multiplexers, shifter, adder, and the choice of a bank."""
        width, banks = self.sum_bits, self.banks
        counted = bits(self.inputs)
        levels = range_bits(self.input_bits)
        sums = 1.0 * self.flops
        return {
            "input": 1.0 * self.inputs,
            "count_bit": 1.0 * counted,
            "sum_bit": 1.0 * width,
            "carry": width * np.log2(width),
            "shifted_bit": 1.0 * (counted + 1) * levels,
            "shifted_range": np.minimum(counted + self.input_bits, width) * (levels > 0),
            "bank_choice": 1.0 * width * (banks - 1),
            "bank": np.where(banks > 1, 1.0 * banks, 0.0),
            "held_bit": sums * (1 - gated(width)),
            "one": np.ones(np.shape(sums)),
        }

    def children(self) -> Iterator[Child]:
        """The tree that counts."""
        yield Child("count", PopcountShape(self.inputs, 0))


@dataclass(frozen=True)
class PeArrayShape(BlockShape):
    """``pixels`` x ``outputs`` elements; ``is_hidden`` is 0 for bitwise weights.

    Flip-flops and children are those of both kinds of weights, the terms of hidden ones.
    """

    inputs: Number
    outputs: Number
    pixels: Number
    input_bits: Number
    banks: Number
    sum_bits: Number
    is_hidden: Number = 1

    kind = "pe_array"
    parameters = ("inputs", "outputs", "pixels", "input_bits", "banks")
    repeated = frozenset({"outputs", "pixels"})

    @property
    def block_cycles(self) -> Number:
        """Cycles of a block of inputs: one for each plane."""
        return self.input_bits

    @cached_property
    def flops(self) -> Number:
        """The plane, and whether sums wait."""
        return range_bits(self.input_bits) + 1

    @cached_property
    def terms(self) -> Terms:
        """The choice of a plane, and the drivers of all elements."""
        inputs, outputs, pixels = self.inputs, self.outputs, self.pixels
        planes = range_bits(self.input_bits)
        one = np.ones(np.shape(inputs))
        shared = pixels * (MUX_DATA_FF + WIRE_FF)
        activations = pixels * inputs * buffers(outputs * (MUX_SELECT_FF + WIRE_FF))
        weights = outputs * inputs * (buffers(shared) + buffers(shared + ADDER_FF + WIRE_FF))
        excess = outputs * bits(inputs) * buffers(pixels * (ADDER_FF + WIRE_FF))
        controls = planes + 2 + range_bits(self.banks)
        return {
            "choice": 1.0 * pixels * inputs * (self.input_bits - 1),
            "chosen_bit": 1.0 * pixels * inputs * (planes > 0),
            "unevenness": 1.0 * pixels * inputs * ((1 << planes) - self.input_bits),
            "buffer": activations + weights + excess,
            "control_buffer": controls * buffers(pixels * outputs * (CONTROL_FF + WIRE_FF)),
            "control": controls,
            "one": one,
        }

    @property
    def path_terms(self) -> Terms:
        """From the choice of a plane through the count to the sum."""
        return {
            "one": np.ones(np.shape(self.inputs)),
            "inputs": log2(self.inputs),
            "planes": log2(self.input_bits),
            "sum_bits": log2(self.sum_bits),
            "banks": log2(self.banks),
            "outputs": log2(self.outputs),
            "pixels": log2(self.pixels),
        }

    def children(self) -> Iterator[Child]:
        """The elements, and the count that those of an output, or of a pixel, share."""
        element = ProcessingElementShape(self.inputs, self.input_bits, self.sum_bits, self.banks)
        shared = choose(self.is_hidden == 1, self.outputs, self.pixels)
        yield Child("pe", element, self.pixels * self.outputs)
        yield Child("excess", PopcountShape(self.inputs, 0), shared)
