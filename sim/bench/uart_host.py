"""cocotb bench of an accelerator behind a UART, which an outside one drives (cocotbext-uart).

A generated bench does not hold this file, and needs nothing of that package.
"""

import json
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.task import bridge, resume
from cocotb.triggers import ClockCycles
from cocotbext.uart import UartSink, UartSource

from kakure.model.link.host import Host
from kakure.sim.board.client import BoardClient
from kakure.sim.generation.project import open_project
from kakure.sim.runner.simulator import parameters

GIVEN = parameters()
PERIOD_NS = 10
BAUD = round(1e9 / PERIOD_NS / GIVEN["divisor"])
PATIENCE = 4 * 10 * GIVEN["divisor"]
"""Cycles without a byte that a host waits for one: four times as long as a byte takes."""

DEADLINE_NS = GIVEN["deadline_cycles"] * PERIOD_NS


class Line:
    """The transport of a host, which runs in a thread of its own."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.source = UartSource(dut.rx, baud=BAUD)
        self.sink = UartSink(dut.tx, baud=BAUD)
        for one in (self.source, self.sink):
            one.log.setLevel("WARNING")

    @resume
    async def write(self, data: bytes) -> None:
        """Send bytes, until the last one is out."""
        await self.source.write(data)
        await self.source.wait()

    @resume
    async def read(self, count: int) -> bytes:
        """Bytes that come, until the line is silent."""
        waited, before = 0, self.sink.count()
        while self.sink.count() < count and waited < GIVEN["silence"]:
            await ClockCycles(self.dut.clk, PATIENCE)
            waited = 0 if self.sink.count() > before else waited + PATIENCE
            before = self.sink.count()
        return bytes(self.sink.read_nowait(min(count, self.sink.count())))


@cocotb.test(timeout_time=DEADLINE_NS, timeout_unit="ns")
async def logits_over_the_line_are_those_of_the_reference(dut):
    """Loads the network, sends images, and compares every logit."""
    dut.rx.value = 1
    dut.rst.value = 1
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    line = Line(dut)
    project = open_project(Path(GIVEN["config"]))
    images, _ = project.images(GIVEN["images"])

    @bridge
    def use() -> list[list[int]]:
        client = BoardClient(Host(line), project.config)
        client.load(project.parameters)
        return client.run(images).tolist()

    found = await use()
    Path(GIVEN["found"]).write_text(json.dumps(found), encoding="utf-8")
