"""Sizes of the temporal core."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.accelerators.frame_gate_shape import FrameGateShape
from kakure.hdl.bus.stream_register_shape import StreamRegisterShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number, ceil_div, log2, range_bits
from kakure.model.config.accelerators.temporal import TemporalConfig

from .address_shape import record_width
from .image_writer_shape import ImageWriterShape
from .logit_sender_shape import LogitSenderShape
from .memory_shape import ram_shape
from .operation import Sizes
from .processor_shape import TemporalProcessorShape, processor_shape
from .program_reader_shape import ProgramReaderShape
from .record import WORD
from .work_counters_shape import WorkCountersShape

__all__ = ["TemporalCoreShape"]


@dataclass(frozen=True)
class TemporalCoreShape(BlockShape):
    """A core around a processor, for ``operations``, and ``logits`` words of them."""

    processor: TemporalProcessorShape
    operations: Number
    logits: Number

    kind = "temporal_core"
    parameters = ("operations", "address_bits")
    repeated = frozenset(parameters)

    @classmethod
    def of(cls, array: TemporalConfig, sizes: Sizes) -> "TemporalCoreShape":
        """The core of an array that holds so much."""
        return cls(processor_shape(array, sizes), sizes.operations, sizes.logits)

    @property
    def address_bits(self) -> Number:
        """Width of an address of activations."""
        return self.processor.summer.address_bits

    @property
    def words(self) -> Number:
        """Words of an operation."""
        width = record_width(self.address_bits, self.processor.array.pace)
        return ceil_div(width, WORD)

    @property
    def _counters(self) -> Number:
        """Of operations, their words in the memory, and the words left."""
        address = range_bits(self.operations * self.words)
        return range_bits(self.operations + 1) + address + range_bits(self.words)

    @cached_property
    def flops(self) -> Number:
        """The operation in work, its number, where its words lie, states, whether it was reset."""
        return WORD * self.words + self._counters + 5

    @cached_property
    def gates(self) -> Number:
        """One for the operation."""
        return 1 + 0 * self.words

    @cached_property
    def free_flops(self) -> Number:
        """States and counters."""
        return self._counters + 5

    @cached_property
    def terms(self) -> Terms:
        """Drivers of the operation's fields, and counters."""
        words = 1.0 * self.words
        return {
            "word": words,
            "counter_bit": 1.0 * self._counters,
            "one": np.ones(np.shape(words)),
        }

    @property
    def reader(self) -> ProgramReaderShape:
        """What loads programs."""
        maker = self.processor.maker
        return ProgramReaderShape(
            self.operations,
            self.words,
            maker.many * maker.outputs,
            maker.outputs,
            maker.mask_words,
            self.processor.finisher.depth,
            self.address_bits,
        )

    @property
    def path_terms(self) -> Terms:
        """The critical path lies in the processor: addresses, banks, weights and lanes."""
        array = self.processor.array
        return {
            "one": np.ones(np.shape(self.words)),
            "address_bits": 1.0 * self.address_bits,
            "banks": log2(self.processor.banks),
            "inputs": log2(array.inputs),
            "outputs": log2(array.outputs),
            "mask_bits": 1.0 * self.processor.maker.mask_bits,
        }

    def children(self) -> Iterator[Child]:
        """What loads, what computes, and what sends."""
        array, summer = self.processor.array, self.processor.summer
        yield Child("gate", FrameGateShape.told())
        yield Child("front", StreamRegisterShape())
        yield Child("reader", self.reader)
        yield Child("writer", ImageWriterShape(summer.word, summer.banks, summer.rows))
        yield Child("processor", self.processor)
        yield Child("sender", LogitSenderShape(array.outputs, self.logits))
        yield Child("program", ram_shape(self.operations * self.words, WORD + 0 * self.words))
        yield Child("work", WorkCountersShape(array.lanes))
