# amaranth: UnusedElaboratable=no
"""Logits and classes of any number of classes."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.accelerators.temporal.logit_sender import LogitSender, sender_cycles
from kakure.model.reference.network import classify
from kakure.sim.drivers.streams import receive, simulate


@pytest.mark.parametrize(("outputs", "classes"), [(1, 1), (1, 4), (4, 3), (4, 4), (4, 9), (16, 5)])
@pytest.mark.parametrize("has_stalls", [False, True])
def test_results(outputs, classes, has_stalls):
    depth = -(-classes // outputs)
    dut = LogitSender(outputs=outputs, depth=depth)
    rng = np.random.default_rng(classes)
    logits = rng.integers(-(2**31), 2**31, (6, classes))
    logits[3] = 7  # equals: the first wins
    got, cycles = [], []

    async def drive(ctx):
        ctx.set(dut.last_class, classes - 1)
        for number, values in enumerate(logits):
            padded = np.zeros(depth * outputs, np.int64)
            padded[:classes] = values
            for part in padded.reshape(depth, outputs):
                ctx.set(dut.i, {"valid": 1, "values": part.tolist()})
                await ctx.tick()
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.sends_class, number % 2)
            ctx.set(dut.is_complete, 1)
            await ctx.tick()
            ctx.set(dut.is_complete, 0)
            ctx.set(dut.may_send, int(number != 4))
            ctx.set(dut.must_drop, int(number == 4))
            count = 0
            while ctx.get(dut.is_busy):
                await ctx.tick()
                count += 1
            if number != 4:
                cycles.append(count)
            ctx.set(dut.may_send, 0)
            ctx.set(dut.must_drop, 0)

    async def take(ctx):
        for number, values in enumerate(logits):
            if number == 4:
                continue
            words = await receive(
                ctx, dut.o, 1 if number % 2 else classes, rng=Random(1) if has_stalls else None
            )
            got.append([word.word for word in words])
            assert [word.last for word in words] == [0] * (len(words) - 1) + [1]
            expected = classify(values[None]).tolist() if number % 2 else values % 2**32
            assert got[-1] == list(expected)

    simulate(dut, drive, take, deadline=2000)
    if not has_stalls:
        assert cycles == [sender_cycles(classes, outputs)] * 5
