"""What reads the windows of a layer, and tells the array what to do with them."""

from typing import Any, ClassVar

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .address import address_layout
from .array import step_layout
from .bank_port import BankPort
from .block_layout import slot_layout
from .positions import positions_layout
from .program import DIGIT
from .window_reader_shape import WindowReaderShape
from .window_steps import WindowSteps
from .window_walk import WindowWalk
from .window_words import WindowWords

__all__ = ["WindowReader"]


class WindowReader(wiring.Component):
    """All windows of a layer, a block at a time, as steps of the array.

    For each ``outputs`` channels, and each pass over as many positions as the array has sums for,
    block by block: batch by batch of positions, digit by digit, a position per cycle. The first
    block of a pass drains the sums of the one before; where those are more, or there is no next
    pass, or the layer ``drains_apart``, steps that only drain follow.

    Parameters
    ----------
    inputs, pixels, batches : int
        Of the array.
    word : int
        Inputs of a slot.
    rows : int
        Of a bank of activations.
    planes : int
        Planes of bitwise weights, for each of which all blocks are gone through; else 0.

    Members
    -------
    layer : ``In(positions_layout(...))``
        Stays while it is worked on.
    start : ``In(1)``
        Begin a layer.
    used : ``In``, with planes
        Planes in use, 1 to all; stays as ``layer``.
    slots, has_slots, takes_slots
        As those of :class:`~kakure.hdl.accelerators.temporal.block_maker.BlockMaker`.
    enable, row : ``Out(banks)``, ``Out(array of rows)``
        What is read of each bank of the memory, at the end of the cycle.
    read : ``In(array of words)``
        What was read last.
    is_draining : ``In(1)``
        As that of the array.
    is_busy : ``Out(1)``
        Steps will come.
    o : ``Out(stream.Signature(step_layout(...)))``
        Steps.

    Timing
    ------
    A position per cycle, so a step every ``pixels`` cycles; the next block follows without a pause
    if its slots are there.
    """

    unnamed: ClassVar = {"planes": 0}

    layer: Any
    start: Signal
    used: Signal
    slots: Any
    has_slots: Signal
    takes_slots: Signal
    enable: Signal
    row: Any
    read: Any
    is_draining: Signal
    is_busy: Signal
    o: stream.Interface

    def __init__(
        self, *, inputs: int, pixels: int, batches: int, word: int, rows: int, planes: int = 0
    ) -> None:
        self.planes = planes
        self.inputs = inputs
        self.pixels = pixels
        self.batches = batches
        self.word = word
        self.rows = rows
        self.banks = banks = inputs // word
        self.shape = WindowReaderShape(inputs, pixels, batches, word, rows)
        step = step_layout(inputs=inputs, pixels=pixels, batches=batches, planes=planes)
        super().__init__({
            "layer": In(positions_layout(rows, banks, planes)),
            "start": In(1),
            **({"used": In(range(planes + 1))} if planes else {}),
            "slots": In(data.ArrayLayout(slot_layout(rows, banks), banks)),
            "has_slots": In(1),
            "takes_slots": Out(1),
            "enable": Out(banks),
            "row": Out(data.ArrayLayout(range(max(rows, 2)), banks)),
            "read": In(data.ArrayLayout(word * DIGIT, banks)),
            "is_draining": In(1),
            "is_busy": Out(1),
            "o": Out(stream.Signature(step)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        layer, banks = self.layer, self.banks
        walk = WindowWalk(
            layer=layer,
            used=self.used if self.planes else None,
            pixels=self.pixels,
            batches=self.batches,
            planes=self.planes,
            address=address_layout(self.rows, banks),
        )
        slots = [
            Signal(slot_layout(self.rows, banks), name=f"slot_{n}", reset_less=True)
            for n in range(banks)
        ]
        port = BankPort(self.enable, self.row, self.read)
        words = WindowWords(layer=layer, port=port, word=self.word)
        walk.build(m, banks)
        words.ask(m, now=walk.now, slots=slots, digit=walk.digit, goes=walk.reads & walk.advance)
        WindowSteps(layer=layer, walk=walk, words=words).build(m, self.o)
        m.d.comb += walk.following.eq(walk.batch + 1)
        self._run(m, walk, slots)
        return m

    def _run(self, m: Module, walk: WindowWalk, slots: list[Any]) -> None:
        """Go through blocks and passes: read what has to be computed, drain what is left over."""

        def take_slots() -> None:
            m.d.comb += self.takes_slots.eq(1)
            m.d.sync += [
                Value.cast(slot).eq(Value.cast(self.slots[n])) for n, slot in enumerate(slots)
            ]
            m.next = "READ"

        def end_block(goes_on: Value | None = None) -> None:
            """To the next block: at once in a cycle of ``goes_on``."""
            with m.If(walk.is_last_block):
                m.next = "END"
            with m.Else():
                walk.next_block(m)
                m.next = "SLOTS"
                if goes_on is not None:
                    with m.If(goes_on):
                        take_slots()

        with m.FSM() as states:
            m.d.comb += self.is_busy.eq(~states.ongoing("IDLE"))
            with m.State("IDLE"), m.If(self.start):
                walk.clear(m)
                m.next = "SLOTS"
            with m.State("SLOTS"), m.If(self.has_slots):
                take_slots()
            with m.State("READ"), walk.read(m):
                with m.If(walk.is_first_block & (walk.drained > walk.following)):
                    m.next = "REST"
                with m.Else():
                    m.d.sync += walk.batch.eq(0)
                    end_block(goes_on=self.has_slots)
            with m.State("REST"), walk.drain(m):  # what the pass before had more
                end_block()
            with m.State("END"):
                walk.end_pass(m)
                with m.If(walk.is_end | self.layer.drains_apart):
                    m.next = "DRAIN"
                with m.Else():
                    walk.next_pass(m)
                    m.next = "SLOTS"
            with m.State("DRAIN"), walk.drain(m):
                m.d.sync += walk.drained.eq(0)
                m.next = "WAIT"
                with m.If(walk.is_end):
                    m.next = "IDLE"
            with m.State("WAIT"), m.If(~walk.is_held & ~self.is_draining):
                walk.next_pass(m)
                m.next = "SLOTS"
