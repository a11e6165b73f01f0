"""How the array of a temporal accelerator spends its cycles, counted."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_map import OWN_OFFSET, Register

from .work_counters_shape import WorkCountersShape

__all__ = ["WORK_REGISTERS", "WorkCounters", "events_layout"]

WORD = 32
FIRST_OFFSET = OWN_OFFSET

TEXTS = {
    "COMPUTES": "Cycles in which the array adds up products.",
    "WAITS_WEIGHTS": "Cycles in which activations wait for the weights of their block.",
    "WAITS_WINDOWS": "Cycles in which the array waits for activations to be read.",
    "WAITS_RESULTS": "Cycles in which the array only waits for its sums to be taken.",
    "LANES_LOW": "Products of one bit that the network asked for, the lower 32 bits: of all lanes "
    "in all cycles of COMPUTES those that had an activation, a weight (or a masked one) and an "
    "output. Read both words while STATUS.BUSY is 0.",
    "LANES_HIGH": "The upper 32 bits.",
}
WORK_REGISTERS = tuple(
    Register(name, FIRST_OFFSET + 4 * n, "r", f"{text} Since reset or LOAD.")
    for n, (name, text) in enumerate(TEXTS.items())
)
"""What a temporal accelerator shows beside the registers of all accelerators."""


def events_layout(lanes: int) -> data.StructLayout:
    """What may happen in a cycle; at most one of the first four. ``lanes`` go with ``computes``."""
    return data.StructLayout({
        "computes": 1,
        "waits_weights": 1,
        "waits_windows": 1,
        "waits_results": 1,
        "lanes": range(lanes + 1),
    })


class WorkCounters(wiring.Component):
    """Counts of cycles by what the array does in them, and of the lanes in use.

    Parameters
    ----------
    lanes : int
        Of the array.

    Members
    -------
    clear : ``In(1)``
        Begin anew.
    events : ``In(events_layout(lanes))``
        What happens in this cycle.
    values : ``Out(struct)``
        A number of 32 bits for each of :data:`WORK_REGISTERS`, by its name.

    Timing
    ------
    What is counted shows two cycles after it happened.
    """

    clear: Signal
    events: Any
    values: Any

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        self.shape = WorkCountersShape(lanes)
        super().__init__({
            "clear": In(1),
            "events": In(events_layout(lanes)),
            "values": Out(data.StructLayout({r.name: WORD for r in WORK_REGISTERS})),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        counts: Any = Signal(self.values.shape(), name="counts", reset_less=True)
        m.d.comb += Value.cast(self.values).eq(Value.cast(counts))
        for name in ("computes", "waits_weights", "waits_windows", "waits_results"):
            happens = Signal(name=f"is_{name}")
            count = counts[name.upper()]
            m.d.sync += happens.eq(self.events[name])
            with m.If(happens | self.clear):  # one enable for a clock gate
                m.d.sync += count.eq(Mux(self.clear, 0, count + 1))
        computes, lanes = Signal(), Signal(range(self.lanes + 1), reset_less=True)
        m.d.sync += computes.eq(self.events.computes)
        with m.If(self.events.computes):
            m.d.sync += lanes.eq(self.events.lanes)
        low, high = counts.LANES_LOW, counts.LANES_HIGH
        total = Signal(WORD + 1)
        m.d.comb += total.eq(low + lanes)
        with m.If(computes | self.clear):
            m.d.sync += low.eq(Mux(self.clear, 0, total))
        with m.If((computes & total[WORD]) | self.clear):
            m.d.sync += high.eq(Mux(self.clear, 0, high + 1))
        return m
