"""The registers on the bus, access by access."""

from random import Random
from typing import Any

import pytest
from amaranth.hdl import Value

from kakure.hdl.bus.register_bank import RegisterBank
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS, ADDRESS_BITS, PLANES, THRESHOLD
from kakure.sim.drivers.axi_lite import read, write
from kakure.sim.drivers.streams import simulate

REGISTERS = {register.name: register for register in ACCELERATOR_REGISTERS}
OFFSETS = {name: register.offset for name, register in REGISTERS.items()}
CONTROL = OFFSETS["CONTROL"]
FIELDS = {field.name: field for field in REGISTERS["CONTROL"].fields}
MASKS = {name: field.mask for name, field in FIELDS.items()}
KEPT = sum(field.mask for field in FIELDS.values() if not field.is_pulse)
OKAY, SLAVE_ERROR = 0, 2


def control(ctx, dut):
    """The fields of CONTROL that the hardware sees set, as a number."""
    return sum(field.mask for name, field in FIELDS.items() if ctx.get(dut.control[name]))


def run(bench, deadline=400):
    """Run the bench; return how often each field was 1 at a clock edge."""
    dut: Any = RegisterBank()
    pulses = dict.fromkeys(FIELDS, 0)

    async def count_pulses(ctx):
        async for *_, value in ctx.tick().sample(Value.cast(dut.control)):
            for name, field in FIELDS.items():
                pulses[name] += bool(value & field.mask)

    async def drive(ctx):
        for index, (name, register) in enumerate(REGISTERS.items()):
            if not register.fields:
                ctx.set(dut.values[name].value, 0x80000001 + 0x100 * index)
        await bench(ctx, dut)
        await ctx.tick()
        await ctx.tick()

    simulate(dut, drive, monitors=[count_pulses], deadline=deadline)
    return pulses


@pytest.mark.parametrize("wait", [0, 3])
def test_every_register_reads_its_value(wait):
    async def bench(ctx, dut):
        for index, (name, offset) in enumerate(OFFSETS.items()):
            expected = 0 if REGISTERS[name].fields else 0x80000001 + 0x100 * index
            assert await read(ctx, dut, offset, wait=wait) == (expected, OKAY)

    assert set(run(bench).values()) == {0}


@pytest.mark.parametrize("name", ["STATUS", "ERROR"])
def test_every_field_is_read_where_the_table_has_it(name):
    async def bench(ctx, dut):
        for field in REGISTERS[name].fields:
            ones = field.mask >> field.low
            for value in {1, 0x5A & ones, ones}:
                ctx.set(dut.values[name][field.name], value)
                assert await read(ctx, dut, OFFSETS[name]) == (value << field.low, OKAY)
            ctx.set(dut.values[name][field.name], 0)

    run(bench)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_control_is_written_where_the_table_has_it(name):
    field = FIELDS[name]

    async def bench(ctx, dut):
        assert await write(ctx, dut, CONTROL, field.mask) == OKAY
        assert control(ctx, dut) == (0 if field.is_pulse else field.mask)
        kept = 0 if field.is_pulse else field.mask
        assert await read(ctx, dut, CONTROL) == (kept, OKAY)
        assert await write(ctx, dut, CONTROL, 0xFFFFFFFF & ~field.mask) == OKAY
        assert await read(ctx, dut, CONTROL) == (KEPT & ~field.mask, OKAY)

    pulses = run(bench)
    others = [count for other, count in pulses.items() if other != name]
    assert pulses[name] == 1 if field.is_pulse else pulses[name] > 1
    assert all(others)


def test_reading_where_no_register_is_gets_an_error():
    holes = sorted(set(range(0, 1 << ADDRESS_BITS, 4)) - set(OFFSETS.values()))
    assert holes

    async def bench(ctx, dut):
        for address in holes:
            assert await read(ctx, dut, address) == (0, SLAVE_ERROR)
            assert (await read(ctx, dut, 0))[1] == OKAY

    run(bench)


@pytest.mark.parametrize("wait", [0, 2])
def test_control_keeps_class_and_resets_once(wait):
    async def bench(ctx, dut):
        assert await write(ctx, dut, CONTROL, MASKS["CLASS"], wait=wait) == OKAY
        assert control(ctx, dut) == MASKS["CLASS"]
        assert await read(ctx, dut, CONTROL) == (MASKS["CLASS"], OKAY)
        assert await write(ctx, dut, CONTROL, MASKS["RESET"], wait=wait) == OKAY
        assert control(ctx, dut) == 0
        assert await read(ctx, dut, CONTROL) == (0, OKAY)

    assert run(bench)["RESET"] == 1


