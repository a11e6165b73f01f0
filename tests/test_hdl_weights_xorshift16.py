# amaranth: UnusedElaboratable=no
import numpy as np
import pytest

from kakure.hdl.weights.xorshift16 import Xorshift16
from kakure.model.reference.signs import sign_matrix
from kakure.sim.drivers.streams import simulate

PREFIX = 3 << 10  # of layer 2 with seed 1


@pytest.mark.parametrize("window", [1, 6])
def test_channels_that_share_bits_with_the_prefix(window):
    dut = Xorshift16(windows=(1, 6), max_channels=2000)
    sizes = {"channels": 1040, "window": window, "outputs": 96}
    signs = sign_matrix("xorshift16", seed=1, layer=2, **sizes)

    async def bench(ctx):
        ctx.set(dut.prefix, PREFIX)
        ctx.set(dut.window, window)
        ctx.set(dut.step, 1)
        for channel in (0, 1023, 1024, 1039):
            ctx.set(dut.channel, channel)
            for block in range(3):
                for position in range(window):
                    ctx.set(dut.new_channel, block == position == 0)
                    ctx.set(dut.new_block, position == 0)
                    await ctx.tick()
                    expected = signs[channel * window + position, 32 * block : 32 * block + 32] > 0
                    bits = np.packbits(expected, bitorder="little").tobytes()
                    assert ctx.get(dut.signs) == int.from_bytes(bits, "little")

    simulate(dut, bench, deadline=200)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"windows": ()}, r"windows must be numbers of at least 1, not \(\)"),
        ({"windows": (9, 0)}, r"windows must be numbers of at least 1, not \(9, 0\)"),
        ({"max_channels": 0}, "max_channels must be at least 1, not 0"),
    ],
)
def test_rejects(change, message):
    with pytest.raises(ValueError, match=message):
        Xorshift16(**({"windows": (1,), "max_channels": 1} | change))
