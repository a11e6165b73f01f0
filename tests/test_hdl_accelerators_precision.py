"""Images tried with few planes first: keeper, judge and choice by themselves, and in a core."""

import json
from random import Random

import numpy as np
import pytest

from kakure.hdl.accelerators.image_keeper import ImageKeeper
from kakure.hdl.accelerators.precision_choice import PrecisionChoice
from kakure.hdl.accelerators.result_judge import ResultJudge
from kakure.hdl.accelerators.spatial.cycle_model import dynamic_timing, image_timing
from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.dynamic import dynamic, margins, settled
from kakure.model.reference.network import network
from kakure.sim.drivers.core import frame, run_core
from kakure.sim.drivers.streams import receive, send, simulate, watch
from kakure.sim.random_config import random_config, uneven, with_planes


@pytest.mark.parametrize("words", [1, 2, 7])
def test_an_image_comes_again_as_often_as_it_is_wanted(words):
    dut = ImageKeeper(image_words=words)
    rng = Random(words)
    times = [rng.randrange(4) for _ in range(12)]  # how often each comes again
    images = [[rng.getrandbits(32) for _ in range(words)] for _ in times]
    sent, taken = [], []

    async def drive(ctx):
        await send(ctx, dut.i, [word for image in images for word in image], Random(1))

    async def decide(ctx):
        ctx.set(dut.holds, 1)
        for count in times:
            for turn in range(count + 1):
                while not ctx.get(dut.is_held):
                    await ctx.tick()
                for _ in range(rng.randrange(3)):
                    await ctx.tick()
                signal = dut.again if turn < count else dut.ends
                ctx.set(signal, 1)
                await ctx.tick()
                ctx.set(signal, 0)

    async def sink(ctx):
        await receive(ctx, dut.o, words * sum(count + 1 for count in times), Random(2))

    simulate(dut, drive, decide, sink, monitors=[watch(dut.i, sent), watch(dut.o, taken)],
             deadline=6000)  # fmt: skip
    expected = [
        w for image, n in zip(images, times, strict=True) for _ in range(n + 1) for w in image
    ]
    assert [word for _, word in taken] == expected


def test_images_that_nobody_holds_follow_each_other_without_a_pause():
    dut = ImageKeeper(image_words=3)
    taken = []

    async def drive(ctx):
        await send(ctx, dut.i, list(range(12)))

    async def end(ctx):
        for n in range(12):  # results of images that have passed mean nothing to those that follow
            ctx.set(dut.ends, n % 2)
            await ctx.tick()

    async def sink(ctx):
        await receive(ctx, dut.o, 12)

    simulate(dut, drive, end, sink, monitors=[watch(dut.o, taken)], deadline=100)
    assert [word for _, word in taken] == list(range(12))
    assert [cycle for cycle, _ in taken] == list(range(12))


def test_an_image_that_ends_before_its_last_word_is_not_held():
    dut = ImageKeeper(image_words=4)
    held = []

    async def drive(ctx):
        ctx.set(dut.holds, 1)
        for image in range(2):
            for word in range(4):
                ctx.set(dut.i.valid, 1)
                ctx.set(dut.o.ready, 1)
                ctx.set(dut.ends, word == (1, 3)[image])
                await ctx.tick()
            held.append(ctx.get(dut.is_held))
        ctx.set(dut.ends, 0)
        await ctx.tick().repeat(4)
        held.append(ctx.get(dut.is_held))
        ctx.set(dut.again, 1)
        await ctx.tick()
        ctx.set(dut.again, 0)
        ctx.set(dut.ends, 1)  # while it comes again
        await ctx.tick()
        ctx.set(dut.ends, 0)
        await ctx.tick().repeat(3)
        held.append(ctx.get(dut.is_held))

    simulate(dut, drive, deadline=100)
    assert held == [0, 0, 1, 0]


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_result_is_judged_by_the_margin_of_its_two_largest_logits(classes):
    dut = ResultJudge(classes=classes)
    rng = np.random.default_rng(classes)
    low, high = -(1 << 31), (1 << 31) - 1
    logits = rng.integers(-9, 10, (40, classes))
    logits[:4] = [[low] * classes, [high] * classes, *rng.choice([low, high], (2, classes))]
    logits[4, :2] = high, low
    thresholds = [1, 5, 9, (1 << 32) - 1, 1 << 31]
    cases = [(row, threshold) for threshold in thresholds for row in logits]
    taken, seen = [], []

    async def drive(ctx):
        for row, threshold in cases:
            ctx.set(dut.threshold, threshold)
            await send(ctx, dut.i, [row.tolist()])

    async def judge(ctx):
        ctx.set(dut.has_more, 1)
        rng = Random(1)
        while True:
            ctx.set(dut.may_judge, rng.random() < 0.7)
            ctx.set(dut.o.ready, rng.random() < 0.7)
            await ctx.tick()

    async def monitor(ctx):
        async for *_, again, valid, ready in ctx.tick().sample(dut.again, dut.i.valid, dut.i.ready):
            if valid and ready:
                seen.append(not again)

    simulate(dut, drive, monitors=[monitor, watch(dut.o, taken), judge], deadline=20000)
    clear = [int(margins(row[None])[0]) >= threshold for row, threshold in cases]
    assert seen == clear and any(clear) and not all(clear)
    expected = [row.tolist() for (row, _), passes in zip(cases, clear, strict=True) if passes]
    assert [list(payload) for _, payload in taken] == expected


