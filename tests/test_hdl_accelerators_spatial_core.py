"""Whole cores in the Amaranth simulator, against the reference and the cycle model."""

import json
from random import Random
from typing import Any

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial.core import SpatialCore
from kakure.hdl.accelerators.spatial.cycle_model import image_timing, padding_cycles
from kakure.hdl.bus.error_code import ErrorCode
from kakure.hdl.weights.loading_time import loading_cycles
from kakure.model.config.config import Config, parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.supermask_image import image_words
from kakure.model.reference.network import classify, network
from kakure.sim.drivers.core import compare_core, frame
from kakure.sim.drivers.streams import receive, send, simulate, watch
from kakure.sim.runner.golden import pack_image


def config_of(
    shape: tuple[int, int, int],
    *layers: dict[str, Any],
    crossbar: tuple[int, int] = (8, 4),
    pe_array: tuple[int, int, int] = (4, 4, 4),
    generator: str = "xorshift32",
    seed: int = 7,
    density: float = 0.5,
) -> Config:
    config = {
        "name": "core",
        "dataset": "images",
        "input_shape": list(shape),
        "weights": {
            "kind": "hidden",
            "seed": seed,
            "generator": generator,
            "density": density,
        },
        "crossbar": {"rows": crossbar[0], "columns": crossbar[1]},
        "pe_array": dict(zip(("inputs", "outputs", "pixels"), pe_array, strict=True)),
        "layers": list(layers),
    }
    return parse_config(json.dumps(config))


def crossbar(
    channels: int, *, sharing: int, adc: str, bits: int, inputs: int, **more: Any
) -> dict[str, Any]:
    return {
        "kind": "conv" if "kernel" in more else "linear",
        "channels": channels,
        "engine": "crossbar",
        "column_sharing": sharing,
        "adc_type": adc,
        "adc_bits": bits,
        "input_bits": inputs,
        **more,
    }


def pe_array(channels: int, *, inputs: int, **more: Any) -> dict[str, Any]:
    kind = "conv" if "kernel" in more else "linear"
    return {"kind": kind, "channels": channels, "engine": "pe_array", "input_bits": inputs, **more}


