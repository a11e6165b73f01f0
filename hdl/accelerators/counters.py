"""What the accelerator counts: cycles of loading and of images, and results."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .counters_shape import WORD, CountersShape

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Cycle counts from watching the handshakes of the accelerator.

    Members
    -------
    offers, takes : ``In(1)``
        A word is offered to the accelerator; it is taken.
    is_loaded : ``In(1)``
        Words belong to images.
    has_failed : ``In(1)``
        Loading has failed.
    ends : ``In(1)``
        The last word of a result is taken.
    load_cycles : ``Out(32)``
        Cycles from the first word taken until loaded, or failed.
    results : ``Out(32)``
        Results that ended.
    latency : ``Out(32)``
        Cycles from the first one with an image word offered to the end of the first result, both
        included.
    cycles : ``Out(32)``
        The same, to the end of the latest result.

    Timing
    ------
    What is counted shows two cycles after it happened.
    """

    offers: Signal
    takes: Signal
    is_loaded: Signal
    has_failed: Signal
    ends: Signal
    load_cycles: Signal
    results: Signal
    latency: Signal
    cycles: Signal

    def __init__(self) -> None:
        self.shape = CountersShape()
        super().__init__({
            "offers": In(1),
            "takes": In(1),
            "is_loaded": In(1),
            "has_failed": In(1),
            "ends": In(1),
            "load_cycles": Out(WORD),
            "results": Out(WORD),
            "latency": Out(WORD),
            "cycles": Out(WORD),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        # All a cycle late, so that no counter hangs on the path of a handshake.
        offers = Signal()
        takes = Signal()
        is_loaded = Signal()
        has_failed = Signal()
        ends = Signal()
        m.d.sync += [
            offers.eq(self.offers),
            takes.eq(self.takes),
            is_loaded.eq(self.is_loaded),
            has_failed.eq(self.has_failed),
            ends.eq(self.ends),
        ]
        is_loading = (self.load_cycles != 0) | takes
        with m.If(~is_loaded & ~has_failed & is_loading):
            m.d.sync += self.load_cycles.eq(self.load_cycles + 1)

        has_begun = Signal()
        now = Signal(WORD)
        since = Signal(WORD)
        m.d.comb += since.eq(now + 1)
        with m.If(is_loaded & (offers | has_begun)):
            m.d.sync += has_begun.eq(1)
            m.d.sync += now.eq(since)
        with m.If(ends):
            m.d.sync += self.results.eq(self.results + 1)
            m.d.sync += self.cycles.eq(since)
            with m.If(self.results == 0):
                m.d.sync += self.latency.eq(since)
        return m