@pytest.mark.parametrize("planes", [1, 3, 8])
def test_planes_are_taken_in_rising_order(planes):
    dut = PrecisionChoice(planes=planes)

    async def drive(ctx):
        assert ctx.get(dut.used) == planes
        for tried in [0, 1, 5, 0x80, 0xFF, 0b110, 0b10010010]:
            wanted = [n for n in range(1, planes + 1) if tried >> (n - 1) & 1] or [planes]
            ctx.set(dut.is_busy, 0)
            ctx.set(dut.tried, tried)
            ctx.set(dut.threshold, 7)
            await ctx.tick().repeat(2)
            ctx.set(dut.is_busy, 1)
            ctx.set(dut.tried, 0x55)  # not looked at meanwhile
            ctx.set(dut.threshold, 0)
            for _ in range(2):
                for turn, used in enumerate(wanted):
                    assert ctx.get(dut.used) == used
                    assert ctx.get(dut.has_more) == (turn < len(wanted) - 1)
                    assert ctx.get(dut.least) == 7
                    signal = dut.again if turn < len(wanted) - 1 else dut.ends
                    ctx.set(signal, 1)
                    await ctx.tick()
                    ctx.set(signal, 0)
        ctx.set(dut.is_busy, 0)
        ctx.set(dut.tried, 0xFF)
        await ctx.tick().repeat(2)
        assert not ctx.get(dut.has_more)  # nothing is below a threshold of 0

    simulate(dut, drive, deadline=500)


def network_of(seed):
    """A small network with bitwise weights and two classes at least."""
    while True:
        config = with_planes(random_config(seed, weights=300, cycles=600, blocks=40), 3)
        if config.geometry[-1].outputs > 1:
            return config
        seed += 1000


@pytest.mark.parametrize("schedule", [(1, 3), (1, 2, 3), (2, 3)])
@pytest.mark.parametrize(
    "seed", [22, 32, 36, *(pytest.param(n, marks=pytest.mark.full) for n in (24, 34))]
)
def test_a_core_tries_more_planes_where_the_margin_is_small(seed, schedule):
    config = uneven(network_of(seed), Random(seed)) if seed % 4 else network_of(seed)
    parameters = random_parameters(config, seed)
    images = np.random.default_rng(seed).integers(0, 256, (6, *config.shape), dtype=np.uint8)
    found = [network(config.at(n), parameters.at(n), images) for n in schedule]
    threshold = int(np.median(margins(found[0]))) + 1
    logits, used = dynamic(config, parameters, images, schedule=schedule, threshold=threshold)
    passes = [schedule[: schedule.index(width) + 1] for width in used.tolist()]
    assert len({len(one) for one in passes}) > 1
    timing = dynamic_timing(config, passes, schedule[-1])
    tried = sum(1 << (n - 1) for n in schedule)
    deadline = 2000 + architecture_of(config).loading_cycles(parameters) + 4 * timing.results[-1]
    run = run_core(config, parameters, images, tried=tried, threshold=threshold, deadline=deadline)
    assert (run.logits == logits).all()
    assert run.results == timing.results
    slow = run_core(
        config, parameters, images, tried=tried, threshold=threshold, deadline=9 * deadline,
        gaps=6, rng=Random(seed),
    )  # fmt: skip
    assert (slow.logits == logits).all()
    assert (settled(found, threshold)[0] == logits).all()


