"""An accelerator so small that it is simulated in seconds, and its bench, for many tests."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
from amaranth.hdl import Cat

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.bus.register_map import ACCELERATOR_REGISTERS
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.model.reference.network import network
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