CONFIGS = {
    "copies, pool, flash then sar": config_of(
        (5, 6, 2),
        crossbar(5, kernel=3, pool=2, sharing=3, adc="flash", bits=3, inputs=3, copies=3),
        crossbar(4, sharing=2, adc="sar", bits=2, inputs=2),
        crossbar=(8, 6),
    ),
    "xorshift16 with more than a word of outputs, even kernel, adc_shift": config_of(
        (3, 4, 1),
        crossbar(33, kernel=2, sharing=6, adc="flash", bits=2, inputs=2, adc_shift=1),
        pe_array(3, inputs=1),
        crossbar=(3, 36),
        generator="xorshift16",
        pe_array=(16, 2, 1),
        density=0.1,
    ),
    "xorshift16 on PE arrays, by channel": config_of(
        (3, 3, 2),
        pe_array(40, inputs=2, kernel=2, padding=0),
        pe_array(2, inputs=1),
        generator="xorshift16",
        pe_array=(3, 20, 3),
        seed=2**32 - 1,
    ),
    "banks, partial batches, wide padding, leftover rows, 45 bytes": config_of(
        (3, 5, 3),
        pe_array(5, inputs=4, kernel=3, padding=2, pool=3),
        crossbar(3, sharing=1, adc="flash", bits=4, inputs=4),
        pe_array=(4, 2, 4),
    ),
    "one of everything": config_of(
        (1, 1, 1), crossbar(1, sharing=1, adc="flash", bits=1, inputs=1), crossbar=(1, 1)
    ),
    "one of everything on a PE array": config_of(
        (1, 1, 1), pe_array(1, inputs=1), pe_array=(1, 1, 1)
    ),
    "kernel as large as the map, one shared readout, rows beyond the fan-in": config_of(
        (4, 4, 1),
        crossbar(3, kernel=4, padding=0, sharing=16, adc="sar", bits=5, inputs=8),
        crossbar=(100, 16),
    ),
    "kernel 1, linear after linear, rows of one": config_of(
        (2, 3, 4),
        crossbar(3, kernel=1, sharing=1, adc="flash", bits=1, inputs=2),
        crossbar(5, sharing=2, adc="sar", bits=3, inputs=4),
        crossbar(2, sharing=4, adc="flash", bits=2, inputs=1, copies=2),
        crossbar=(1, 4),
    ),
    "a row group too small for its shifted code": config_of(
        (1, 9, 1), crossbar(3, sharing=2, adc="sar", bits=3, inputs=4, adc_shift=2)
    ),
    "many columns at a slow readout": config_of(
        (1, 2, 1), crossbar(3, sharing=64, adc="sar", bits=12, inputs=1), crossbar=(2, 64)
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_equals_the_reference_in_exactly_the_cycles_promised(name):
    compare_core(CONFIGS[name], images=3, gaps=1, seed=3)


SMALL = config_of((2, 2, 1), crossbar(3, sharing=1, adc="flash", bits=3, inputs=2))


def supermask(parameters):
    return frame(image_words(SMALL, parameters))


def test_sends_classes_where_asked_to():
    parameters = random_parameters(SMALL, 1)
    images = np.random.default_rng(1).integers(0, 256, (5, 2, 2, 1), dtype=np.uint8)
    core = SpatialCore(config=SMALL)
    got = []

    async def drive(ctx):
        ctx.set(core.sends_class, 1)
        await send(ctx, core.i, supermask(parameters))
        await send(ctx, core.i, [word for image in images for word in frame(pack_image(image))])

    async def take(ctx):
        got.extend(await receive(ctx, core.o, len(images)))

    simulate(core, drive, take, deadline=1000)
    classes = classify(network(SMALL, parameters, images))
    assert [(payload.word, payload.last) for payload in got] == [(n, 1) for n in classes]


@pytest.mark.parametrize("at", [0, 1, 2, -1])
def test_a_wrong_supermask_is_swallowed_with_all_that_follows(at):
    words = supermask(random_parameters(SMALL, 1))
    words[at]["word"] ^= 1 << 9
    core = SpatialCore(config=SMALL)
    results = []

    async def drive(ctx):
        ctx.set(core.o.ready, 1)
        await send(ctx, core.i, words)
        await send(ctx, core.i, [{"word": word, "last": 0} for word in range(40)])
        assert ctx.get(core.loaded) == 0
        assert ctx.get(core.error).value != 0
        assert ctx.get(core.error_layer) == 0

    simulate(core, drive, monitors=[watch(core.o, results)], deadline=1000)
    assert results == []


LEFT_OVER = config_of(
    (5, 14, 1),
    crossbar(2, kernel=1, pool=3, sharing=1, adc="flash", bits=2, inputs=1),
    crossbar(3, sharing=1, adc="flash", bits=2, inputs=1),
)
"""The last two rows of an image decide nothing: its result is made before its last word comes."""


def test_a_result_waits_for_the_last_word_of_its_image():
    parameters = random_parameters(LEFT_OVER, 1)
    image = np.random.default_rng(1).integers(0, 256, (1, 5, 14, 1), dtype=np.uint8)
    words = frame(pack_image(image))
    logits = network(LEFT_OVER, parameters, image)
    core = SpatialCore(config=LEFT_OVER)
    taken = []

    async def drive(ctx):
        ctx.set(core.o.ready, 1)
        await send(ctx, core.i, frame(image_words(LEFT_OVER, parameters)))
        short = [words[0], {**words[1], "last": 1}]
        for part, results in ((short, 0), (words[:-1], 0), (words[-1:], 3)):
            await send(ctx, core.i, part)
            for _ in range(150):
                await ctx.tick()
            assert len(taken) == results
        assert ctx.get(core.error) == ErrorCode.IMAGE_SHORT

    simulate(core, drive, monitors=[watch(core.o, taken)], deadline=1000)
    got = [payload.word for _, payload in taken]
    assert got == [int(value) & 0xFFFFFFFF for value in logits.reshape(-1)]


@pytest.mark.parametrize("images", [1, 2, 5])
def test_the_formula_knows_that_a_result_waits(images):
    compare_core(LEFT_OVER, images=images, gaps=1, seed=4)
    # A pixel a cycle, and one more for each of 4 maxima, which take two; then the logits at once.
    every = 5 * 14 + 4
    assert image_timing(LEFT_OVER, images).results == tuple(
        every * (n + 1) + 3 for n in range(images)
    )


KINDS = ("right", "right", "right", "short", "long")


LARGE = (
    "many columns at a slow readout",
    "banks, partial batches, wide padding, leftover rows, 45 bytes",
)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.full] * (name in LARGE)) for name in CONFIGS],
)
@pytest.mark.parametrize("has_pauses", [pytest.param(False, marks=pytest.mark.full), True])
def test_wrong_frames_in_any_network(name, has_pauses):
    """Right and wrong frames in random order; the results are those of the right ones."""
    config = CONFIGS[name]
    rng = Random(name)
    parameters = random_parameters(config, 2)
    images = np.random.default_rng(2).integers(0, 256, (12, *config.shape), dtype=np.uint8)
    kinds = [rng.choice(KINDS) for _ in range(len(images) - 1)] + ["right"]
    words, right, wrong = [], [], []
    for n, (image, kind) in enumerate(zip(images, kinds, strict=True)):
        whole = pack_image(image)
        if kind == "short" and len(whole) > 1:
            words += frame(whole[: rng.randrange(1, len(whole))])
            wrong.append(ErrorCode.IMAGE_SHORT)
        elif kind == "long":
            words += frame(whole + [rng.getrandbits(32) for _ in range(rng.randint(1, 3))])
            wrong.append(ErrorCode.IMAGE_LONG)
        else:
            words += frame(whole)
            right.append(n)
    core = SpatialCore(config=config)
    classes = config.geometry[-1].outputs
    got = []
    cycles = image_timing(config, len(images)).results[-1] + padding_cycles(config)

    async def drive(ctx):
        await send(ctx, core.i, frame(image_words(config, parameters)))
        await send(ctx, core.i, words, Random(3) if has_pauses else None)

    async def take(ctx):
        stalls = Random(4) if has_pauses else None
        got.extend(await receive(ctx, core.o, classes * len(right), stalls))
        assert ctx.get(core.dropped) == len(wrong)
        assert ctx.get(core.error) == (wrong[0] if wrong else ErrorCode.NONE)
        assert ctx.get(core.is_busy) == 0

    loading = loading_cycles(config, parameters)
    deadline = 500 + loading + 8 * (cycles + len(words) + classes * len(images))
    simulate(core, drive, take, monitors=[watch(core.o)], deadline=deadline)
    expected = network(config, parameters, images[right]).reshape(-1)
    assert [payload.word for payload in got] == [int(value) & 0xFFFFFFFF for value in expected]


