"""The accelerator as software sees it: two streams and its registers."""

import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.hdl.bus.register_map import IDENTITY, MAP_VERSION
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.model.reference.network import classify
from kakure.sim.drivers.streams import send
from tests.tiny_accelerator import (
    BUSY,
    CLASS,
    CLEAR,
    CONFIG,
    FAILED,
    IMAGES,
    LOADED,
    LOGITS,
    MASKS,
    OFFSETS,
    PARAMETERS,
    RESET,
    SUPERMASK,
    Top,
    framed,
    results,
)


def test_registers_identify_the_accelerator():
    top = Top()

    async def bench(ctx):
        assert await top.register(ctx, "IDENTITY") == IDENTITY
        assert await top.register(ctx, "VERSION") == MAP_VERSION
        digest = [await top.register(ctx, f"DIGEST_{k}") for k in range(8)]
        assert "".join(f"{word:08x}" for word in digest) == CONFIG.digest
        for name in OFFSETS.keys() - {"IDENTITY", "VERSION", *(f"DIGEST_{k}" for k in range(8))}:
            assert await top.register(ctx, name) == 0

    top.run(bench)


def test_logits_and_counters():
    top = Top()

    async def bench(ctx):
        await top.load(ctx)
        assert await top.register(ctx, "STATUS") == LOADED
        assert await top.register(ctx, "ERROR") == 0
        assert await top.register(ctx, "LOAD_CYCLES") == loading_cycles(CONFIG, PARAMETERS)
        await top.infer(ctx, IMAGES)
        assert await top.register(ctx, "STATUS") == LOADED | BUSY

    async def take(ctx):
        assert await top.take(ctx, LOGITS.size) == results(LOGITS)
        await ctx.tick()
        timing = image_timing(CONFIG, len(IMAGES))
        assert await top.register(ctx, "STATUS") == LOADED
        assert await top.register(ctx, "RESULTS") == len(IMAGES)
        assert await top.register(ctx, "LATENCY") == timing.results[0]
        assert await top.register(ctx, "CYCLES") == timing.results[-1]

    # One testbench after the other uses the registers: the results come long after the images.
    top.run(bench, take)


def test_classes():
    top = Top()

    async def bench(ctx):
        await top.control(ctx, CLASS)
        await top.load(ctx)
        await top.infer(ctx, IMAGES)

    async def take(ctx):
        expected = classify(LOGITS).tolist()
        assert await top.take(ctx, len(IMAGES)) == (expected, [1] * len(IMAGES))

    top.run(bench, take)


@pytest.mark.parametrize(
    ("change", "code", "layer"),
    [
        ({0: SUPERMASK[0] ^ 1 << 24}, 1, 0),
        ({1: 0}, 2, 0),
        ({2: SUPERMASK[2] ^ 1}, 3, 0),
        ({len(SUPERMASK) - 1: SUPERMASK[-1] ^ 1}, 3, 1),
    ],
)
def test_a_wrong_supermask_is_an_error_until_a_reset(change, code, layer):
    top = Top()
    wrong = [change.get(n, word) for n, word in enumerate(SUPERMASK)]

    async def bench(ctx):
        await top.load(ctx, wrong)
        assert await top.register(ctx, "STATUS") == FAILED
        layers = MASKS["ERROR"]["LAYER"] & -MASKS["ERROR"]["LAYER"]  # its lowest bit
        assert await top.register(ctx, "ERROR") == code | layer * layers
        await top.control(ctx, CLEAR)  # is for images
        assert await top.register(ctx, "ERROR") == code | layer * layers
        ctx.set(top.o.ready, 1)
        await top.infer(ctx, IMAGES[:1])
        for _ in range(2 * image_timing(CONFIG).latency):
            await ctx.tick()
            assert ctx.get(top.o.valid) == 0
        assert await top.register(ctx, "STATUS") == FAILED
        await top.control(ctx, RESET)
        assert await top.register(ctx, "STATUS") == 0
        assert await top.register(ctx, "ERROR") == 0
        assert await top.register(ctx, "LOAD_CYCLES") == 0
        await top.load(ctx)
        await top.infer(ctx, IMAGES[1:2])
        assert await top.take(ctx, 3) == results(LOGITS[1:2])

    top.run(bench)


@pytest.mark.parametrize("wait", [0, 1, 7, 23, 60])
def test_a_reset_forgets_everything_at_any_time(wait):
    top = Top()

    async def bench(ctx):
        await top.load(ctx)
        await top.infer(ctx, IMAGES[:2])
        for _ in range(wait):
            await ctx.tick()
        await top.control(ctx, RESET | CLASS)
        assert await top.register(ctx, "STATUS") == 0
        assert await top.register(ctx, "RESULTS") == 0
        assert await top.register(ctx, "CONTROL") == CLASS
        await top.control(ctx, 0)
        await top.load(ctx)
        await top.infer(ctx, IMAGES[2:3])
        assert await top.take(ctx, 3) == results(LOGITS[2:3])
        await ctx.tick()
        assert await top.register(ctx, "RESULTS") == 1

    top.run(bench, is_reset=True)


def test_nothing_is_taken_in_the_cycle_of_a_reset():
    top = Top()

    async def bench(ctx):
        ctx.set(top.i.payload, SUPERMASK[0])
        ctx.set(top.i.valid, 1)
        ctx.set(top.dut.s_axi_awaddr, OFFSETS["CONTROL"])
        ctx.set(top.dut.s_axi_wdata, RESET)
        ctx.set(top.dut.s_axi_wstrb, 1)
        ctx.set(top.dut.s_axi_awvalid, 1)
        ctx.set(top.dut.s_axi_wvalid, 1)
        ctx.set(top.dut.s_axi_bready, 1)
        await ctx.tick()
        ctx.set(top.dut.s_axi_awvalid, 0)
        ctx.set(top.dut.s_axi_wvalid, 0)
        assert ctx.get(top.i.ready) == 0
        await ctx.tick()
        assert ctx.get(top.i.ready) == 1
        await send(ctx, top.i, framed(SUPERMASK))  # from its first word on
        await ctx.tick()
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == LOADED

    top.run(bench)


@pytest.mark.parametrize("cycle", range(0, 12))
def test_class_written_while_a_logit_is_offered_changes_the_next_result_only(cycle):
    top = Top()

    async def bench(ctx):
        await top.load(ctx)
        await top.infer(ctx, IMAGES[:2])

    async def take(ctx):
        while not ctx.get(top.o.valid):
            await ctx.tick()
        for _ in range(cycle):
            await ctx.tick()
        await top.control(ctx, CLASS)
        logits, _ = results(LOGITS[:1])
        expected = [*logits, int(classify(LOGITS[1:2])[0])], [0, 0, 1, 1]
        assert await top.take(ctx, 4) == expected

    top.run(bench, take)
