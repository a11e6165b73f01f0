"""The board's end of the link against its reference, byte for byte."""

from random import Random
from typing import Any

import pytest
from amaranth.hdl import Elaboratable, Module

from kakure.hdl.boards.axi_lite_client import CLIENT
from kakure.hdl.boards.link_device import LinkDevice
from kakure.hdl.bus.register_bank import AXI_LITE, RegisterBank
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS
from kakure.model.link.device import DAMAGED, Device
from kakure.model.link.frames import Op, Reply, Request
from kakure.model.link.host import Host
from kakure.sim.drivers.line import SimulatedLine

DEPTH, GAP = 8, 40
(CONTROL,) = (register for register in ACCELERATOR_REGISTERS if register.name == "CONTROL")
KEPT = sum(field.mask for field in CONTROL.fields if not field.is_pulse)
SHOWN = {
    register.offset // 4: 0 if register.fields else 0x1000 + register.offset
    for register in ACCELERATOR_REGISTERS
}


class Looped(Elaboratable):
    """A device with the registers of an accelerator, and an accelerator that adds one."""

    def __init__(self) -> None:
        self.device = LinkDevice(depth=DEPTH, gap=GAP)
        self.bank: Any = RegisterBank(registers=ACCELERATOR_REGISTERS)

    def elaborate(self, platform):
        m = Module()
        device, bank = self.device, self.bank
        m.submodules.device, m.submodules.bank = device, bank
        for (outer, member), name in zip(CLIENT.items(), AXI_LITE, strict=True):
            ours, theirs = getattr(device, outer), getattr(bank, name)
            m.d.comb += theirs.eq(ours) if member.flow.name == "Out" else ours.eq(theirs)
        for register in ACCELERATOR_REGISTERS:
            if not register.fields:
                m.d.comb += bank.values[register.name].value.eq(0x1000 + register.offset)
        m.d.comb += [
            device.results.valid.eq(device.words.valid),
            device.results.payload.eq(device.words.payload.word + 1),
            device.words.ready.eq(device.results.ready),
        ]
        return m


class Modelled:
    """The same in plain Python."""

    def __init__(self) -> None:
        self.control = 0
        self.device = Device(DEPTH, self.read, self.write)

    def read(self, address: int) -> int | None:
        return self.control if address == CONTROL.offset // 4 else SHOWN.get(address)

    def write(self, address: int, value: int) -> bool:
        is_there = address == CONTROL.offset // 4
        if is_there:
            self.control = value & KEPT
        return is_there

    def answer(self, frame: bytes) -> bytes:
        reply = self.device.answer(frame).encoded()
        device = self.device
        while device.inputs and len(device.outputs) < DEPTH:
            device.outputs.append((device.inputs.popleft()[0] + 1) % (1 << 32))
        return reply


def line_of(pace: int = 1) -> SimulatedLine:
    looped = Looped()
    return SimulatedLine(looped, looped.device, looped.device.o, pace=pace, patience=400)


def random_request(rng: Random, turn: int) -> Request:
    """Mostly what a host may ask, now and then a form that it never sends."""
    op = rng.choice([Op.READ, Op.WRITE, Op.SEND, Op.SEND, Op.RECEIVE, Op.RECEIVE])
    if rng.random() < 0.05:
        op = rng.choice([Op.HELLO, 5, 63])
    argument, count = rng.randrange(256), 0
    if op in (Op.READ, Op.WRITE):
        argument = rng.choice([*SHOWN, CONTROL.offset // 4, rng.randrange(256)])
        count = int(op == Op.WRITE)
    elif op == Op.SEND:
        count = rng.choice([1, 2, 3, DEPTH, DEPTH + 1, 20])
    else:
        argument = rng.randrange(DEPTH + 3)
    if rng.random() < 0.05:
        count = rng.randrange(3)
    words = tuple(rng.getrandbits(32) for _ in range(count))
    return Request(op, turn, argument, words, rng.random() < 0.5)


@pytest.mark.parametrize("pace", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_reply_is_that_of_the_reference(seed, pace):
    rng = Random(f"{seed} {pace}")
    line, model = line_of(pace), Modelled()
    turn = 0
    seen = set()
    for _ in range(150):
        turn ^= rng.random() < 0.8  # else it comes twice, or is another of the same turn
        frame = random_request(rng, turn).encoded()
        if rng.random() < 0.1:
            spoilt = bytearray(frame)
            spoilt[rng.choice([1, 2, *range(4, len(frame))])] ^= 1 << rng.randrange(8)
            frame = bytes(spoilt)
        expected = model.answer(frame)
        line.write(rng.randbytes(rng.randrange(3)).replace(b"K", b"k") + frame)
        assert line.read(len(expected)) == expected
        line.run(3 * DEPTH)  # until the accelerator has done what it can
        reply = Reply.decoded(expected)
        seen.add((reply.op, reply.status))
    assert line.read(1) == b""
    assert len(seen) > 8


def test_a_cut_or_too_long_request_is_damaged_after_the_gap_and_the_next_is_heard():
    line = line_of()
    frame = Request(Op.SEND, 0, 0, (1, 2, 3), True).encoded()
    for length in range(1, len(frame)):
        line.write(frame[:length])
        begin = line.cycles
        assert line.read(8) == DAMAGED.encoded()
        assert GAP < line.cycles - begin < GAP + length + 30
    whole = Request(Op.RECEIVE, 0, 9).encoded()
    line.write(whole)
    assert Reply.decoded(line.read(8)) == Reply(Op.RECEIVE, 0, 0)  # nothing was sent
    long = bytearray(whole)
    long[3] = 255
    line.write(bytes(long))
    assert line.read(8) == DAMAGED.encoded()
    line.write(Request(Op.HELLO, 1).encoded())
    assert Reply.decoded(line.read(12)) == Reply(Op.HELLO, 1, 0, (1 << 24 | DEPTH,))


class Bad:
    """A line that loses and changes bytes both ways."""

    def __init__(self, line: SimulatedLine, rng: Random) -> None:
        self.line, self.rng = line, rng

    def spoilt(self, data: bytes) -> bytes:
        kept = bytes(byte for byte in data if self.rng.random() > 0.01)
        return bytes(byte ^ (self.rng.random() < 0.01) << 3 for byte in kept)

    def write(self, data: bytes) -> None:
        self.line.write(self.spoilt(data))

    def read(self, count: int) -> bytes:
        return self.spoilt(self.line.read(count))


@pytest.mark.parametrize("seed", range(2))
def test_every_word_goes_and_comes_once_over_a_bad_line(seed):
    rng = Random(seed)
    host = Host(Bad(line_of(), rng), tries=40)
    assert host.hello() == DEPTH
    words = [rng.getrandbits(32) for _ in range(60)]
    sent, came = 0, []
    while len(came) < len(words):
        chunk = words[sent : sent + rng.randint(1, DEPTH)]
        if chunk and host.send(chunk, is_last=True):
            sent += len(chunk)
        came += host.receive(rng.randint(1, 9))
        if rng.random() < 0.2:
            host.write(CONTROL.offset, KEPT & sent)
            assert host.read(CONTROL.offset) == KEPT & sent
    assert came == [(word + 1) % (1 << 32) for word in words]
