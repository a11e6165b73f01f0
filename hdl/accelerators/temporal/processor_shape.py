"""Sizes of the temporal accelerator's processor: the array, what feeds it, and its memories."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number, at_least, range_bits
from kakure.model.config.accelerators.temporal import TemporalConfig

from .array_shape import TemporalArrayShape
from .block_maker_shape import BlockMakerShape
from .finisher_shape import FinisherShape
from .memory_shape import deep_enough, ram_shape
from .operation import Sizes
from .program import DIGIT
from .summer_shape import SummerShape
from .target import most_pace
from .widths import SUM_BITS
from .window_reader_shape import WindowReaderShape

__all__ = ["MEMORIES", "TemporalProcessorShape", "processor_shape"]

MEMORIES = 2
"""Of activations: one is read, one is written."""


def processor_shape(array: TemporalConfig, sizes: Sizes) -> "TemporalProcessorShape":
    """The processor of an array that holds so much."""
    inputs, outputs, pixels, batches = array.inputs, array.outputs, array.pixels, array.batches
    word, many, banks, rows = array.word, array.many, array.slots, sizes.rows
    pace = most_pace(array)
    return TemporalProcessorShape(
        TemporalArrayShape(inputs, outputs, pixels, batches, many, pace, SUM_BITS),
        BlockMakerShape(inputs, outputs, word, many, rows, sizes.mask_words),
        WindowReaderShape(inputs, pixels, batches, word, rows),
        FinisherShape(outputs, word, banks, rows, SUM_BITS, sizes.scales),
        SummerShape(word, banks, rows),
    )


@dataclass(frozen=True)
class TemporalProcessorShape(BlockShape):
    """The array, what makes its weights, reads its windows and finishes its sums; memories."""

    array: TemporalArrayShape
    maker: BlockMakerShape
    reader: WindowReaderShape
    finisher: FinisherShape
    summer: SummerShape

    kind = "temporal_processor"
    parameters = ("inputs", "banks")
    repeated = frozenset({"inputs"})

    @property
    def inputs(self) -> Number:
        """Of the array."""
        return self.array.inputs

    @property
    def banks(self) -> Number:
        """Of each memory of activations."""
        return self.summer.banks

    @cached_property
    def flops(self) -> Number:
        """Whether a layer runs, and what the array waits for."""
        return 4 + 0 * self.banks

    @cached_property
    def terms(self) -> Terms:
        """Who reads and writes each bank, and what was read."""
        row_bits = range_bits(at_least(self.summer.rows, 2))
        banks = 1.0 * MEMORIES * self.banks
        return {
            "bank": banks,
            "row_bit": banks * row_bits,
            "word_bit": 1.0 * MEMORIES * self.inputs * DIGIT,
            "one": np.ones(np.shape(banks)),
        }

    def children(self) -> Iterator[Child]:
        """Blocks and memories."""
        yield Child("array", self.array)
        yield Child("maker", self.maker)
        yield Child("reader", self.reader)
        yield Child("finisher", self.finisher)
        yield Child("summer", self.summer)
        yield Child("masks", ram_shape(self.maker.mask_words, self.maker.many * self.maker.outputs))
        memory = ram_shape(deep_enough(self.summer.rows), self.summer.word * DIGIT)
        yield Child("memory", memory, MEMORIES * self.banks)
