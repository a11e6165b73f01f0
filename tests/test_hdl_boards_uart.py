# amaranth: UnusedElaboratable=no
"""Bytes over a serial line: both ends together, clocks that differ, and lines that are wrong."""

from random import Random

import pytest
from amaranth.hdl import Elaboratable, Module

from kakure.hdl.boards.uart_receiver import UartReceiver
from kakure.hdl.boards.uart_transmitter import UartTransmitter
from kakure.sim.drivers.streams import send, simulate


class Pair(Elaboratable):
    """A transmitter whose line is a receiver's."""

    def __init__(self, out, back):
        self.transmitter = UartTransmitter(divisor=out)
        self.receiver = UartReceiver(divisor=back)

    def elaborate(self, platform):
        m = Module()
        m.submodules.transmitter, m.submodules.receiver = self.transmitter, self.receiver
        m.d.comb += self.receiver.rx.eq(self.transmitter.tx)
        return m


def listen(receiver, heard):
    async def monitor(ctx):
        async for *_, is_there, byte in ctx.tick().sample(receiver.has_byte, receiver.byte):
            if is_there:
                heard.append(byte)

    return monitor


@pytest.mark.parametrize(("out", "back"), [(4, 4), (7, 7), (25, 25), (100, 104), (104, 100)])
def test_bytes_come_as_they_went_also_where_the_clocks_differ(out, back):
    dut = Pair(out, back)
    sent = [0, 255, 0x55, 0xAA, *Random(out).randbytes(20)]
    heard = []

    async def drive(ctx):
        await send(ctx, dut.transmitter.i, sent[:12])
        await send(ctx, dut.transmitter.i, sent[12:], Random(1))
        await ctx.tick().repeat(12 * max(out, back))

    simulate(dut, drive, monitors=[listen(dut.receiver, heard)], deadline=40 * 11 * out)
    assert heard == sent


def test_the_line_is_eight_bits_between_a_start_and_a_stop():
    dut = UartTransmitter(divisor=3)
    line = []

    async def drive(ctx):
        assert ctx.get(dut.tx) == 1
        ctx.set(dut.i.payload, 0b01001101)
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        for _ in range(31):
            line.append((ctx.get(dut.tx), ctx.get(dut.i.ready)))
            await ctx.tick()

    simulate(dut, drive, deadline=60)
    bits = [0, 1, 0, 1, 1, 0, 0, 1, 0, 1]
    assert line == [(bit, 0) for bit in bits for _ in range(3)] + [(1, 1)]


def wave(*bits):
    """A line of so many cycles each."""
    return [level for level, cycles in bits for _ in range(cycles)]


BYTE = wave((0, 8), (1, 8), (0, 56), (1, 16))
"""1, at 8 cycles a bit."""


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        (BYTE, [1]),
        (wave((1, 20), (0, 2), (1, 20)) + BYTE, [1]),  # a spike
        (wave((0, 200), (1, 10)) + BYTE, [1]),  # a break: no stop bit
        (wave((0, 8), (1, 64), (0, 9), (1, 30)) + BYTE, [1]),
    ],
)
def test_what_is_no_byte_is_passed_by(line, heard):
    dut = UartReceiver(divisor=8)
    found = []

    async def drive(ctx):
        for level in [1] * 5 + line + [1] * 20:
            ctx.set(dut.rx, level)
            await ctx.tick()

    simulate(dut, drive, monitors=[listen(dut, found)], deadline=600)
    assert found == heard


def test_divisors_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="divisor must be at least 4, not 3"):
        UartReceiver(divisor=3)
    with pytest.raises(ValueError, match="divisor must be at least 2, not 1"):
        UartTransmitter(divisor=1)
