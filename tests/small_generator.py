"""A weight generator of three small layers, and its bench, for many tests."""

import json
from dataclasses import dataclass
from random import Random

from amaranth.hdl import ResetInserter, Signal

from kakure.hdl.weights.image_reader import LoadError
from kakure.hdl.weights.layer_weights import LayerWeights
from kakure.hdl.weights.weight_generator import WeightGenerator
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import layer_section
from kakure.model.reference.signs import weight_order
from kakure.sim.drivers.streams import send, simulate, watch

GENERATORS = ("xorshift32", "xorshift16")
SEED = 5


def network(generator: str, outputs: tuple[int, ...] = (3, 33, 1), density: float = 0.5):
    """Two convolutions and a linear layer on a 4 x 4 map of two channels."""
    conv = {"kind": "conv", "engine": "pe_array", "input_bits": 2}
    config = parse_config(
        json.dumps({
            "name": "small",
            "dataset": "somewhere",
            "input_shape": [4, 4, 2],
            "weights": {"kind": "hidden", "seed": SEED, "generator": generator, "density": density},
            "layers": [
                {**conv, "channels": outputs[0], "kernel": 3},
                {**conv, "channels": outputs[1], "kernel": 1, "pool": 2},
                {"kind": "linear", "channels": outputs[2], "engine": "pe_array", "input_bits": 3},
            ],
        })
    )
    return config, random_parameters(config, seed=1)


def generator_of(config) -> WeightGenerator:
    layers = tuple(LayerWeights(g.in_channels, g.window, g.outputs) for g in config.geometry)
    weights = config.weights
    return WeightGenerator(generator=weights.generator, seed=weights.seed, layers=layers)


def image_of(config, parameters, token: int | None = None) -> list[int]:
    words = []
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        words += layer_section(config, geometry, layer, token).words
    return words


def beats(words: list[int]) -> list[dict[str, int]]:
    """What the stream carries: ``last`` with the last word."""
    return [{"word": word, "last": n == len(words) - 1} for n, word in enumerate(words)]


def pack(bits) -> int:
    return sum(int(bit) << n for n, bit in enumerate(bits))


def expected_weights(config, parameters) -> list[dict[str, int]]:
    writes = []
    for geometry, layer in zip(config.geometry, parameters.layers, strict=True):
        w = layer.weights(config, geometry)
        for row, block in weight_order(
            config.weights.generator,
            channels=geometry.in_channels,
            window=geometry.window,
            outputs=geometry.outputs,
        ):
            word = w[row, 32 * block : 32 * block + 32]
            writes.append({
                "valid": 1,
                "layer": geometry.index,
                "row": row,
                "block": block,
                "positive": pack(word > 0),
                "negative": pack(word < 0),
            })
    return writes


def expected_scales(parameters) -> list[dict[str, int]]:
    return [
        {
            "valid": 1,
            "layer": index,
            "channel": channel,
            "multiplier": int(layer.multiplier[channel]),
            "offset": int(layer.offset[channel]),
            "shift": int(layer.shift[channel]),
        }
        for index, layer in enumerate(parameters.layers)
        for channel in range(len(layer.shift))
    ]


def record(port, log: list):
    """Return a monitor that appends (cycle, write) for every write of a port."""

    async def monitor(ctx):
        cycle = 0
        async for *_, write in ctx.tick().sample(port):
            if write.valid:
                log.append((cycle, write))
            cycle += 1

    return monitor


@dataclass(frozen=True)
class Status:
    """What the status ports say after an image."""

    done: int
    error: LoadError
    layer: int
    ready: int


def status_of(ctx, dut: WeightGenerator) -> Status:
    return Status(
        done=ctx.get(dut.done),
        error=ctx.get(dut.error),
        layer=ctx.get(dut.error_layer),
        ready=ctx.get(dut.i.ready),
    )


GOOD = Status(done=1, error=LoadError.NONE, layer=2, ready=0)


class Load:
    """One load in simulation: the cycle and content of everything that came."""

    def __init__(self, config, words: list[dict[str, int]], rng: Random | None = None) -> None:
        self.taken: list = []
        self.weights: list = []
        self.scales: list = []
        status: list[Status] = []
        dut = generator_of(config)

        async def bench(ctx):
            await send(ctx, dut.i, words, rng)
            await ctx.tick()
            status.append(status_of(ctx, dut))

        weights = sum(g.weights for g in config.geometry)
        simulate(
            dut,
            bench,
            deadline=4 * (weights + len(words)) + 100,
            monitors=[
                watch(dut.i, self.taken),
                record(dut.weights, self.weights),
                record(dut.scales, self.scales),
            ],
        )

        [self.status] = status

    @property
    def cycles(self) -> int:
        """From the first word to the last, both counted."""
        return self.taken[-1][0] - self.taken[0][0] + 1


def load_each(config, images: list[list[dict[str, int]]]) -> list[tuple[Status, list]]:
    """Load images one after the other, each after a reset; return status and weights of each."""
    dut = generator_of(config)
    reset = Signal()
    writes = []
    results = []

    async def bench(ctx):
        for words in images:
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            before = len(writes)
            await send(ctx, dut.i, words)
            await ctx.tick()
            status = status_of(ctx, dut)
            results.append((status, [write for _, write in writes[before:]]))

    weights = sum(g.weights for g in config.geometry)
    deadline = sum(len(words) + weights + 50 for words in images)
    monitors = [record(dut.weights, writes)]
    simulate(ResetInserter(reset)(dut), bench, deadline=deadline, monitors=monitors)
    return results
