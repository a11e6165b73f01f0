from random import Random

from amaranth.back import verilog

from kakure.hdl.arithmetic.crc32 import Crc32
from kakure.model.reference.masks import crc32
from kakure.sim.drivers.streams import simulate


def test_every_prefix_of_random_words():
    rng = Random(1)
    words = [rng.getrandbits(32) for _ in range(200)]
    dut = Crc32()

    async def bench(ctx):
        for count, word in enumerate(words):
            assert ctx.get(dut.value) == crc32(words[:count])
            ctx.set(dut.word, word)
            ctx.set(dut.valid, 1)
            await ctx.tick()  # one word per cycle
        assert ctx.get(dut.value) == crc32(words)

    simulate(dut, bench, deadline=300)


def test_a_pause_changes_nothing():
    dut = Crc32()

    async def bench(ctx):
        for word, valid in ((0x12345678, 1), (0xDEADBEEF, 0), (0xFFFFFFFF, 1), (0, 0)):
            ctx.set(dut.word, word)
            ctx.set(dut.valid, valid)
            await ctx.tick()
        assert ctx.get(dut.value) == crc32([0x12345678, 0xFFFFFFFF])

    simulate(dut, bench, deadline=20)


def test_clear_alone_and_with_a_first_word():
    dut = Crc32()

    async def bench(ctx):
        for clear, valid, expected in (
            (0, 1, crc32([7])),
            (1, 0, 0),
            (0, 1, crc32([7])),
            (1, 1, crc32([7])),
            (0, 1, crc32([7, 7])),
        ):
            ctx.set(dut.clear, clear)
            ctx.set(dut.valid, valid)
            ctx.set(dut.word, 7)
            await ctx.tick()
            assert ctx.get(dut.value) == expected

    simulate(dut, bench, deadline=20)


def test_known_value():
    """The check value of the CRC catalogue is that of nine bytes; its first eight are two words."""
    words = [int.from_bytes(b"1234", "little"), int.from_bytes(b"5678", "little")]
    dut = Crc32()

    async def bench(ctx):
        ctx.set(dut.valid, 1)
        for word in words:
            ctx.set(dut.word, word)
            await ctx.tick()
        assert ctx.get(dut.value) == 0x9AE0DAAF

    simulate(dut, bench, deadline=20)


def test_emits_verilog():
    assert "module crc32" in verilog.convert(Crc32(), name="crc32")
