"""The registers on the bus, access by access."""

import pytest

from hdl.register_bank import RegisterBank
from hdl.register_map import ACCELERATOR_REGISTERS, ADDRESS_BITS
from sim.axi_lite import read, write
from sim.streams import simulate

OFFSETS = {register.name: register.offset for register in ACCELERATOR_REGISTERS}
CONTROL = OFFSETS["CONTROL"]
OKAY, SLAVE_ERROR = 0, 2


def run(bench, deadline=400):
    dut = RegisterBank()
    resets = []

    async def count_resets(ctx):
        async for *_, reset in ctx.tick().sample(dut.reset):
            resets.append(reset)

    async def drive(ctx):
        for index, name in enumerate(OFFSETS):
            if name != "CONTROL":
                ctx.set(dut.values[name], 0x80000001 + 0x100 * index)
        await bench(ctx, dut)
        await ctx.tick()
        await ctx.tick()

    simulate(dut, drive, monitors=[count_resets], deadline=deadline)
    return sum(resets)


@pytest.mark.parametrize("wait", [0, 3])
def test_every_register_reads_its_value(wait):
    async def bench(ctx, dut):
        for index, (name, offset) in enumerate(OFFSETS.items()):
            expected = 0 if name == "CONTROL" else 0x80000001 + 0x100 * index
            assert await read(ctx, dut, offset, wait=wait) == (expected, OKAY)

    assert run(bench) == 0


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
        assert await write(ctx, dut, CONTROL, 0b10, wait=wait) == OKAY
        assert ctx.get(dut.sends_class) == 1
        assert await read(ctx, dut, CONTROL) == (0b10, OKAY)
        assert await write(ctx, dut, CONTROL, 0b01, wait=wait) == OKAY
        assert ctx.get(dut.sends_class) == 0
        assert await read(ctx, dut, CONTROL) == (0, OKAY)

    assert run(bench) == 1


def test_the_strobe_of_the_lowest_byte_decides():
    async def bench(ctx, dut):
        assert await write(ctx, dut, CONTROL, 0b11, strobe=0b1110) == OKAY
        assert ctx.get(dut.sends_class) == 0
        assert await write(ctx, dut, CONTROL, 0b10, strobe=0b0001) == OKAY
        assert ctx.get(dut.sends_class) == 1

    assert run(bench) == 0


def test_writing_any_other_register_gets_an_error_and_does_nothing():
    async def bench(ctx, dut):
        for address in range(0, 1 << ADDRESS_BITS, 4):
            if address != CONTROL:
                assert await write(ctx, dut, address, 0xFFFFFFFF) == SLAVE_ERROR
        assert ctx.get(dut.sends_class) == 0

    assert run(bench) == 0


@pytest.mark.parametrize("first", ["s_axi_awvalid", "s_axi_wvalid"])
def test_a_write_waits_for_both_address_and_data(first):
    async def bench(ctx, dut):
        ctx.set(dut.s_axi_awaddr, CONTROL)
        ctx.set(dut.s_axi_wdata, 0b10)
        ctx.set(dut.s_axi_wstrb, 0b1111)
        ctx.set(getattr(dut, first), 1)
        for _ in range(3):
            ready = (dut.s_axi_awready, dut.s_axi_wready)
            *_, address_ready, data_ready = await ctx.tick().sample(*ready)
            assert (address_ready, data_ready) == (0, 0)
        assert await write(ctx, dut, CONTROL, 0b10) == OKAY

    run(bench)


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
