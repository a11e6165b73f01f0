from random import Random

from kakure.hdl.weights.bit_reader import BitReader
from kakure.sim.drivers.streams import receive, send, simulate, watch


def test_fields_of_every_size_with_pauses():
    rng = Random(1)
    words = [rng.getrandbits(32) for _ in range(60)]
    bits = sum(word << 32 * n for n, word in enumerate(words))
    sizes = []
    while sum(sizes) <= 32 * (len(words) - 2):
        sizes.append(rng.randint(0, 32))
    dut = BitReader()
    taken = []

    async def feed(ctx):
        await send(ctx, dut.i, words, rng)

    async def read(ctx):
        start = 0
        for size in sizes:
            ctx.set(dut.size, size)
            [field] = await receive(ctx, dut.o, 1, rng)
            assert field & ((1 << size) - 1) == bits >> start & ((1 << size) - 1)
            start += size
            assert len(taken) == -(-start // 32)  # no word before its first bit is read
        ctx.set(dut.size, 32)
        await receive(ctx, dut.o, len(words) - len(taken), rng)

    simulate(dut, read, feed, deadline=2000, monitors=[watch(dut.i, taken)])


def test_a_field_in_every_cycle():
    dut = BitReader()
    fields = []

    async def feed(ctx):
        await send(ctx, dut.i, range(20))

    async def read(ctx):
        ctx.set(dut.size, 32)
        assert await receive(ctx, dut.o, 20) == list(range(20))

    simulate(dut, read, feed, deadline=30, monitors=[watch(dut.o, fields)])
    assert [cycle for cycle, _ in fields] == list(range(20))


def test_flush_drops_the_rest_of_the_word_only():
    dut = BitReader()

    async def feed(ctx):
        await send(ctx, dut.i, [0x12345678, 0x9ABCDEF0])

    async def read(ctx):
        ctx.set(dut.size, 8)
        [field] = await receive(ctx, dut.o, 1)
        assert field & 0xFF == 0x78
        ctx.set(dut.flush, 1)
        ctx.set(dut.o.ready, 1)
        for _ in range(3):
            assert not ctx.get(dut.i.ready)
            assert not ctx.get(dut.o.valid)
            await ctx.tick()
        ctx.set(dut.flush, 0)
        [field] = await receive(ctx, dut.o, 1)
        assert field & 0xFF == 0xF0

    simulate(dut, read, feed, deadline=20)
