# amaranth: UnusedElaboratable=no
"""The sums of maps and the cycles in which they come."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.stages.sum_pool import SumPool
from kakure.model.reference.stages import sum_pool
from kakure.sim.drivers.streams import receive, send, simulate, watch

SHAPES = [
    # positions, channels, bits, shift, output_bits
    (1, 1, 1, 0, 1),
    (1, 3, 4, 2, 2),  # a lone position
    (4, 2, 3, 0, 5),  # every sum fits
    (4, 2, 3, 0, 8),  # more bits than any sum has
    (5, 3, 4, 2, 3),  # saturates
    (6, 1, 2, 3, 1),
    (7, 2, 1, 0, 2),
    (9, 1, 8, 4, 8),
    (16, 33, 2, 2, 4),
]
NAMES = ("positions", "channels", "bits", "shift", "output_bits")
MAPS = 5


def run(shape, *, gaps=None, stalls=None):
    """When the sums of random maps were taken, and the four handshake bits per cycle."""
    dut = SumPool(**dict(zip(NAMES, shape, strict=True)))
    positions, channels, bits, shift, output_bits = shape
    x = np.random.default_rng(1).integers(0, 1 << bits, (MAPS, positions, 1, channels))
    x[1] = (1 << bits) - 1  # the largest sums
    x[2] = 0  # after larger ones, which must be forgotten
    expected = sum_pool(x, shift, output_bits).reshape(-1, channels).tolist()
    pixels = x.reshape(-1, channels).tolist()
    taken = []
    handshakes = []

    async def driver(ctx):
        await send(ctx, dut.i, pixels, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, len(expected), stalls)

    async def recorder(ctx):
        signals = (dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready)
        async for *_, i_valid, i_ready, o_valid, o_ready in ctx.tick().sample(*signals):
            handshakes.append((i_valid, i_ready, o_valid, o_ready))

    monitors = (watch(dut.i), watch(dut.o, taken), recorder)
    simulate(dut, driver, sink, monitors=monitors, deadline=10 * len(pixels) + 50)
    assert [list(payload) for _, payload in taken] == expected
    return [cycle for cycle, _ in taken], handshakes


@pytest.mark.parametrize("shape", SHAPES)
def test_one_pixel_per_cycle_at_full_rate(shape):
    cycles, _ = run(shape)
    assert cycles == [shape[0] * (n + 1) for n in range(MAPS)]


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_takes_and_offers_in_exactly_the_cycles_promised(shape, has_gaps, has_stalls):
    gaps = Random(2) if has_gaps else None
    stalls = Random(3) if has_stalls else None
    _, handshakes = run(shape, gaps=gaps, stalls=stalls)
    pixel = 0
    waits = False
    for i_valid, i_ready, o_valid, o_ready in handshakes:
        is_free = not waits or o_ready
        assert o_valid == waits
        assert i_ready == is_free
        if is_free:
            pixel += i_valid
            waits = i_valid and pixel % shape[0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({name: 0}, f"{name} must be at least 1, not 0") for name in NAMES if name != "shift"),
        ({"shift": -1}, "shift must be 0 to 5, not -1"),
        ({"shift": 6}, "shift must be 0 to 5, not 6"),  # 5 · 7 has 6 bits
    ],
)
def test_rejects(change, message):
    sizes = dict(zip(NAMES, (5, 2, 3, 1, 4), strict=True))
    with pytest.raises(ValueError, match=f"^{message}$"):
        SumPool(**{**sizes, **change})
