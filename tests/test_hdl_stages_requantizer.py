# amaranth: UnusedElaboratable=no
"""Requantized vectors and the cycles in which they come."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.stages.requantizer import Requantizer
from kakure.model.reference.stages import requantize, shortcut
from kakure.sim.drivers.streams import receive, send, simulate, watch

SHAPES = [
    # channels, lanes, peak, output_bits
    (1, 1, 1, 1),
    (3, 3, 100, 4),
    (5, 1, 960, 8),
    (5, 2, 77, 3),
    (7, 3, 1000, 1),
    (8, 4, 300000, 5),
    (4, 4, 50, None),
    (10, 3, 1234, None),
]
EXTREMES = (-(1 << 15), -(1 << 15) + 1, -1, 0, 1, (1 << 15) - 1)
OFFSETS = (-(1 << 31), -(1 << 31) + 1, -1, 0, 1, (1 << 31) - 1)


def scale(dut, multiplier, offset, shift):
    """A testbench that writes the scales, one channel per cycle, last one first."""

    async def bench(ctx):
        for channel in reversed(range(dut.channels)):
            ctx.set(
                dut.scales,
                {
                    "valid": 1,
                    "channel": channel,
                    "multiplier": int(multiplier[channel]),
                    "offset": int(offset[channel]),
                    "shift": int(shift[channel]),
                },
            )
            await ctx.tick()
        ctx.set(dut.scales.valid, 0)

    return bench


def run(dut, vectors, multiplier, offset, shift, *, gaps=None, stalls=None):
    """The vectors that leave, and the four handshake bits per cycle, counted from the first."""
    taken = []
    handshakes = []
    write = scale(dut, multiplier, offset, shift)

    async def driver(ctx):
        await write(ctx)
        await send(ctx, dut.i, vectors, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, len(vectors), stalls)

    async def recorder(ctx):
        await ctx.tick().repeat(dut.channels)
        signals = (dut.i.valid, dut.i.ready, dut.o.valid, dut.o.ready)
        async for *_, i_valid, i_ready, o_valid, o_ready in ctx.tick().sample(*signals):
            handshakes.append((i_valid, i_ready, o_valid, o_ready))

    monitors = (watch(dut.i), watch(dut.o, taken), recorder)
    deadline = 10 * len(vectors) * dut.channels + 100
    simulate(dut, driver, sink, monitors=monitors, deadline=deadline)
    return np.array([list(payload) for _, payload in taken]), handshakes


@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize(
    ("channels", "lanes", "peak", "output_bits", "shortcut_bits"),
    [(1, 1, 1, 1, 1), (5, 2, 77, 3, 2), (7, 3, 1000, 8, 8), (4, 4, 300000, 5, 1)],
)
def test_a_shortcut_is_added_before_the_clamp(
    channels, lanes, peak, output_bits, shortcut_bits, has_stalls
):
    dut = Requantizer(
        channels=channels,
        lanes=lanes,
        peak=peak,
        output_bits=output_bits,
        shortcut_bits=shortcut_bits,
    )
    rng = np.random.default_rng(5)
    acc = rng.integers(-peak, peak + 1, (60, channels))
    x = rng.integers(0, 1 << shortcut_bits, (60, channels))
    vectors = [
        {"sums": sums, "shortcut": values}
        for sums, values in zip(acc.tolist(), x.tolist(), strict=True)
    ]
    # Results lie within the range, up to its size beyond both ends, and far beyond.
    shift = rng.integers(0, 16, channels)
    reach = np.maximum(1, (3 << output_bits + shift) // peak)
    multiplier = np.clip(rng.integers(-reach, reach + 1), -(1 << 15), (1 << 15) - 1)
    offset = rng.integers(-1 << output_bits + shift, 1 << output_bits + shift)
    stalls = Random(3) if has_stalls else None
    y, _ = run(dut, vectors, multiplier, offset, shift, stalls=stalls)
    added = shortcut(x, shortcut_bits, output_bits)
    assert (y == requantize(acc, multiplier, offset, shift, output_bits, added)).all()


def random_scales(rng, channels, output_bits, peak):
    """Scales that reach both ends of the clamp, or stay within the logits' 32 bits."""
    multiplier = rng.integers(-(1 << 15), 1 << 15, channels)
    limit = 1 << (30 if output_bits is None else 31)
    if output_bits is None:
        assert peak << 15 < limit
    offset = rng.integers(-limit, limit, channels)
    shift = rng.integers(0, 32, channels)
    return multiplier, offset, shift


