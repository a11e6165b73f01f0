"""cocotb bench of an accelerator that is driven by cocotbext-axi: AXI as others understand it.

A generated bench does not hold this file, and needs nothing of that package.
"""

from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamSink,
    AxiStreamSource,
)
from simulator import parameters
from vectors import Vectors

VECTORS = Vectors.load(Path(parameters()["vectors"]))
FIELDS = VECTORS.fields
LOADED = FIELDS["STATUS.LOADED"]
FAILED = FIELDS["STATUS.ERROR"]
DEADLINE_NS = 1000 * (1000 + 2 * len(VECTORS.supermask) + VECTORS.cycles[-1])
LOGITS = [[logit & 0xFFFFFFFF for logit in logits] for logits in VECTORS.logits]


def packed(words):
    """The bytes of a frame of 32-bit words."""
    return b"".join(word.to_bytes(4, "little") for word in words)


class Client:
    """A source, a sink and a master on the accelerator's three interfaces."""

    def __init__(self, dut, seed):
        self.dut = dut
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        self.master: Any = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
        if seed is not None:
            self.pause(Random(seed))

    def pause(self, rng):
        """Let every channel of every interface pause at random."""
        write, read = self.master.write_if, self.master.read_if
        channels = [self.source, self.sink, write.aw_channel, write.w_channel, write.b_channel]
        channels += [read.ar_channel, read.r_channel]
        for channel in channels:
            pauses = [rng.random() < 0.5 for _ in range(997)]
            channel.set_pause_generator(cycle(pauses))

    async def start(self):
        """Start the clock and reset."""
        self.dut.rst.value = 1
        Clock(self.dut.clk, 10, "ns").start()
        await ClockCycles(self.dut.clk, 3)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def show(self, name):
        """Read a register."""
        return await self.master.read_dword(VECTORS.registers[name])

    async def control(self, *fields):
        """Write CONTROL."""
        value = sum(FIELDS[f"CONTROL.{field}"] for field in fields)
        await self.master.write_dword(VECTORS.registers["CONTROL"], value)

    async def load(self, frames):
        """Send a supermask and wait until it was taken."""
        for frame in frames:
            await self.source.send(packed(frame))
        await self.source.wait()
        await ClockCycles(self.dut.clk, 2)

    async def expect(self, *results):
        """Take results, each a frame."""
        for words in results:
            frame = bytes((await self.sink.recv()).tdata)
            assert frame == packed(words), f"expected {packed(words)}, got {frame}"


async def session(dut, seed):
    """Everything that a driver does, in turn."""
    client = Client(dut, seed)
    await client.start()
    for name, value in VECTORS.constants.items():
        assert await client.show(name) == value
    answer = await client.master.write(VECTORS.registers["STATUS"], bytes(4))
    assert answer.resp == AxiResp.SLVERR

    await client.load([VECTORS.supermask])
    assert await client.show("STATUS") == LOADED
    for words in VECTORS.images:
        client.source.send_nowait(packed(words))
    await client.expect(*LOGITS)

    first, second = VECTORS.images[0], VECTORS.images[-1]
    for words in (first[:-1], second, [*first, 1], first):
        client.source.send_nowait(packed(words))
    await client.expect(LOGITS[-1], LOGITS[0])
    assert await client.show("ERROR") == VECTORS.errors["IMAGE_SHORT"]
    assert await client.show("DROPPED") == 2
    assert await client.show("STATUS") == LOADED | FAILED
    await client.control("CLEAR", "CLASS")
    assert await client.show("STATUS") == LOADED
    client.source.send_nowait(packed(first))
    await client.expect([VECTORS.logits[0].index(max(VECTORS.logits[0]))])

    await client.control("LOAD", "SPLIT", "BATCH")
    half = len(VECTORS.supermask) // 2
    await client.load([VECTORS.supermask[:half], VECTORS.supermask[half:]])
    assert await client.show("STATUS") == LOADED
    client.source.send_nowait(packed(first + second))
    await client.expect(LOGITS[0], LOGITS[-1])
    await ClockCycles(dut.clk, 2)
    assert await client.show("RESULTS") == 2


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
async def a_session_at_full_speed(dut):
    """Every interface always willing."""
    await session(dut, None)


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
async def a_session_with_pauses(dut):
    """Every channel of every interface pauses at random."""
    await session(dut, 1)
