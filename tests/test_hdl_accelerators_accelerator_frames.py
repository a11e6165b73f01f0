"""Frames of the accelerator: what is no image is an error, and the next one is right."""

from random import Random

import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.model.reference.network import classify
from kakure.sim.drivers.streams import send
from kakure.sim.runner.golden import pack_image
from tests.tiny_accelerator import (
    BATCH,
    CLASS,
    CLEAR,
    CONFIG,
    FAILED,
    IMAGES,
    LAST,
    LOADED,
    LOGITS,
    Top,
    framed,
    results,
)


def frames_of(*kinds):
    """Frames by what is wrong with them, of the images in turn; and the images that are right."""
    words, right = [], []
    for n, kind in enumerate(kinds):
        image = n % len(IMAGES)
        whole = pack_image(IMAGES[image])
        if kind == "right":
            right.append(image)
        cut = {"right": whole, "short": whole[:-1], "shortest": whole[:1]}
        cut |= {"long": [*whole, 7], "longer": whole * 3}
        words += framed(cut[kind])
    return words, right


@pytest.mark.parametrize("is_class", [False, True])
@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        (("short", "right", "right", "right", "right"), 8),
        (("right", "right", "right", "shortest", "right", "right"), 8),
        (("long", "right"), 9),
        (("right", "longer", "right", "short", "long", "right", "right"), 9),
        (("shortest", "shortest", "longer", "right"), 8),
    ],
)
def test_a_wrong_frame_is_an_error_without_a_result_and_the_next_is_right(
    kinds, code, seed, is_class
):
    top = Top()
    words, right = frames_of(*kinds)
    wrong = len(kinds) - len(right)
    rngs = [None if seed is None else Random(f"{seed} {n}") for n in range(2)]

    async def bench(ctx):
        await top.control(ctx, CLASS * is_class)
        await top.load(ctx)
        await send(ctx, top.i, words, rngs[0])

    async def take(ctx):
        if is_class:
            expected = classify(LOGITS[right]).tolist(), [1] * len(right)
        else:
            expected = results(LOGITS[right])
        assert await top.take(ctx, len(expected[0]), rngs[1]) == expected
        await ctx.tick()
        ctx.set(top.o.ready, 1)
        for _ in range(2 * image_timing(CONFIG).latency):
            await ctx.tick()
            assert ctx.get(top.o.valid) == 0
        assert await top.register(ctx, "ERROR") == code
        assert await top.register(ctx, "STATUS") == LOADED | FAILED
        assert await top.register(ctx, "RESULTS") == len(right)
        assert await top.register(ctx, "DROPPED") == wrong
        await top.control(ctx, CLEAR | CLASS * is_class)
        assert await top.register(ctx, "STATUS") == LOADED
        assert await top.register(ctx, "ERROR") == 0
        assert await top.register(ctx, "DROPPED") == 0
        assert await top.register(ctx, "RESULTS") == len(right)

    top.run(bench, take, deadline=6000)


def test_a_second_supermask_without_a_load_is_a_wrong_frame():
    top = Top()

    async def bench(ctx):
        await top.load(ctx)
        await top.load(ctx)
        await top.infer(ctx, IMAGES[:1])

    async def take(ctx):
        assert await top.take(ctx, 3) == results(LOGITS[:1])
        assert await top.register(ctx, "ERROR") == 9

    top.run(bench, take)


@pytest.mark.parametrize("last", [[], [2], [0, 1], [3]])
def test_a_batch_needs_no_last(last):
    top = Top()
    words = [
        word | LAST * (n in last and k == len(pack_image(image)) - 1)
        for n, image in enumerate(IMAGES)
        for k, word in enumerate(pack_image(image))
    ]

    async def bench(ctx):
        await top.control(ctx, BATCH)
        await top.load(ctx)
        await send(ctx, top.i, words)

    async def take(ctx):
        assert await top.take(ctx, LOGITS.size) == results(LOGITS)
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == LOADED

    top.run(bench, take)
