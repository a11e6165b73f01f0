"""A supermask is loaded at any time, in any transfers, and anew without a reset."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing, padding_cycles
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.model.reference.network import network
from kakure.sim.drivers.streams import send
from tests.tiny_accelerator import (
    BUSY,
    CONFIG,
    FAILED,
    IMAGES,
    LAST,
    LOAD,
    LOADED,
    LOGITS,
    MASKS,
    OFFSETS,
    PARAMETERS,
    SPLIT,
    SUPERMASK,
    WAITING,
    Top,
    framed,
    results,
)

OTHER = random_parameters(CONFIG, 2)
OTHER_LOGITS = network(CONFIG, OTHER, IMAGES)
OTHER_SUPERMASK = image_words(CONFIG, OTHER)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("wait", [0, 1, 5, 30, 200])
def test_a_load_without_a_reset_after_the_results_on_their_way(wait, seed):
    top = Top()
    rngs = [None if seed is None else Random(f"{seed} {n}") for n in range(2)]

    async def bench(ctx):
        await top.load(ctx)
        await top.infer(ctx, IMAGES)
        for _ in range(wait):
            await ctx.tick()
        await top.control(ctx, LOAD)
        await send(ctx, top.i, framed(OTHER_SUPERMASK), rngs[0])
        await ctx.tick()
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == LOADED
        assert await top.register(ctx, "LOAD_CYCLES") >= loading_cycles(CONFIG, OTHER)
        for name in ("RESULTS", "LATENCY", "CYCLES", "DROPPED"):
            assert await top.register(ctx, name) == 0
        for _ in range(padding_cycles(CONFIG)):
            await ctx.tick()
        await top.infer(ctx, IMAGES)

    async def take(ctx):
        got = await top.take(ctx, 2 * LOGITS.size, rngs[1])
        assert got == results(np.concatenate([LOGITS, OTHER_LOGITS]))
        await ctx.tick()
        if seed is None:
            timing = image_timing(CONFIG, len(IMAGES))
            assert await top.register(ctx, "LOAD_CYCLES") == loading_cycles(CONFIG, OTHER)
            assert await top.register(ctx, "LATENCY") == timing.results[0]
            assert await top.register(ctx, "CYCLES") == timing.results[-1]
        assert await top.register(ctx, "RESULTS") == len(IMAGES)

    assert (LOGITS != OTHER_LOGITS).any()
    top.run(bench, take, deadline=8000)


def test_a_load_waits_for_results_that_are_not_taken():
    top = Top()

    async def bench(ctx):
        await top.load(ctx)
        await top.infer(ctx, IMAGES[:1])
        await top.control(ctx, LOAD)
        ctx.set(top.i.payload, OTHER_SUPERMASK[0])
        ctx.set(top.i.valid, 1)
        for _ in range(2 * image_timing(CONFIG).latency):
            await ctx.tick()
            assert ctx.get(top.i.ready) == 0
        assert await top.register(ctx, "STATUS") == LOADED | BUSY | WAITING
        assert await top.take(ctx, 3) == results(LOGITS[:1])
        *_, ready = await ctx.tick().sample(top.i.ready)
        assert ready == 0  # LOADED falls
        await send(ctx, top.i, framed(OTHER_SUPERMASK))
        await ctx.tick()
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == LOADED

    top.run(bench)


@pytest.mark.parametrize("sent", [0, 1, 2, 3, 4, 5, 9, len(SUPERMASK) - 1])
@pytest.mark.parametrize("is_wrong", [False, True])
def test_a_load_begins_a_load_anew(sent, is_wrong):
    """Whatever was sent of the one before, and whether or not that has failed."""
    top = Top()
    first = [OTHER_SUPERMASK[0] ^ is_wrong, *OTHER_SUPERMASK[1:]]

    async def bench(ctx):
        await send(ctx, top.i, first[:sent])
        await top.control(ctx, LOAD)
        assert await top.register(ctx, "STATUS") == 0
        assert await top.register(ctx, "LOAD_CYCLES") == 0
        await top.load(ctx)
        assert await top.register(ctx, "LOAD_CYCLES") == loading_cycles(CONFIG, PARAMETERS)
        assert await top.register(ctx, "STATUS") == LOADED
        await top.infer(ctx, IMAGES)

    async def take(ctx):
        assert await top.take(ctx, LOGITS.size) == results(LOGITS)

    top.run(bench, take)


def test_a_word_sent_right_behind_the_answer_to_a_load_is_the_first():
    """The word before it is forgotten, even if it was held up inside."""
    for wait in range(4):
        top = Top()

        async def bench(ctx, top=top, wait=wait):
            await send(ctx, top.i, SUPERMASK[:3])  # the mask waits for the first signs
            for _ in range(wait):
                await ctx.tick()
            for name, value in (("awaddr", OFFSETS["CONTROL"]), ("wdata", LOAD), ("wstrb", 1)):
                ctx.set(getattr(top.dut, f"s_axi_{name}"), value)
            for name in ("awvalid", "wvalid", "bready"):
                ctx.set(getattr(top.dut, f"s_axi_{name}"), 1)
            await ctx.tick()
            for name in ("awvalid", "wvalid"):
                ctx.set(getattr(top.dut, f"s_axi_{name}"), 0)
            await top.load(ctx)
            assert await top.register(ctx, "STATUS") == LOADED

        top.run(bench)


@pytest.mark.parametrize("lasts", [[], [0], [4, 11], [*range(len(SUPERMASK))]])
def test_a_supermask_in_several_transfers(lasts):
    top = Top()
    words = [word | LAST * (n in lasts) for n, word in enumerate(SUPERMASK)]

    async def bench(ctx):
        await top.control(ctx, SPLIT)
        await send(ctx, top.i, words)
        await ctx.tick()
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == LOADED
        await top.infer(ctx, IMAGES)

    async def take(ctx):
        assert await top.take(ctx, LOGITS.size) == results(LOGITS)

    top.run(bench, take)


@pytest.mark.parametrize("lasts", [[], [0], [1], [4, len(SUPERMASK) - 1]])
def test_last_elsewhere_in_a_supermask_is_an_error_without_split(lasts):
    top = Top()

    async def bench(ctx):
        await send(ctx, top.i, [word | LAST * (n in lasts) for n, word in enumerate(SUPERMASK)])
        await ctx.tick()
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == FAILED
        assert await top.register(ctx, "ERROR") & MASKS["ERROR"]["CODE"] == 2

    top.run(bench)
