# amaranth: UnusedElaboratable=no
"""Pixels from words, and the cycles in which they come."""

from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from kakure.hdl.accelerators.pixel_unpacker import PixelUnpacker
from kakure.model.reference.stages import quantize_image
from kakure.sim.drivers.streams import receive, send, simulate, watch
from kakure.sim.runner.golden import pack_image

SHAPES = [
    # pixels, channels, bits
    (1, 1, 1),
    (1, 1, 8),
    (5, 1, 4),
    (8, 1, 3),
    (3, 3, 8),
    (1, 4, 2),
    (7, 5, 4),
    (2, 9, 1),
]


def run(shape, images, gaps=None, stalls=None):
    """What leaves, its cycles, and the cycles in which words are taken."""
    pixels, channels, bits = shape
    dut = PixelUnpacker(pixels=pixels, channels=channels, bits=bits)
    words = [word for image in images for word in pack_image(image)]
    taken = []
    sent = []

    async def drive(ctx):
        await send(ctx, dut.i, words, gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, len(images) * pixels, stalls)

    monitors = [watch(dut.i, sent), watch(dut.o, taken)]
    deadline = 20 * len(images) * pixels * channels + 50
    simulate(dut, drive, sink, monitors=monitors, deadline=deadline)
    assert len(sent) == len(words)
    values = np.array([list(payload) for _, payload in taken])
    return values, [cycle for cycle, _ in taken], [cycle for cycle, _ in sent]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("has_pauses", [False, True])
def test_equals_the_reference(shape, has_pauses):
    pixels, channels, bits = shape
    images = np.random.default_rng(1).integers(0, 256, (4, 1, pixels, channels), dtype=np.uint8)
    pauses = (Random(2), Random(3)) if has_pauses else (None, None)
    values, cycles, sent = run(shape, images, *pauses)
    assert (values == quantize_image(images, bits).reshape(-1, channels)).all()
    if not has_pauses:
        size = pixels * channels
        assert cycles == [channels * (n + 1) - 1 for n in range(4 * pixels)]
        last_bytes = [*range(3, size - 1, 4), size - 1]
        assert sent == [image * size + n for image in range(4) for n in last_bytes]


@pytest.mark.parametrize("bytes_taken", range(1, 18))
def test_a_reset_in_the_middle_of_a_word_begins_with_a_new_image(bytes_taken):
    """Whatever byte, channel and pixel it has come to."""
    pixels, channels, bits = 3, 2, 8
    dut: Any = PixelUnpacker(pixels=pixels, channels=channels, bits=bits)
    is_reset = Signal()
    images = np.random.default_rng(2).integers(0, 256, (2, 1, pixels, channels), dtype=np.uint8)
    words = [pack_image(image) for image in images]
    seen = []

    async def drive(ctx):
        ctx.set(dut.o.ready, 1)
        stream = words[0] * 3
        ctx.set(dut.i.valid, 1)
        for _ in range(bytes_taken):  # a byte a cycle
            ctx.set(dut.i.payload, stream[0])
            *_, is_taken = await ctx.tick().sample(dut.i.ready)
            stream = stream[1:] if is_taken else stream
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 0)
        ctx.set(is_reset, 1)
        await ctx.tick()
        ctx.set(is_reset, 0)
        await send(ctx, dut.i, words[1])

    async def sink(ctx):
        for _ in range(bytes_taken + 1):
            await ctx.tick()
        seen.extend(await receive(ctx, dut.o, pixels))

    simulate(ResetInserter(is_reset)(dut), drive, sink, deadline=100)
    assert [list(pixel) for pixel in seen] == images[1, 0].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": 0}, "pixels must be at least 1, not 0"),
        ({"channels": 0}, "channels must be at least 1, not 0"),
        ({"bits": 0}, "bits must be 1 to 8, not 0"),
        ({"bits": 9}, "bits must be 1 to 8, not 9"),
    ],
)
def test_rejects(change, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        PixelUnpacker(**{"pixels": 2, "channels": 2, "bits": 4, **change})
