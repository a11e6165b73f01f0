"""Which planes of bitwise weights an image uses: what was asked for, from few to many."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_map import PLANES_BITS, THRESHOLD_BITS
from kakure.hdl.engines.ports import planes_of
from kakure.model.config.config import Config

__all__ = ["PrecisionChoice", "can_choose"]


def can_choose(config: Config) -> bool:
    """Whether more planes could change a result, and its margin says whether they might."""
    return planes_of(config) > 1 and config.geometry[-1].outputs > 1


def lowest(bits: list[Value], width: int) -> Value:
    """The number, from 1, of the lowest bit that is set; ``width`` where none is."""
    chosen: Value | int = width
    for n in reversed(range(width)):
        chosen = Mux(bits[n], n + 1, chosen)
    return Value.cast(chosen)


class PrecisionChoice(wiring.Component):
    """Planes in use, image after image, and whether more may be tried.

    Parameters
    ----------
    planes : int, 1 to 8
        All planes.

    Members
    -------
    tried, threshold : In
        As the registers PLANES and THRESHOLD say it; taken while not ``is_busy``.
    is_busy : ``In(1)``
        An image is on its way, or begins.
    again, ends : ``In(1)``
        The image is tried with more planes; it has its result.
    used : ``Out``
        Planes in use, 1 to all.
    has_more : ``Out(1)``
        There are more planes to try.
    least : ``Out(32)``
        The margin below which they are.

    Timing
    ------
    From registers: ``used`` changes in the cycle after ``again`` or ``ends``, and all in the cycle
    after ``tried`` or ``threshold`` do, while not ``is_busy``.

    Raises
    ------
    ValueError
        If ``planes`` is out of range.
    """

    tried: Signal
    threshold: Signal
    is_busy: Signal
    again: Signal
    ends: Signal
    used: Signal
    has_more: Signal
    least: Signal

    def __init__(self, *, planes: int) -> None:
        if not 1 <= planes <= PLANES_BITS:
            raise ValueError(f"planes must be 1 to {PLANES_BITS}, not {planes!r}")
        self.planes = planes
        super().__init__({
            "tried": In(PLANES_BITS),
            "threshold": In(THRESHOLD_BITS),
            "is_busy": In(1),
            "again": In(1),
            "ends": In(1),
            "used": Out(range(planes + 1)),
            "has_more": Out(1),
            "least": Out(THRESHOLD_BITS),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        kept = Signal(self.planes)
        used = Signal(range(self.planes + 1), init=self.planes)
        m.d.comb += self.used.eq(used)
        asked = self.tried[: self.planes]
        with m.If(~self.is_busy):
            m.d.sync += [kept.eq(asked), self.least.eq(self.threshold)]
            m.d.sync += used.eq(lowest(list(asked), self.planes))
        beyond = [kept[n] & (used < n + 1) for n in range(self.planes)]
        m.d.comb += self.has_more.eq(Cat(beyond).any() & (self.least != 0))
        with m.If(self.again):
            m.d.sync += used.eq(lowest(beyond, self.planes))
        with m.If(self.ends):
            m.d.sync += used.eq(lowest(list(kept), self.planes))
        return m
