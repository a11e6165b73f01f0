"""How the array of a temporal accelerator spends its cycles, counted."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.bus.register_map import Register

__all__ = ["WORK_REGISTERS", "WorkCounters", "events_layout"]

WORD = 32
FIRST_OFFSET = 0x48

TEXTS = {
    "COMPUTES": "Cycles in which the array adds up products.",
    "WAITS_WEIGHTS": "Cycles in which activations wait for the weights of their block.",
    "WAITS_WINDOWS": "Cycles in which the array waits for activations to be read.",
    "WAITS_RESULTS": "Cycles in which the array only waits for its sums to be taken.",
    "LANES_LOW": "Products of one bit that the network asked for, the lower 32 bits: of all lanes "
    "in all cycles of COMPUTES those that had an activation, a weight and an output.",
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
    events : ``In(events_layout(lanes))``
        What happens in this cycle.
    values : ``Out(struct)``
        A number of 32 bits for each of :data:`WORK_REGISTERS`, by its name.

    Timing
    ------
    What is counted shows two cycles after it happened.
    """

    events: Any
    values: Any

    def __init__(self, *, lanes: int) -> None:
        self.lanes = lanes
        super().__init__({
            "events": In(events_layout(lanes)),
            "values": Out(data.StructLayout({r.name: WORD for r in WORK_REGISTERS})),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        names = "computes", "waits_weights", "waits_windows", "waits_results"
        for name in names:
            happens = Signal(name=f"is_{name}")
            count = self.values[name.upper()]
            m.d.sync += happens.eq(self.events[name])
            with m.If(happens):
                m.d.sync += count.eq(count + 1)
        lanes = Signal(range(self.lanes + 1))
        total = Cat(self.values.LANES_LOW, self.values.LANES_HIGH)
        m.d.sync += lanes.eq(0)
        with m.If(self.events.computes):
            m.d.sync += lanes.eq(self.events.lanes)
        m.d.sync += total.eq(total + lanes)
        return m
