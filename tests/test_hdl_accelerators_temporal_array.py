# amaranth: UnusedElaboratable=no
"""Sums of the temporal array, and the cycles of its steps."""

from random import Random
from typing import Any

import numpy as np
import pytest

from kakure.hdl.accelerators.temporal.array import TemporalArray
from kakure.sim.drivers.streams import send, simulate

SHAPES = [(1, 1, 1, 1), (4, 2, 3, 2), (6, 1, 2, 5), (3, 4, 1, 3), (8, 2, 4, 1)]
"""Inputs, outputs, pixels, batches."""
SUM_BITS = 16


def jobs(rng, shape, passes):
    """Steps of passes over some blocks, in order, and what they drain."""
    inputs, outputs, pixels, batches = shape
    steps, weights, drained, old = [], [], [], 0
    sums = np.zeros((batches, pixels, outputs), np.int64)
    for _ in range(passes):
        planes = [[1], [3], [4], [4, 1], [4, 4]][rng.integers(5)]
        now = int(rng.integers(1, batches + 1))
        for block in range(rng.integers(1, 4)):
            w = rng.integers(-1, 2, (inputs, outputs))
            weights.append(w)
            for batch in range(max(now, old) if block == 0 else now):
                drains = int(block == 0 and batch < old)
                if drains:
                    drained += [sums[batch, p].tolist() for p in range(pixels)]
                for digit, many in enumerate(planes if batch < now else [0]):
                    x = rng.integers(0, 1 << max(many, 1), (pixels, inputs))
                    steps.append({
                        "x": x.tolist(),
                        "last_plane": max(many, 1) - 1,
                        "digit": digit,
                        "batch": batch,
                        "computes": int(many > 0),
                        "begins_block": int(batch == 0 and digit == 0),
                        "begins_sums": int(block == 0),
                        "drains": int(drains and digit == 0),
                    })
                    if many:
                        before = 0 if block == digit == 0 else sums[batch]
                        sums[batch] = before + (x @ w << 4 * digit)
        old = now
    for batch in range(old):  # the last pass is only drained
        drained += [sums[batch, p].tolist() for p in range(pixels)]
        steps.append({
            "x": np.zeros((pixels, inputs), int).tolist(), "last_plane": 0, "digit": 0,
            "batch": batch, "computes": 0, "begins_block": 0, "begins_sums": 1, "drains": 1,
        })  # fmt: skip
    return steps, weights, drained


def length(step, pixels, pace):
    planes = step["last_plane"] + 1 if step["computes"] else 1
    return max(planes, step["drains"] * pixels * pace)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("has_gaps", "pace"), [(False, 1), (True, 1), (False, 3)])
def test_sums_and_cycles(shape, has_gaps, pace):
    inputs, outputs, pixels, batches = shape
    rng = np.random.default_rng(sum(shape))
    steps, weights, drained = jobs(rng, shape, 8)
    dut = TemporalArray(
        inputs=inputs,
        outputs=outputs,
        pixels=pixels,
        batches=batches,
        sum_bits=SUM_BITS,
        most_pace=pace,
    )
    gaps = Random(1) if has_gaps else None
    got, taken = [], []

    async def make(ctx):
        for w in weights:
            for lane in range(inputs):
                row: dict[str, Any] = {"valid": 1, "group": lane}
                for name, sign in (("positive", 1), ("negative", -1)):
                    row[name] = [sum(int(v == sign) << o for o, v in enumerate(w[lane]))]
                ctx.set(dut.weights, row)
                await ctx.tick()
            ctx.set(dut.weights, {"valid": 0, "group": 0, "positive": [1], "negative": [1]})
            ctx.set(dut.is_made, 1)
            is_taken = False
            while not is_taken:
                *_, is_taken = await ctx.tick().sample(dut.takes)
            ctx.set(dut.is_made, 0)

    async def feed(ctx):
        ctx.set(dut.pace, pace)
        await send(ctx, dut.i, steps, rng=gaps)
        for _ in range(pace * pixels + 8):
            await ctx.tick()

    async def watch(ctx):
        cycle = 0
        async for *_, valid, sums, offered, ready in ctx.tick().sample(
            dut.o.valid, dut.o.sums, dut.i.valid, dut.i.ready
        ):
            if valid:
                got.append([int(s) for s in sums])
            if offered and ready:
                taken.append(cycle)
            cycle += 1

    simulate(dut, make, feed, deadline=20000, monitors=[watch])
    assert got == drained
    distances = np.diff(taken).tolist()
    wanted = [length(step, pixels, pace) for step in steps[:-1]]
    if has_gaps:
        assert all(found >= least for found, least in zip(distances, wanted, strict=True))
    else:  # but for blocks that wait for their weights
        assert all(
            found == least
            for found, least, after in zip(distances, wanted, steps[1:], strict=True)
            if not after["begins_block"]
        )