def test_a_pulse_is_never_read():
    async def bench(ctx, dut):
        ctx.set(dut.s_axi_araddr, CONTROL)
        ctx.set(dut.s_axi_arvalid, 1)
        ctx.set(dut.s_axi_rready, 1)
        seen = []

        async def look():
            *_, valid, value = await ctx.tick().sample(dut.s_axi_rvalid, dut.s_axi_rdata)
            if valid:
                seen.append(value)

        for shift in range(2):  # reads are taken every other cycle
            for name, value in (("awaddr", CONTROL), ("wdata", 0xFFFFFFFF), ("wstrb", 15)):
                ctx.set(getattr(dut, f"s_axi_{name}"), value)
            for name in ("awvalid", "wvalid"):
                ctx.set(getattr(dut, f"s_axi_{name}"), 1)
            await look()
            for name in ("awvalid", "wvalid"):
                ctx.set(getattr(dut, f"s_axi_{name}"), 0)
            ctx.set(dut.s_axi_bready, 1)
            for _ in range(4 + shift):
                await look()
        assert set(seen) <= {0, KEPT}

    assert run(bench)["LOAD"] == 2


def test_the_strobe_of_a_fields_byte_decides():
    async def bench(ctx, dut):
        for field in FIELDS.values():
            strobe = 1 << field.byte
            assert await write(ctx, dut, CONTROL, 0xFFFFFFFF, strobe=0b1111 & ~strobe) == OKAY
            assert control(ctx, dut) & field.mask == 0
            if not field.is_pulse:
                assert await write(ctx, dut, CONTROL, field.mask, strobe=strobe) == OKAY
                assert control(ctx, dut) & field.mask == field.mask
                assert await write(ctx, dut, CONTROL, 0) == OKAY

    pulses = run(bench)
    for name, pulse in FIELDS.items():
        if pulse.is_pulse:
            assert pulses[name] == sum(f.byte != pulse.byte for f in FIELDS.values())


def test_writing_any_other_register_gets_an_error_and_does_nothing():
    async def bench(ctx, dut):
        for address in range(0, 1 << ADDRESS_BITS, 4):
            if address != CONTROL:
                assert await write(ctx, dut, address, 0xFFFFFFFF) == SLAVE_ERROR
        assert control(ctx, dut) == 0

    assert set(run(bench).values()) == {0}


@pytest.mark.parametrize("first", ["aw", "w"])
@pytest.mark.parametrize("pause", [0, 1, 3])
def test_address_and_data_are_taken_each_when_it_comes(first, pause):
    async def bench(ctx, dut):
        for value in (KEPT, 0):
            second = "w" if first == "aw" else "aw"
            ctx.set(dut.s_axi_awaddr, CONTROL)
            ctx.set(dut.s_axi_wdata, value)
            ctx.set(dut.s_axi_wstrb, 1)
            ctx.set(getattr(dut, f"s_axi_{first}valid"), 1)
            *_, ready = await ctx.tick().sample(getattr(dut, f"s_axi_{first}ready"))
            assert ready == 1
            ctx.set(getattr(dut, f"s_axi_{first}valid"), 0)
            ctx.set(dut.s_axi_awaddr if first == "aw" else dut.s_axi_wdata, 0x7F)  # was taken
            for _ in range(pause):
                assert ctx.get(getattr(dut, f"s_axi_{first}ready")) == 0
                assert (ctx.get(dut.s_axi_bvalid), control(ctx, dut)) == (0, KEPT - value)
                await ctx.tick()
            ctx.set(getattr(dut, f"s_axi_{second}valid"), 1)
            *_, ready = await ctx.tick().sample(getattr(dut, f"s_axi_{second}ready"))
            assert ready == 1
            ctx.set(getattr(dut, f"s_axi_{second}valid"), 0)
            assert (ctx.get(dut.s_axi_bvalid), ctx.get(dut.s_axi_bresp)) == (1, OKAY)
            assert control(ctx, dut) == value
            ctx.set(dut.s_axi_bready, 1)
            await ctx.tick()
            ctx.set(dut.s_axi_bready, 0)

    run(bench)


