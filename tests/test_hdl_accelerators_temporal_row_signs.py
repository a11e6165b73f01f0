"""Signs of rows in any order are those of the sign matrix."""

from random import Random

import pytest

from kakure.hdl.accelerators.temporal.row_signs import RowSigns
from kakure.hdl.accelerators.temporal.row_signs_shape import LATENCY
from kakure.hdl.weights.sign_generator import job_prefix
from kakure.model.reference.signs import sign_matrix
from kakure.sim.drivers.streams import simulate


@pytest.mark.parametrize(("outputs", "many"), [(1, 1), (4, 2), (16, 3), (32, 1), (64, 2), (96, 1)])
def test_signs_of_rows_in_any_order(outputs, many):
    rows, passes, rng = 20, 5, Random(outputs)
    dut = RowSigns(outputs=outputs, many=many)
    got, expected = [], []

    async def ask(ctx):
        for layer in (0, 3):
            signs = sign_matrix(
                "xorshift32", seed=7, layer=layer, channels=rows, window=1, outputs=outputs * passes
            )
            ctx.set(dut.prefix, job_prefix("xorshift32", seed=7, layer=layer))
            ctx.set(dut.restart, 1)
            await ctx.tick()
            ctx.set(dut.restart, 0)
            for number in range(passes):
                for _ in range(7):
                    asked = rng.sample(range(rows), many)
                    ctx.set(dut.rows, asked)
                    ctx.set(dut.valid, 1)
                    await ctx.tick()
                    parts = signs[asked, number * outputs : (number + 1) * outputs]
                    expected.append([
                        sum(int(s > 0) << n for n, s in enumerate(part)) for part in parts
                    ])
                    if rng.random() < 0.3:
                        ctx.set(dut.valid, 0)
                        await ctx.tick()
                ctx.set(dut.valid, 0)
                for _ in range(LATENCY - 1):
                    await ctx.tick()
                ctx.set(dut.advance, 1)
                await ctx.tick()
                ctx.set(dut.advance, 0)
        for _ in range(LATENCY):
            await ctx.tick()

    async def watch(ctx):
        comes = [0] * LATENCY
        async for *_, valid, signs in ctx.tick().sample(dut.valid, dut.signs):
            if comes[-1]:
                got.append(list(signs))
            comes = [valid, *comes[:-1]]

    simulate(dut, ask, deadline=1000, monitors=[watch])
    assert got == expected