@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize("has_stalls", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_reference_in_exactly_the_cycles_promised(shape, has_gaps, has_stalls):
    channels, lanes, peak, output_bits = shape
    dut = Requantizer(channels=channels, lanes=lanes, peak=peak, output_bits=output_bits)
    rng = np.random.default_rng(1)
    vectors = rng.integers(-peak, peak + 1, (20, channels))
    scales = random_scales(rng, channels, output_bits, peak)
    gaps = Random(2) if has_gaps else None
    stalls = Random(3) if has_stalls else None
    y, handshakes = run(dut, vectors.tolist(), *scales, gaps=gaps, stalls=stalls)
    assert (y == requantize(vectors, *scales, output_bits)).all()

    chunks = -(-channels // lanes)
    selected = 0
    stages = [False, False]  # whether the last chunk of a vector is there
    waits = False
    for i_valid, i_ready, o_valid, o_ready in handshakes:
        is_free = not waits or o_ready
        is_last = selected % chunks == chunks - 1
        assert o_valid == waits
        assert i_ready == (is_free and is_last)
        if is_free:
            *stages, waits = [i_valid and is_last, *stages]
            selected += i_valid


@pytest.mark.parametrize(("channels", "lanes"), [(1, 1), (6, 6), (6, 5), (6, 3), (5, 2), (7, 1)])
def test_latency_and_throughput_at_full_rate(channels, lanes):
    dut = Requantizer(channels=channels, lanes=lanes, peak=5, output_bits=4)
    vectors = np.random.default_rng(4).integers(-5, 6, (6, channels))
    _, handshakes = run(dut, vectors.tolist(), [1] * channels, [0] * channels, [0] * channels)
    chunks = -(-channels // lanes)
    taken = [n for n, (i_valid, i_ready, _, _) in enumerate(handshakes) if i_valid and i_ready]
    offered = [n for n, (_, _, o_valid, _) in enumerate(handshakes) if o_valid]
    assert taken == [chunks * (n + 1) - 1 for n in range(len(vectors))]
    assert offered == [n + 3 for n in taken]


MORE_SHIFTS = [pytest.param(1, shift, marks=pytest.mark.full) for shift in range(1, 31)]


@pytest.mark.parametrize(
    ("peak", "shift"), [(1, 0), (1, 31), *((20000, shift) for shift in range(32)), *MORE_SHIFTS]
)
def test_extremes_are_exact(peak, shift):
    pairs = [(a, b) for a in EXTREMES for b in OFFSETS]
    multiplier, offset = np.array(pairs).T
    dut = Requantizer(channels=len(pairs), lanes=len(pairs), peak=peak, output_bits=8)
    vectors = np.array([[value] * len(pairs) for value in (-peak, -1, 0, 1, peak)])
    y, _ = run(dut, vectors.tolist(), multiplier, offset, [shift] * len(pairs))
    assert (y == requantize(vectors, multiplier, offset, shift, 8)).all()


@pytest.mark.parametrize("lanes", [1, 5, 32])
def test_every_channel_has_its_own_shift(lanes):
    """All 32 shifts in one vector, in the order of the channels and against it."""
    dut = Requantizer(channels=32, lanes=lanes, peak=1000, output_bits=8)
    rng = np.random.default_rng(6)
    for shift in (np.arange(32), np.arange(32)[::-1]):
        multiplier = np.full(32, 0x7FFF)
        offset = rng.integers(0, 1 << 31, 32)
        vectors = rng.integers(-1000, 1001, (4, 32))
        y, _ = run(dut, vectors.tolist(), multiplier, offset, shift)
        assert (y == requantize(vectors, multiplier, offset, shift, 8)).all()
        assert len(set(y[0].tolist())) > 3


def test_logits_use_all_32_bits():
    peak = 65535
    multiplier = np.array([-(1 << 15), -(1 << 15), (1 << 15) - 1, 0, 0])
    offset = np.array([(1 << 15) - 1, -(1 << 15), 65535, (1 << 31) - 1, -(1 << 31)])
    vectors = np.array([[-peak, peak, peak, peak, -peak]])
    dut = Requantizer(channels=5, lanes=2, peak=peak, output_bits=None)
    expected = requantize(vectors, multiplier, offset, 31, None)
    assert expected.max() == 2**31 - 1
    assert expected.min() == -(2**31)
    y, _ = run(dut, vectors.tolist(), multiplier, offset, [31] * 5)  # which logits do not use
    assert (y == expected).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 0}, "channels must be at least 1, not 0"),
        ({"lanes": 0}, "lanes must be 1 to channels = 4, not 0"),
        ({"lanes": 5}, "lanes must be 1 to channels = 4, not 5"),
        ({"peak": 0}, "peak must be at least 1, not 0"),
        ({"output_bits": 0}, "output_bits must be at least 1, not 0"),
        ({"shortcut_bits": -1}, "shortcut_bits must be 0 to 4, not -1"),
        ({"shortcut_bits": 5}, "shortcut_bits must be 0 to 4, not 5"),
        ({"shortcut_bits": 1, "output_bits": None}, "shortcut_bits must be 0 to 0, not 1"),
    ],
)
def test_rejects(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Requantizer(**{"channels": 4, "lanes": 2, "peak": 9, "output_bits": 4, **change})


@pytest.mark.parametrize(("channels", "lanes"), [(5, 2), (4, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize("output_bits", [4, None])
@pytest.mark.parametrize("sets", [2, 3])
def test_each_set_of_scales_is_used_where_it_is_chosen(channels, lanes, output_bits, sets):
    dut = Requantizer(channels=channels, lanes=lanes, peak=1000, output_bits=output_bits, sets=sets)
    rng = np.random.default_rng(sets)
    vectors = rng.integers(-1000, 1001, (sets, 6, channels))
    scales = [random_scales(rng, channels, output_bits, 1000) for _ in range(sets)]
    taken = []

    async def drive(ctx):
        for number in rng.permutation(sets):
            for channel in range(channels):
                values = [int(part[channel]) for part in scales[number]]
                names = ("multiplier", "offset", "shift")
                write = dict(zip(names, values, strict=True))
                ctx.set(dut.scales, {"valid": 1, "set": int(number), "channel": channel, **write})
                await ctx.tick()
        ctx.set(dut.scales.valid, 0)
        for number in range(sets):
            ctx.set(dut.set, number)
            await send(ctx, dut.i, vectors[number].tolist())
            await ctx.tick().repeat(5)  # the last result has left

    async def sink(ctx):
        await receive(ctx, dut.o, 6 * sets)

    simulate(dut, drive, sink, monitors=[watch(dut.o, taken)], deadline=2000)
    got = np.array([list(payload) for _, payload in taken]).reshape(sets, 6, channels)
    for number in range(sets):
        expected = requantize(vectors[number], *scales[number], output_bits)
        assert (got[number] == expected).all()