@pytest.mark.parametrize("name", CONFIGS)
def test_any_network_is_loaded_again(name):
    """After a whole load, its images, and part of another load: nothing stays of them."""
    config = CONFIGS[name]
    first, other, last = (random_parameters(config, seed) for seed in (5, 6, 7))
    images = np.random.default_rng(5).integers(0, 256, (2, *config.shape), dtype=np.uint8)
    words = [word for image in images for word in frame(pack_image(image))]
    part = image_words(config, other)
    part = part[: Random(name).randrange(1, len(part))]
    core = SpatialCore(config=config)
    classes = config.geometry[-1].outputs
    got = []

    async def announce(ctx):
        ctx.set(core.load, 1)
        await ctx.tick()
        ctx.set(core.load, 0)
        await ctx.tick()

    async def drive(ctx):
        await send(ctx, core.i, frame(image_words(config, first)))
        await send(ctx, core.i, words)
        await announce(ctx)
        await send(ctx, core.i, [{"word": word, "last": 0} for word in part])
        await announce(ctx)
        await send(ctx, core.i, frame(image_words(config, last)))
        await send(ctx, core.i, words)

    async def take(ctx):
        got.extend(await receive(ctx, core.o, 2 * classes * len(images)))
        assert ctx.get(core.error) == ErrorCode.NONE

    cycles = image_timing(config, len(images)).results[-1] + padding_cycles(config)
    loading = 3 * loading_cycles(config, first) + 3 * loading_cycles(config, last)
    simulate(core, drive, take, monitors=[watch(core.o)], deadline=500 + loading + 4 * cycles)
    expected = [network(config, parameters, images) for parameters in (first, last)]
    values = np.concatenate(expected).reshape(-1)
    assert [payload.word for payload in got] == [int(value) & 0xFFFFFFFF for value in values]
