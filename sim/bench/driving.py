"""cocotb bench for speed: the same images driven as Kakure does, and cycle by cycle."""

from pathlib import Path

import cocotb
from axi import receive, send, start
from cocotb.triggers import ReadOnly, RisingEdge
from simulator import parameters
from vectors import Vectors

VECTORS = Vectors.load(Path(parameters()["vectors"]))
CLASSES = len(VECTORS.logits[0])
FRAMES = [VECTORS.supermask, *VECTORS.images]
WORDS = [(word, n == len(frame)) for frame in FRAMES for n, word in enumerate(frame, 1)]
DEADLINE_NS = 1000 * (1000 + len(VECTORS.supermask) + VECTORS.cycles[-1])


def check(words):
    """Compare all logits."""
    expected = [logit & 0xFFFFFFFF for logits in VECTORS.logits for logit in logits]
    assert words == expected


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
async def waiting_for_handshakes(dut):
    """As the benches do: woken only when something is offered or taken."""
    await start(dut)
    await send(dut, [VECTORS.supermask])
    cocotb.start_soon(send(dut, VECTORS.images))
    check([word for word, _, _ in await receive(dut, CLASSES * len(VECTORS.images))])


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
async def looking_at_every_cycle(dut):
    """As most benches are written: a driver and a monitor that wake in every cycle."""
    await start(dut)

    async def drive():
        for word, is_last in WORDS:
            dut.s_axis_tdata.value = word
            dut.s_axis_tvalid.value = 1
            dut.s_axis_tlast.value = int(is_last)
            while True:
                await ReadOnly()
                taken = dut.s_axis_tready.value == 1
                await RisingEdge(dut.clk)
                if taken:
                    break
        dut.s_axis_tvalid.value = 0

    cocotb.start_soon(drive())
    words = []
    dut.m_axis_tready.value = 1
    while len(words) < CLASSES * len(VECTORS.images):
        await ReadOnly()
        if dut.m_axis_tvalid.value == 1:
            words.append(dut.m_axis_tdata.value.to_unsigned())
        await RisingEdge(dut.clk)
    check(words)
