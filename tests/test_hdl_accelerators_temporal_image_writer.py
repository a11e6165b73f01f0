# amaranth: UnusedElaboratable=no
"""Images in memory are the codes of the reference."""

from random import Random

import numpy as np
import pytest
from temporal import array_of, temporal

from kakure.hdl.accelerators.temporal.image_writer import ImageWriter, image_cycles, image_value
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.model.reference.stages import quantize_image
from kakure.sim.drivers.streams import send, simulate

ROWS = 512


@pytest.mark.parametrize(
    ("array", "shape", "bits"),
    [
        ((1, 1, 1, 4), (3, 5, 2), 8),
        ((8, 4, 2, 3), (4, 3, 3), 7),
        ((8, 4, 2, 3), (4, 3, 5), 5),
        ((6, 2, 3, 2), (2, 5, 7), 3),
        ((4, 4, 1, 1), (3, 3, 1), 8),
        ((4, 16, 1, 1), (2, 3, 9), 6),
    ],
)
@pytest.mark.parametrize("has_gaps", [False, True])
def test_images_are_the_codes_of_the_reference(array, shape, bits, has_gaps):
    head = {"kind": "linear", "channels": 3, "input_bits": bits}
    config = temporal([head], array, input_shape=list(shape))
    accelerator, image = array_of(config), program_of(config).image
    dut = ImageWriter(word=accelerator.word, banks=accelerator.slots, rows=ROWS)
    images = np.random.default_rng(2).integers(0, 256, (3, *shape)).astype(np.uint8)
    memory = {}
    ends, done = [], []

    async def collect(ctx):
        cycle = 0
        async for *_, end, valid, address, word in ctx.tick().sample(
            dut.ends, dut.o.valid, dut.o.address, dut.o.word
        ):
            if valid:
                memory[address.row * accelerator.slots + address.bank] = word
            if end:
                ends.append(cycle)
            cycle += 1

    async def drive(ctx):
        ctx.set(dut.image, image_value(image, ROWS, accelerator.slots))
        for pixels in images:
            data = pixels.tobytes() + bytes(-pixels.size % 4)
            await send(ctx, dut.i, np.frombuffer(data, "<u4").tolist(),
                       rng=Random(1) if has_gaps else None)  # fmt: skip
            await ctx.tick()
            codes = quantize_image(pixels, bits)
            for y, x, channel in np.ndindex(shape):
                word, lane = divmod(channel, accelerator.word)
                found = sum(
                    (memory[image.address(y, x, word, digit)] >> 4 * lane & 15) << 4 * digit
                    for digit in range(image.digits)
                )
                assert found == codes[y, x, channel]
            done.append(1)

    simulate(dut, drive, deadline=5000, monitors=[collect])
    assert len(done) == len(ends) == 3
    if not has_gaps:
        assert ends[0] + 1 == image_cycles(image, accelerator.word)
