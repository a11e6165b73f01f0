"""AXI drivers for the benches: as few simulator calls as possible, so that images go fast.

Needs nothing of Kakure: the benches that ``kakure gen`` writes carry a copy of this file.
"""

from random import Random
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time

__all__ = [
    "OKAY",
    "PERIOD_NS",
    "SLAVE_ERROR",
    "cycle_now",
    "read",
    "receive",
    "send",
    "start",
    "write",
]

PERIOD_NS = 10
"""Clock period; the simulation is of cycles, not of delays."""


OKAY = 0
SLAVE_ERROR = 2
"""Responses of AXI4-Lite."""


def cycle_now() -> int:
    """Return the number of the cycle that began with the last clock edge."""
    return int(get_sim_time("ns")) // PERIOD_NS


async def start(dut: Any) -> None:
    """Start the clock and reset the design for two cycles, with every input at 0."""
    for name in (
        "s_axis_tdata",
        "s_axis_tvalid",
        "s_axis_tlast",
        "m_axis_tready",
        "s_axi_awvalid",
        "s_axi_wvalid",
        "s_axi_bready",
        "s_axi_arvalid",
        "s_axi_rready",
    ):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    Clock(dut.clk, PERIOD_NS, "ns").start()
    for _ in range(2):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


async def send(
    dut: Any, frames: list[list[int]], *, has_last: bool = True, rng: Random | None = None
) -> None:
    """Send frames on ``s_axis``, TLAST with the last word of each; with ``rng`` in gaps.

    Without ``has_last`` there is no TLAST at all.
    """
    edge = RisingEdge(dut.clk)
    valid, ready, payload, last = (
        dut.s_axis_tvalid,
        dut.s_axis_tready,
        dut.s_axis_tdata,
        dut.s_axis_tlast,
    )
    becomes_ready = RisingEdge(ready)
    for frame in frames:
        for number, word in enumerate(frame, 1):
            while rng is not None and rng.random() < 0.3:
                valid.value = 0
                await edge
            payload.value = word
            last.value = int(has_last and number == len(frame))
            valid.value = 1
            await edge
            while ready.value == 0:  # as it was before the edge: the word was not taken
                await becomes_ready
                await edge
    valid.value = 0
    last.value = 0


async def receive(dut: Any, count: int, *, rng: Random | None = None) -> list[tuple[int, int, int]]:
    """Take ``count`` words from ``m_axis``: (word, TLAST, cycle); with ``rng`` not always ready.

    Raises
    ------
    AssertionError
        If a word that is offered changes or goes away before it is taken.
    """
    edge = RisingEdge(dut.clk)
    valid, ready, payload, last = (
        dut.m_axis_tvalid,
        dut.m_axis_tready,
        dut.m_axis_tdata,
        dut.m_axis_tlast,
    )
    becomes_valid = RisingEdge(valid)
    taken: list[tuple[int, int, int]] = []
    pending: int | None = None
    is_ready = rng is None
    ready.value = int(is_ready)
    while len(taken) < count:
        await edge
        if valid.value == 1:
            word = payload.value.to_unsigned()
            assert pending in (None, word), f"an offered word changed: {pending} to {word}"
            pending = word
            if is_ready:
                taken.append((word, int(last.value), cycle_now()))
                pending = None
        else:
            assert pending is None, f"an offered word was withdrawn: {pending}"
            if rng is None:
                await becomes_valid
        if rng is not None:
            is_ready = rng.random() < 0.5
            ready.value = int(is_ready)
    ready.value = 0
    return taken


async def _until(clock: Any, signal: Any) -> None:
    """Wait for the clock edge at which ``signal`` is 1."""
    await clock
    while signal.value == 0:
        await clock


async def read(dut: Any, address: int, *, response: int = OKAY, wait: int = 0) -> int:
    """Read a register, taking the answer ``wait`` cycles late; AssertionError at another response.

    Raises
    ------
    AssertionError
        If the response is another, or the answer does not stay.
    """
    edge = RisingEdge(dut.clk)
    dut.s_axi_araddr.value = address
    dut.s_axi_arvalid.value = 1
    await _until(edge, dut.s_axi_arready)
    dut.s_axi_arvalid.value = 0
    for _ in range(wait):
        await edge
    dut.s_axi_rready.value = 1
    await edge
    assert dut.s_axi_rvalid.value == 1, f"no answer to reading 0x{address:02x}"
    got = dut.s_axi_rresp.value.to_unsigned()
    assert got == response, f"reading 0x{address:02x} is answered {got}, not {response}"
    dut.s_axi_rready.value = 0
    return dut.s_axi_rdata.value.to_unsigned()


async def write(
    dut: Any,
    address: int,
    value: int,
    *,
    strobe: int = 0b1111,
    response: int = OKAY,
    wait: int = 0,
    lag: int = 0,
) -> None:
    """Write a register, taking the response ``wait`` cycles late; raises as :func:`read`.

    The data come ``lag`` cycles after the address was taken; before it, where that is negative.
    """
    edge = RisingEdge(dut.clk)
    dut.s_axi_awaddr.value = address
    dut.s_axi_wdata.value = value
    dut.s_axi_wstrb.value = strobe
    channels = [(dut.s_axi_awvalid, dut.s_axi_awready), (dut.s_axi_wvalid, dut.s_axi_wready)]
    if lag < 0:
        channels.reverse()
    (first, first_ready), (second, second_ready) = channels
    first.value = 1
    if lag:
        await _until(edge, first_ready)
        first.value = 0
        for _ in range(abs(lag) - 1):
            await edge
    second.value = 1
    await _until(edge, second_ready)
    first.value = 0
    second.value = 0
    for _ in range(wait):
        await edge
    dut.s_axi_bready.value = 1
    await edge
    assert dut.s_axi_bvalid.value == 1, f"no answer to writing 0x{address:02x}"
    got = dut.s_axi_bresp.value.to_unsigned()
    assert got == response, f"writing 0x{address:02x} is answered {got}, not {response}"
    dut.s_axi_bready.value = 0
