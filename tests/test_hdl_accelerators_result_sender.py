# amaranth: UnusedElaboratable=no
"""Results on the stream, word by word and cycle by cycle."""

from random import Random

import numpy as np
import pytest

from kakure.hdl.accelerators.result_sender import ResultSender
from kakure.model.reference.network import classify
from kakure.sim.drivers.streams import receive, send, simulate, watch


def run(logits, *, sends_class, gaps=None, stalls=None):
    """(cycle, word, last) of every word taken; logits are (images, classes)."""
    images, classes = logits.shape
    dut = ResultSender(classes=classes)
    taken = []

    async def drive(ctx):
        ctx.set(dut.sends_class, sends_class)
        ctx.set(dut.may_send, 1)
        await ctx.tick()
        await send(ctx, dut.i, logits.tolist(), gaps)

    async def sink(ctx):
        await receive(ctx, dut.o, images * (1 if sends_class else classes), stalls)

    monitors = [watch(dut.i), watch(dut.o, taken)]
    simulate(dut, drive, sink, monitors=monitors, deadline=20 * images * classes + 50)
    return [(cycle - 1, payload.word, payload.last) for cycle, payload in taken]


def images(classes):
    """Random logits, then extremes, then some that are equal."""
    rng = np.random.default_rng(1)
    ends = np.array([-(1 << 31), (1 << 31) - 1])
    return np.concatenate([
        rng.integers(-(1 << 31), 1 << 31, (6, classes)),
        rng.choice(ends, (4, classes)),
        rng.integers(-1, 2, (8, classes)),
        np.full((1, classes), -5),
    ])


@pytest.mark.parametrize("classes", [1, 2, 3, 10])
@pytest.mark.parametrize("has_pauses", [False, True])
def test_sends_every_logit(classes, has_pauses):
    logits = images(classes)
    pauses = {"gaps": Random(2), "stalls": Random(3)} if has_pauses else {}
    taken = run(logits, sends_class=0, **pauses)
    words = [int(value) & 0xFFFFFFFF for value in logits.reshape(-1)]
    assert [word for _, word, _ in taken] == words
    assert [last for _, _, last in taken] == ([0] * (classes - 1) + [1]) * len(logits)
    if not has_pauses:
        assert [cycle for cycle, _, _ in taken] == [*range(len(words))]


@pytest.mark.parametrize("classes", [1, 2, 3, 10])
@pytest.mark.parametrize("has_pauses", [False, True])
def test_sends_the_first_of_the_largest(classes, has_pauses):
    logits = images(classes)
    pauses = {"gaps": Random(2), "stalls": Random(3)} if has_pauses else {}
    taken = run(logits, sends_class=1, **pauses)
    assert [(word, last) for _, word, last in taken] == [(c, 1) for c in classify(logits)]
    if not has_pauses:
        ends = [classes * (n + 1) - 1 for n in range(len(logits))]
        assert [cycle for cycle, _, _ in taken] == ends


@pytest.mark.parametrize("sends_class", [0, 1])
@pytest.mark.parametrize("classes", [1, 2, 5])
@pytest.mark.parametrize("stalls", [0, 1, 4])
def test_the_mode_of_a_result_is_that_of_the_cycle_before_it(classes, sends_class, stalls):
    """``sends_class`` is changed in every cycle of the first result, and once in between."""
    logits = np.array([[3 * n for n in range(classes)], [*range(classes)]])
    dut = ResultSender(classes=classes)
    taken = []

    async def drive(ctx):
        ctx.set(dut.may_send, 1)
        ctx.set(dut.sends_class, sends_class)
        await ctx.tick()
        await send(ctx, dut.i, logits[:1].tolist())
        ctx.set(dut.sends_class, 1 - sends_class)
        await ctx.tick()
        await send(ctx, dut.i, logits[1:].tolist())

    async def switch(ctx):
        while not ctx.get(dut.i.valid):
            await ctx.tick()
        mode = sends_class
        while ctx.get(dut.i.valid):
            mode = 1 - mode
            ctx.set(dut.sends_class, mode)
            await ctx.tick()

    async def sink(ctx):
        words = [1 if sends_class else classes, classes if sends_class else 1]
        for count in words:
            for _ in range(count):
                for _ in range(stalls):
                    await ctx.tick()
                await receive(ctx, dut.o, 1)

    monitors = [switch, watch(dut.i), watch(dut.o, taken)]
    simulate(dut, drive, sink, monitors=monitors, deadline=200)
    wanted = []
    for mode, row in zip((sends_class, 1 - sends_class), logits.tolist(), strict=True):
        sent = [int(classify(np.array([row]))[0])] if mode else row
        wanted += [(word, n == len(sent) - 1) for n, word in enumerate(sent)]
    assert [(payload.word, payload.last) for _, payload in taken] == wanted


def test_a_result_waits_until_it_may_be_sent():
    dut = ResultSender(classes=2)

    async def bench(ctx):
        ctx.set(dut.i.payload, [5, 6])
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for _ in range(3):
            await ctx.tick()
            assert (ctx.get(dut.o.valid), ctx.get(dut.i.ready)) == (0, 0)
        ctx.set(dut.may_send, 1)
        words = []
        for _ in range(2):
            *_, valid, payload, ready = await ctx.tick().sample(
                dut.o.valid, dut.o.payload, dut.i.ready
            )
            words.append((valid, payload.word, payload.last, ready))
        assert words == [(1, 5, 0, 0), (1, 6, 1, 1)]

    simulate(dut, bench, deadline=20)


@pytest.mark.parametrize("sends_class", [0, 1])
@pytest.mark.parametrize("classes", [1, 3])
def test_a_result_that_must_be_dropped_is_taken_at_once_and_not_sent(classes, sends_class):
    dut = ResultSender(classes=classes)
    taken = []

    async def bench(ctx):
        ctx.set(dut.sends_class, sends_class)
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        ctx.set(dut.must_drop, 1)
        await send(ctx, dut.i, [[7] * classes])
        ctx.set(dut.must_drop, 0)
        ctx.set(dut.may_send, 1)
        await send(ctx, dut.i, [[*range(classes)]])

    simulate(dut, bench, monitors=[watch(dut.o, taken)], deadline=20)
    assert taken[0][0] == (2 + classes - 1 if sends_class else 2)
    wanted = [classes - 1] if sends_class else [*range(classes)]
    assert [payload.word for _, payload in taken] == wanted


def test_rejects():
    with pytest.raises(ValueError, match=r"^classes must be at least 1, not 0$"):
        ResultSender(classes=0)
