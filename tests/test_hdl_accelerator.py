"""The accelerator as software sees it: two streams and its registers."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat

from hdl.accelerator import Accelerator
from hdl.cycle_model import image_timing
from hdl.loading_time import loading_cycles
from hdl.register_map import ACCELERATOR_REGISTERS, IDENTITY, MAP_VERSION
from model.config import parse_config
from model.image import image_words
from model.parameters import random_parameters
from model.reference import classify, network
from sim.axi_lite import read, write
from sim.golden import pack_image
from sim.streams import receive, send, simulate, watch

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
RESET, CLASS = 1, 2
LOADED, FAILED, BUSY = 1, 2, 4
LAST = 1 << 32


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
        await send(ctx, self.i, [*words[:-1], words[-1] | LAST])
        await ctx.tick()
        await ctx.tick()

    async def infer(self, ctx, images):
        await send(ctx, self.i, [word for image in images for word in pack_image(image)])

    async def take(self, ctx, count):
        words = await receive(ctx, self.o, count)
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
        for name in ("CONTROL", "STATUS", "ERROR", "LOAD_CYCLES", "RESULTS", "LATENCY", "CYCLES"):
            assert await top.register(ctx, name) == 0

    top.run(bench)


def test_logits_and_counters():
    top = Top()

    async def bench(ctx):
        await top.load(ctx)
        assert await top.register(ctx, "STATUS") == LOADED
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
        assert await top.register(ctx, "ERROR") == code | layer << 8
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
        await send(ctx, top.i, [*SUPERMASK[:-1], SUPERMASK[-1] | LAST])  # from its first word on
        await ctx.tick()
        await ctx.tick()
        assert await top.register(ctx, "STATUS") == LOADED

    top.run(bench)
