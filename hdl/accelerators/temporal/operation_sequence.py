"""Operation after operation of a program, for image after image."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from .core_blocks import CoreBlocks
from .record import WORD

__all__ = ["OperationSequence"]


class OperationSequence:
    """Fetches an operation word by word, and lets the processor work on it.

    Parameters
    ----------
    blocks : CoreBlocks
        Of the core.
    words : int
        Of an operation.

    Attributes
    ----------
    is_free : Signal
        An image may be taken: nothing is computed.
    """

    def __init__(self, blocks: CoreBlocks, words: int) -> None:
        self.blocks = blocks
        self.words = words
        self.is_free = Signal()

    def build(self, m: Module) -> None:
        """Run in ``m``."""
        blocks, words = self.blocks, self.words
        processor, program, sender = blocks.processor, blocks.program, blocks.sender
        number: Any = Signal.like(blocks.reader.operations)
        is_last = number == blocks.reader.operations
        address, left = Signal(program.read_address.shape()), Signal(range(words))
        self._shift(m, address)
        with m.FSM():
            with m.State("IMAGE"):
                m.d.comb += self.is_free.eq(1)
                m.d.sync += [number.eq(0), address.eq(0), left.eq(words - 1)]
                with m.If(blocks.writer.ends):
                    m.next = "FETCH"
            with m.State("FETCH"):  # the image's last digit is written meanwhile
                m.d.comb += program.read_enable.eq(1)
                m.d.sync += [address.eq(address + 1), left.eq(left - 1)]
                with m.If(left == 0):
                    m.d.sync += [number.eq(number + 1), left.eq(words - 1)]
                    m.next = "LAST_WORD"
            with m.State("LAST_WORD"):
                m.next = "START"
            with m.State("START"):
                # The last result has to leave before this one's logits come.
                with m.If(~sender.is_busy | ~is_last):
                    m.d.comb += processor.start.eq(1)
                    m.next = "RUN"
            with m.State("RUN"), m.If(processor.is_done):
                m.next = "FETCH"
                with m.If(is_last):
                    m.d.comb += sender.is_complete.eq(1)
                    m.next = "IMAGE"

    def _shift(self, m: Module, address: Signal) -> None:
        """Shift into the operation what was read of the program."""
        program = self.blocks.program
        operation = Signal(self.words * WORD, reset_less=True)
        has_read = Signal()
        m.d.comb += [
            program.read_address.eq(address),
            Value.cast(self.blocks.processor.operation).eq(operation),
        ]
        m.d.sync += has_read.eq(program.read_enable)
        with m.If(has_read):
            m.d.sync += operation.eq(Cat(operation, program.read_data)[WORD:])
