# amaranth: UnusedElaboratable=no
import pytest

from kakure.hdl.weights.weight_order import GENERATORS, WeightOrder
from kakure.model.reference.signs import weight_order
from kakure.sim.drivers.streams import simulate

LAYERS = ((1, 1, 1), (2, 3, 2), (3, 1, 4), (1, 4, 1), (3, 4, 4))  # channels, window, blocks


@pytest.mark.parametrize("generator", GENERATORS)
def test_equals_the_reference(generator):
    dut = WeightOrder(generator=generator, max_channels=3, max_window=4, max_blocks=4)

    async def bench(ctx):
        for channels, window, blocks in LAYERS:
            ctx.set(dut.channels, channels)
            ctx.set(dut.window, window)
            ctx.set(dut.blocks, blocks)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            expected = weight_order(
                generator, channels=channels, window=window, outputs=32 * blocks
            )
            for row, block in expected:
                ctx.set(dut.step, 0)
                await ctx.tick()  # a pause changes nothing
                assert (ctx.get(dut.row), ctx.get(dut.block)) == (row, block)
                assert ctx.get(dut.channel) == row // window
                assert ctx.get(dut.last_position) == (row % window == window - 1)
                assert ctx.get(dut.last_block) == (block == blocks - 1)
                is_last = row == channels * window - 1 and block == blocks - 1
                assert ctx.get(dut.is_last) == is_last
                ctx.set(dut.step, 1)
                await ctx.tick()

    simulate(dut, bench, deadline=300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator": "lfsr"}, "generator must be xorshift32 or xorshift16, not 'lfsr'"),
        ({"max_channels": 0}, "max_channels must be at least 1, not 0"),
        ({"max_window": 0}, "max_window must be at least 1, not 0"),
        ({"max_blocks": 0}, "max_blocks must be at least 1, not 0"),
    ],
)
def test_rejects(change, message):
    good = {"generator": "xorshift32", "max_channels": 1, "max_window": 1, "max_blocks": 1}
    with pytest.raises(ValueError, match=message):
        WeightOrder(**(good | change))
