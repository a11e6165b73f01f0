"""FIFO whose writer may take back what it wrote, and whose reader may read again what it read."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram

__all__ = ["RewindableFifo"]


class RewindableFifo(wiring.Component):
    """A ring of words with four marks: written, shown to the reader, read, and given up for good.

    Parameters
    ----------
    depth : int, a power of two, at least 2
        Words.
    width : int, at least 1
        Bits of a word.

    Members
    -------
    i : ``In(stream.Signature(width))``
        Words in; ``ready`` where there is room.
    o : ``Out(stream.Signature(width))``
        Words out, of those that are shown.
    show : ``In(1)``
        The words that were written until now may be read.
    take_back : ``In(1)``
        Forget the words that were written and are not shown. Not with ``i.valid``.
    give_up : ``In(1)``
        The room of the words that were read until now is free.
    rewind : ``In(1)``
        Offer the words again that were read and not given up. Not with ``o.ready``.
    clear : ``In(1)``
        Forget everything.
    room : ``Out``
        Words that may be written, not shown ones counted.
    level : ``Out``
        Words that are shown and were not read.

    Timing
    ------
    Throughput: a word per cycle. A word that is shown is offered two cycles later at the earliest.
    ``room`` and ``level`` are of registers: they count what happened until the cycle before.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    i: stream.Interface
    o: stream.Interface
    show: Signal
    take_back: Signal
    give_up: Signal
    rewind: Signal
    clear: Signal
    room: Signal
    level: Signal

    def __init__(self, *, depth: int, width: int) -> None:
        if depth < 2 or depth & depth - 1:
            raise ValueError(f"depth must be a power of two, at least 2, not {depth!r}")
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width!r}")
        self.depth = depth
        self.width = width
        super().__init__({
            "i": In(stream.Signature(width)),
            "o": Out(stream.Signature(width)),
            **dict.fromkeys(("show", "take_back", "give_up", "rewind", "clear"), In(1)),
            "room": Out(range(depth + 1)),
            "level": Out(range(depth + 1)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        ram = Ram(depth=self.depth, width=self.width)
        m.submodules.ram = place(ram, platform)
        # Places count on beyond the depth, so that full and empty differ.
        written, shown, fetched, free = (
            Signal(range(2 * self.depth), name=name)
            for name in ("written", "shown", "fetched", "free")
        )
        read = (fetched - self.o.valid)[: len(fetched)]  # the word on offer was not read
        enters, leaves, fetches = Signal(), Signal(), Signal()
        m.d.comb += [
            self.room.eq((free + self.depth - written)[: len(written)]),
            self.level.eq((shown - read)[: len(shown)]),
            self.i.ready.eq(self.room != 0),
            enters.eq(self.i.valid & self.i.ready),
            leaves.eq(self.o.valid & self.o.ready),
            fetches.eq((fetched != shown) & (leaves | ~self.o.valid)),
            ram.write_enable.eq(enters),
            ram.write_address.eq(written),
            ram.write_data.eq(self.i.payload),
            ram.read_enable.eq(fetches),
            ram.read_address.eq(fetched),
            self.o.payload.eq(ram.read_data),
        ]
        m.d.sync += [
            written.eq(Mux(self.take_back, shown, written + enters)),
            fetched.eq(fetched + fetches),
            self.o.valid.eq(fetches | (self.o.valid & ~leaves)),
        ]
        with m.If(self.show):
            m.d.sync += shown.eq(written + enters)
        with m.If(self.give_up):
            m.d.sync += free.eq(read + leaves)
        with m.If(self.rewind):
            m.d.sync += [fetched.eq(free), self.o.valid.eq(0)]
        with m.If(self.clear):
            m.d.sync += [
                *(mark.eq(0) for mark in (written, shown, fetched, free)),
                self.o.valid.eq(0),
            ]
        return m
