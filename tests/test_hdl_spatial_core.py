"""Whole cores in the Amaranth simulator, against the reference and the cycle model."""

import json
from typing import Any

import numpy as np
import pytest

from hdl.spatial_core import SpatialCore
from model.config import Config, parse_config
from model.image import image_words
from model.parameters import random_parameters
from model.reference import classify, network
from sim.core import compare_core, frame
from sim.golden import pack_image
from sim.streams import receive, send, simulate, watch


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
