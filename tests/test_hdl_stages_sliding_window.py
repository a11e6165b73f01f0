# amaranth: UnusedElaboratable=no
"""The windows of a map and the cycles in which they come."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.model.reference.stages import windows
from kakure.sim.drivers.streams import receive, send, simulate, watch

SHAPES = [
    # height, width, channels, bits, kernel_height, kernel_width, padding
    (1, 1, 1, 1, 1, 1, 0),
    (5, 4, 2, 3, 3, 3, 1),
    (4, 5, 3, 2, 2, 3, 0),
    (3, 3, 1, 2, 3, 3, 1),  # as wide as the map, but not as the padded one
    (3, 3, 1, 4, 5, 5, 2),
    (3, 4, 1, 2, 1, 1, 1),
    (2, 5, 3, 2, 1, 3, 0),
    (5, 3, 1, 2, 3, 1, 0),
    (2, 3, 1, 2, 2, 2, 3),  # wholly outside the map, too
    (6, 3, 1, 1, 3, 3, 0),  # as wide as the map
    (5, 4, 2, 3, 5, 4, 0),  # the whole map: a linear layer
    (1, 1, 7, 8, 1, 1, 0),
    (1, 1, 2, 3, 3, 3, 1),  # the whole padded map
    (4, 1, 1, 1, 2, 1, 0),
]
NAMES = ("height", "width", "channels", "bits", "kernel_height", "kernel_width", "padding")
IMAGES = 3


def run(shape, *, stride=1, gaps=None, stalls=None):
    """Windows of random images, when they were taken, and the four handshake bits per cycle."""
    sizes = dict(zip(NAMES, shape, strict=True))
    dut = SlidingWindow(**sizes) if stride == 1 else StridedWindow(**sizes, stride=stride)
    height, width, channels, bits, kernel_height, kernel_width, padding = shape
    x = np.random.default_rng(1).integers(0, 1 << bits, (IMAGES, height, width, channels))
    x[-1] = (1 << bits) - 1
    expected = windows(x, kernel_height, kernel_width, padding, stride)
    expected = expected.reshape(-1, expected.shape[-1]).tolist()
    pixels = x.reshape(-1, channels).tolist()
    taken = []
    handshakes = []

    async def driver(ctx):
        await send(ctx, dut.i, pixels, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, len(expected), stalls)
        ctx.set(dut.o.ready, 1)  # rows that a stride leaves over are still taken

    async def recorder(ctx):
        signals = (dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready)
        async for *_, i_valid, i_ready, o_valid, o_ready in ctx.tick().sample(*signals):
            handshakes.append((i_valid, i_ready, o_valid, o_ready))

    positions = IMAGES * (height + 2 * padding) * (width + 2 * padding)
    monitors = (watch(dut.i), watch(dut.o, taken), recorder)
    simulate(dut, driver, sink, monitors=monitors, deadline=10 * positions + 50)
    assert [list(payload) for _, payload in taken] == expected
    return [cycle for cycle, _ in taken], handshakes


def completing_steps(shape, stride=1):
    """Whether each position of a padded map is inside the image and completes a window."""
    height, width, _, _, kernel_height, kernel_width, padding = shape
    return [
        (
            padding <= y < padding + height and padding <= x < padding + width,
            y in range(kernel_height - 1, height + 2 * padding, stride)
            and x in range(kernel_width - 1, width + 2 * padding, stride),
        )
        for y in range(height + 2 * padding)
        for x in range(width + 2 * padding)
    ]


def check_full_rate(shape, stride=1):
    """See that windows come as soon as they can where nothing is waited for."""
    cycles, _ = run(shape, stride=stride)
    steps = completing_steps(shape, stride) * IMAGES
    assert cycles == [n + 1 for n, (_, is_complete) in enumerate(steps) if is_complete]


def check_handshakes(shape, stride=1, *, has_gaps, has_stalls):
    """See that, cycle by cycle, a step happens where it may."""
    gaps = Random(2) if has_gaps else None
    stalls = Random(3) if has_stalls else None
    _, handshakes = run(shape, stride=stride, gaps=gaps, stalls=stalls)
    steps = completing_steps(shape, stride)
    step = 0
    waits = False
    for i_valid, i_ready, o_valid, o_ready in handshakes:
        is_inside, is_complete = steps[step % len(steps)]
        is_free = not waits or o_ready
        assert o_valid == waits
        assert i_ready == (is_free and is_inside)
        if is_free:
            waits = (i_valid or not is_inside) and is_complete
            step += i_valid or not is_inside


@pytest.mark.parametrize("shape", SHAPES)
def test_one_position_per_cycle_at_full_rate(shape):
    check_full_rate(shape)


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_steps_in_exactly_the_cycles_promised(shape, has_gaps, has_stalls):
    check_handshakes(shape, has_gaps=has_gaps, has_stalls=has_stalls)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({name: 0}, f"{name} must be at least 1, not 0") for name in NAMES[:-1]),
        ({"padding": -1}, "padding must be at least 0, not -1"),
        ({"kernel_height": 6}, "kernel_height must be at most 5, not 6"),
        ({"kernel_width": 7}, "kernel_width must be at most 6, not 7"),
    ],
)
def test_rejects(change, message):
    sizes = dict(zip(NAMES, (3, 4, 1, 1, 3, 3, 1), strict=True))
    with pytest.raises(ValueError, match=f"^{message}$"):
        SlidingWindow(**{**sizes, **change})