@pytest.mark.parametrize("planes", [1, 2, 3])
def test_one_number_of_planes_takes_what_it_takes_without_a_choice(planes):
    config = network_of(20)
    timing = dynamic_timing(config, [(planes,)] * 4, planes)
    assert timing.results == image_timing(config.at(planes), 4).results


def dropped_rows(classes=2, side=(3, 8, 1), pool=2):
    """A network whose result is there before the last words of its image."""
    conv = {"kind": "conv", "kernel": 1, "channels": 2, "pool": pool}
    head = {"kind": "linear", "channels": classes}
    both = {"engine": "pe_array", "input_bits": 3}
    return parse_config(
        json.dumps({
            "name": "dropped",
            "dataset": "images",
            "input_shape": side,
            "weights": {"kind": "bitwise", "bits": 2},
            "pe_array": {"inputs": 4, "outputs": 2, "pixels": 1},
            "layers": [conv | both, head | both],
        })
    )


def run_choices(config, *, seed, share=0.5, count=8):
    """How often images in a row are tried; they have the reference's logits, in its cycles."""
    parameters = random_parameters(config, seed)
    images = np.random.default_rng(seed).integers(0, 256, (count, *config.shape), dtype=np.uint8)
    first = network(config.at(1), parameters.at(1), images)
    classes = first.shape[1]
    threshold = int(np.quantile(margins(first), share)) + 1 if classes > 1 else 1
    logits, used = dynamic(config, parameters, images, schedule=(1, 2), threshold=threshold)
    passes = [(1, 2)[:width] for width in used.tolist()]
    timing = architecture_of(config).dynamic_timing(passes, 2)
    deadline = 2000 + architecture_of(config).loading_cycles(parameters) + 4 * timing.results[-1]
    run = run_core(config, parameters, images, tried=3, threshold=threshold, deadline=deadline)
    assert (run.logits == logits).all()
    assert run.results == timing.results
    return {len(one) for one in passes}


@pytest.mark.parametrize("seed", range(4))
def test_the_next_image_begins_with_few_planes_though_words_of_the_last_one_still_pass(seed):
    assert run_choices(dropped_rows(), seed=seed) == {1, 2}


def test_an_image_of_one_word_may_be_tried_again():
    assert run_choices(dropped_rows(side=(1, 1, 1), pool=1), seed=3) == {1, 2}


def test_one_class_is_always_clear():
    assert run_choices(dropped_rows(classes=1), seed=3) == {1}


def test_there_is_a_threshold_where_it_does_something():
    shown = {}
    for bits, classes in ((2, 3), (2, 1), (1, 3)):
        config = dropped_rows(classes=classes).at(bits)
        shown[bits, classes] = [one.name for one in architecture_of(config).own_registers]
    assert shown == {(2, 3): ["PLANES", "THRESHOLD"], (2, 1): ["PLANES"], (1, 3): ["PLANES"]}


def test_registers_that_change_as_an_image_of_one_word_begins_are_those_of_the_next_one():
    config = dropped_rows(side=(1, 1, 1), pool=1)
    parameters = random_parameters(config, 1)
    core = architecture_of(config).core()
    supermask = [w for section in architecture_of(config).sections(parameters) for w in section]
    taken = []

    async def drive(ctx):
        await send(ctx, core.i, frame(supermask))
        await ctx.tick().repeat(5)
        for wait in range(6):
            ctx.set(core.tried, 2)
            ctx.set(core.threshold, 0)
            await ctx.tick().repeat(40)
            ctx.set(core.i.payload, {"word": 100 + wait, "last": 1})
            ctx.set(core.i.valid, 1)
            for cycle in range(6):  # in one of these the word is taken
                if cycle == wait:
                    ctx.set(core.tried, 3)
                    ctx.set(core.threshold, 0xFFFFFFFF)
                is_taken = ctx.get(core.i.ready) and ctx.get(core.i.valid)
                await ctx.tick()
                if is_taken:
                    ctx.set(core.i.valid, 0)

    async def sink(ctx):
        await receive(ctx, core.o, 12)

    simulate(core, drive, sink, monitors=[watch(core.o, taken)], deadline=3000)
    images = np.arange(100, 106, dtype=np.uint8).reshape(6, 1, 1, 1)
    got = np.array([payload.word for _, payload in taken], np.uint32).astype(np.int32)
    assert (got.reshape(6, 2) == network(config, parameters, images)).all()  # all planes, always
