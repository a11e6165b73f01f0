# amaranth: UnusedElaboratable=no
"""The maxima of blocks of a map and the cycles in which they come."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.stages.max_pool import MaxPool
from kakure.model.reference.stages import max_pool
from kakure.sim.drivers.streams import receive, send, simulate, watch

SHAPES = [
    # height, width, channels, peak, size
    (2, 2, 1, 1, 2),
    (4, 6, 3, 100, 2),
    (5, 7, 2, 9, 2),  # a row and a column left over
    (3, 5, 1, 1000, 3),  # one block wide, columns left over
    (8, 3, 2, 7, 3),  # one block wide, rows left over
    (7, 7, 1, 4, 3),
    (4, 4, 5, 3, 4),
    (3, 2, 1, 2, 2),
]
NAMES = ("height", "width", "channels", "peak", "size")
MAPS = 4


def run(shape, *, gaps=None, stalls=None):
    """When the maxima of random maps were taken, and the four handshake bits per cycle."""
    dut = MaxPool(**dict(zip(NAMES, shape, strict=True)))
    height, width, channels, peak, size = shape
    x = np.random.default_rng(1).integers(-peak, peak + 1, (MAPS, height, width, channels))
    x[1] = -peak  # after larger ones, which must be forgotten
    x[2] = np.where(x[2] < 0, -peak, peak)
    expected = max_pool(x, size).reshape(-1, channels).tolist()
    pixels = x.reshape(-1, channels).tolist()
    taken = []
    handshakes = []

    async def driver(ctx):
        await send(ctx, dut.i, pixels, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, len(expected), stalls)
        ctx.set(dut.o.ready, 1)  # what is left over, and nothing else, still comes

    async def recorder(ctx):
        signals = (dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready)
        async for *_, i_valid, i_ready, o_valid, o_ready in ctx.tick().sample(*signals):
            handshakes.append((i_valid, i_ready, o_valid, o_ready))

    monitors = (watch(dut.i), watch(dut.o, taken), recorder)
    simulate(dut, driver, sink, monitors=monitors, deadline=10 * len(pixels) + 50)
    assert [list(payload) for _, payload in taken] == expected
    return [cycle for cycle, _ in taken], handshakes


def completing_pixels(shape):
    """Whether each pixel of a map completes a block."""
    height, width, _, _, size = shape
    return [
        y % size == size - 1 and x % size == size - 1 for y in range(height) for x in range(width)
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_pixel_per_cycle_at_full_rate(shape):
    cycles, _ = run(shape)
    pixels = completing_pixels(shape) * MAPS
    assert cycles == [n + 1 for n, is_complete in enumerate(pixels) if is_complete]


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_takes_and_offers_in_exactly_the_cycles_promised(shape, has_gaps, has_stalls):
    gaps = Random(2) if has_gaps else None
    stalls = Random(3) if has_stalls else None
    _, handshakes = run(shape, gaps=gaps, stalls=stalls)
    pixels = completing_pixels(shape)
    pixel = 0
    waits = False
    for i_valid, i_ready, o_valid, o_ready in handshakes:
        is_free = not waits or o_ready
        assert o_valid == waits
        assert i_ready == is_free
        if is_free:
            waits = i_valid and pixels[pixel % len(pixels)]
            pixel += i_valid


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 1}, "size must be at least 2, not 1"),
        ({"height": 2}, "height must be at least size = 3, not 2"),
        ({"width": 2}, "width must be at least size = 3, not 2"),
        ({"channels": 0}, "channels must be at least 1, not 0"),
        ({"peak": 0}, "peak must be at least 1, not 0"),
    ],
)
def test_rejects(change, message):
    sizes = dict(zip(NAMES, (3, 4, 1, 1, 3), strict=True))
    with pytest.raises(ValueError, match=f"^{message}$"):
        MaxPool(**{**sizes, **change})
