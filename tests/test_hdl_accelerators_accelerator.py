"""The accelerator as software sees it: two streams and its registers."""

import json
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.spatial.cycle_model import image_timing, padding_cycles
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS, IDENTITY, MAP_VERSION
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.model.reference.network import classify, network
from kakure.sim.drivers.axi_lite import read, write
from kakure.sim.drivers.streams import receive, send, simulate, watch
from kakure.sim.runner.golden import pack_image

CONFIG = parse_config(
    json.dumps({
        "name": "tiny",
        "dataset": "images",
        "input_shape": [3, 3, 1],
        "weights": {"kind": "hidden", "seed": 3},
        "crossbar": {"rows": 4, "columns": 4},
        "pe_array": {"inputs": 4, "outputs": 3, "pixels": 2},
        "layers": [
            {
                "kind": "conv",
                "channels": 2,
                "kernel": 2,
                "engine": "crossbar",
                "column_sharing": 2,
                "adc_type": "flash",
                "adc_bits": 2,
                "input_bits": 2,
            },
            {"kind": "linear", "channels": 3, "engine": "pe_array", "input_bits": 2},
        ],
    })
)
PARAMETERS = random_parameters(CONFIG, 1)
IMAGES = np.random.default_rng(1).integers(0, 256, (4, 3, 3, 1), dtype=np.uint8)
LOGITS = network(CONFIG, PARAMETERS, IMAGES)
SUPERMASK = image_words(CONFIG, PARAMETERS)
OFFSETS = {register.name: register.offset for register in ACCELERATOR_REGISTERS}
MASKS = {
    register.name: {field.name: field.mask for field in register.fields}
    for register in ACCELERATOR_REGISTERS
}
RESET, CLASS, BATCH, SPLIT, LOAD, CLEAR = MASKS["CONTROL"].values()
LOADED, FAILED, BUSY, WAITING = MASKS["STATUS"].values()
LAST = 1 << 32


def framed(words):
    """Words of a frame, TLAST with the last."""
    return [*words[:-1], words[-1] | LAST]


class Top:
    """An accelerator and what a testbench does with it."""

    def __init__(self):
        dut = Accelerator(config=CONFIG)
        self.dut: Any = dut
        self.i: Any = SimpleNamespace(
            payload=Cat(dut.s_axis_tdata, dut.s_axis_tlast),
            valid=dut.s_axis_tvalid,
            ready=dut.s_axis_tready,
        )
        self.o: Any = SimpleNamespace(
            payload=Cat(dut.m_axis_tdata, dut.m_axis_tlast),
            valid=dut.m_axis_tvalid,
            ready=dut.m_axis_tready,
        )

    def run(self, *benches, deadline=3000, is_reset=False):
        """Simulate; only a reset may withdraw a word that was offered."""
        monitors = [] if is_reset else [watch(self.o)]
        simulate(self.dut, *benches, monitors=monitors, deadline=deadline)

    async def register(self, ctx, name):
        value, response = await read(ctx, self.dut, OFFSETS[name])
        assert response == 0
        return value

    async def control(self, ctx, value):
        assert await write(ctx, self.dut, OFFSETS["CONTROL"], value) == 0
        await ctx.tick()

    async def load(self, ctx, words=SUPERMASK):
        await send(ctx, self.i, framed(words))
        await ctx.tick()
        await ctx.tick()

    async def infer(self, ctx, images):
        await send(ctx, self.i, [word for image in images for word in framed(pack_image(image))])

    async def take(self, ctx, count, rng=None):
        words = await receive(ctx, self.o, count, rng)
        values = np.array([word & 0xFFFFFFFF for word in words], np.uint32).astype(np.int32)
        return values.tolist(), [word >> 32 for word in words]


def results(logits):
    return logits.reshape(-1).tolist(), [0, 0, 1] * len(logits)


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