@pytest.mark.parametrize("seed", range(4))
def test_writes_in_any_order_of_handshakes(seed):
    """Addresses, data and answers, each with pauses of its own."""
    rng = Random(seed)
    writes = [
        (rng.choice([CONTROL, 0]), rng.getrandbits(32) & ~MASKS["RESET"], rng.choice([1, 15, 14]))
        for _ in range(40)
    ]
    kept, answers = [], []
    value = 0
    for address, word, strobe in writes:
        for field in FIELDS.values():
            if address == CONTROL and not field.is_pulse and strobe >> field.byte & 1:
                value = value & ~field.mask | word & field.mask
        kept.append(value)

    async def channel(ctx, valid, ready, ports, payloads):
        for payload in payloads:
            while rng.random() < 0.5:
                await ctx.tick()
            for port, word in zip(ports, payload, strict=True):
                ctx.set(port, word)
            ctx.set(valid, 1)
            is_taken = False
            while not is_taken:
                *_, is_taken = await ctx.tick().sample(ready)
            ctx.set(valid, 0)

    dut: Any = RegisterBank()

    async def addresses(ctx):
        payloads = [(address,) for address, _, _ in writes]
        ports = (dut.s_axi_awaddr,)
        await channel(ctx, dut.s_axi_awvalid, dut.s_axi_awready, ports, payloads)

    async def words(ctx):
        payloads = [(word, strobe) for _, word, strobe in writes]
        ports = (dut.s_axi_wdata, dut.s_axi_wstrb)
        await channel(ctx, dut.s_axi_wvalid, dut.s_axi_wready, ports, payloads)

    async def sink(ctx):
        while len(answers) < len(writes):
            ctx.set(dut.s_axi_bready, rng.random() < 0.5)
            *_, valid, ready, response, seen = await ctx.tick().sample(
                dut.s_axi_bvalid, dut.s_axi_bready, dut.s_axi_bresp, Value.cast(dut.control)
            )
            if valid and ready:
                answers.append((response, seen & KEPT))

    simulate(dut, addresses, words, sink, deadline=3000)
    responses = [OKAY if address == CONTROL else SLAVE_ERROR for address, _, _ in writes]
    assert answers == [*zip(responses, kept, strict=True)]


def test_no_second_request_is_taken_before_the_answer():
    async def bench(ctx, dut):
        ctx.set(dut.s_axi_araddr, 0)
        ctx.set(dut.s_axi_arvalid, 1)
        ctx.set(dut.s_axi_awaddr, CONTROL)
        ctx.set(dut.s_axi_awvalid, 1)
        ctx.set(dut.s_axi_wvalid, 1)
        taken = []
        for _ in range(4):
            ready = (dut.s_axi_arready, dut.s_axi_awready, dut.s_axi_wready)
            taken.append(tuple((await ctx.tick().sample(*ready))[-3:]))
        assert taken == [(1, 1, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0)]

    run(bench)


def test_registers_of_its_own_are_kept_and_change_nothing_else():
    dut: Any = RegisterBank(registers=(*ACCELERATOR_REGISTERS, PLANES, THRESHOLD))
    planes, threshold = PLANES.offset, THRESHOLD.offset

    async def bench(ctx):
        assert await read(ctx, dut, planes) == await read(ctx, dut, threshold) == (0, OKAY)
        for value in (5, 0xFF, 0x82):
            assert await write(ctx, dut, planes, value | 0xFFFFFF00) == OKAY
            assert await write(ctx, dut, threshold, value << 24 | value) == OKAY
            assert await read(ctx, dut, planes) == (value, OKAY)
            assert await read(ctx, dut, threshold) == (value << 24 | value, OKAY)
            assert ctx.get(dut.kept.PLANES.TRIED) == value
            assert ctx.get(dut.kept.THRESHOLD.MARGIN) == value << 24 | value
            assert control(ctx, dut) == 0
        assert await write(ctx, dut, planes, 7, strobe=0xE) == OKAY
        assert await read(ctx, dut, planes) == (0x82, OKAY)
        for strobe in range(16):
            await write(ctx, dut, threshold, 0x44332211)
            assert await write(ctx, dut, threshold, 0xDDCCBBAA, strobe=strobe) == OKAY
            mask = sum(0xFF << 8 * byte for byte in range(4) if strobe >> byte & 1)
            expected = (0xDDCCBBAA & mask) | (0x44332211 & ~mask)
            assert await read(ctx, dut, threshold) == (expected, OKAY)
        await write(ctx, dut, threshold, 0x82000082)
        assert await write(ctx, dut, CONTROL, MASKS["CLASS"]) == OKAY
        assert (control(ctx, dut), ctx.get(dut.kept.PLANES.TRIED)) == (MASKS["CLASS"], 0x82)
        assert await write(ctx, dut, threshold + 4, 9) == SLAVE_ERROR
        assert await write(ctx, dut, OFFSETS["STATUS"], 9) == SLAVE_ERROR
        assert await read(ctx, dut, planes) == (0x82, OKAY)
        assert await read(ctx, dut, threshold) == (0x82000082, OKAY)

    simulate(dut, bench, deadline=1000)
