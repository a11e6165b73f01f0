"""Cycles in closed form against the exact recurrences of the pipeline."""

import json
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial import cycle_model
from kakure.hdl.accelerators.spatial.layer_cycles import COPIES_ERROR, _jumps, layer_cycles
from kakure.hdl.accelerators.spatial.layer_shape import LayerShape
from kakure.hdl.engines.pe_array.schedule import PeSchedule
from kakure.hdl.engines.table import engine_of
from kakure.model.config.config import Config, parse_config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.errors import UserError
from kakure.search.cost.digital.tree import layer_shape
from kakure.search.cost.metrics import LayerBatch
from kakure.sim.random_config import random_config

COUNT = 400


def _draw(rng: Random) -> dict[str, Any]:
    columns = rng.choice([1, 2, 4, 8, 16])
    layer: dict[str, Any] = {
        "kind": "conv",
        "kernel": rng.choice([1, 2, 3, 3, 4, 5]),
        "pool": rng.choice([1, 1, 2, 2, 3, 4]),
        "channels": rng.choice([1, 3, 8, 17, 40, 65]),
        "input_bits": rng.choice([1, 2, 3, 4]),
        "engine": "pe_array",
    }
    if rng.random() < 0.5:
        layer["padding"] = rng.randrange(layer["kernel"])
    if rng.random() < 0.5:
        layer["stride"] = 2
    if rng.random() < 0.65:
        layer |= {
            "engine": "crossbar",
            "column_sharing": rng.choice([n for n in range(1, columns + 1) if columns % n == 0]),
            "adc_type": rng.choice(["flash", "sar"]),
            "adc_bits": rng.choice([1, 2, 3, 5]),
            "copies": rng.choice([1, 1, 1, 2, 3, 5]),
        }
    last = {"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 4}
    if rng.random() < 0.2:
        for name in ("kernel", "pool", "padding", "stride"):
            layer.pop(name, None)
        layer |= {"kind": "linear", "sum_pool": True, "map_bits": rng.choice([1, 4])}
    return {
        "name": "random",
        "dataset": "images",
        "input_shape": [rng.randint(1, 14), rng.randint(1, 14), rng.choice([1, 2, 5])],
        "weights": {"kind": "hidden", "generator": rng.choice(["xorshift32", "xorshift16"])},
        "crossbar": {"rows": 16, "columns": columns},
        "pe_array": {
            "inputs": rng.choice([1, 3, 8, 40]),
            "outputs": rng.choice([1, 5, 33]),
            "pixels": rng.choice([1, 2, 3, 5, 8]),
        },
        "layers": [layer, last],
    }


@cache
def _configs() -> tuple[Config, ...]:
    rng = Random(7)
    found: list[Config] = []
    while len(found) < COUNT:
        try:
            found.append(parse_config(json.dumps(_draw(rng))))
        except UserError:
            continue
    return tuple(found)


def _alone(config: Config) -> float:
    """Cycles from image to image of the first layer by itself, by the cycle model's stages.

    The mean of as many images as there are copies: with few windows they come in bursts.
    """
    copies = getattr(config.layers[0], "copies", 1)
    geometry = config.geometry[0]
    done: list[int] = []

    def sink(cycle: int) -> int:
        done.append(cycle)
        return cycle

    chunks = -(-geometry.outputs // cycle_model.requantizer_lanes(config, 0))
    push = cycle_model._Requantizer(chunks, sink).push
    if geometry.pool > 1:
        push = cycle_model._Pool(geometry, push).push
    push = engine_of(config, 0).timing(push)
    push = cycle_model._Window(geometry, push).push
    pixels = geometry.in_height * geometry.in_width
    if geometry.summed is not None:
        pixels = geometry.summed.positions
        push = cycle_model._SumPool(pixels, push).push
    free = 0
    for _ in range((2 * copies + 4) * pixels):
        free = push(free) + 1
    results = geometry.pooled_height * geometry.pooled_width
    return (done[-1] - done[-1 - copies * results]) / copies


def _shape(config: Config) -> LayerShape:
    assert isinstance(config.weights, HiddenWeights)
    return layer_shape(LayerBatch.of(config), config.weights.generator)


@cache
def _compared() -> tuple[tuple[Config, float, int, bool], ...]:
    rows = []
    for config in _configs():
        assert isinstance(config.weights, HiddenWeights)
        closed = layer_cycles(_shape(config))
        rows.append((config, _alone(config), int(closed.cycles[0]), bool(closed.is_exact[0])))
    return tuple(rows)


def test_the_closed_form_is_exact_where_it_says_so():
    exact = [row for row in _compared() if row[3]]
    layers = [config.layers[0] for config, *_ in exact]
    forms = {(layer.engine, layer.stride, layer.sum_pool, layer.pool > 1) for layer in layers}
    for engine in ("crossbar", "pe_array"):
        plain = {(engine, stride, False, pools) for stride in (1, 2) for pools in (False, True)}
        assert forms >= plain | {(engine, 1, True, False)}
    assert len(exact) > COUNT // 2
    for config, wanted, closed, _ in exact:
        assert closed == wanted, config.layers[0]


def test_one_copy_is_always_exact():
    for config, _, _, is_exact in _compared():
        layer = config.layers[0]
        assert is_exact or layer.engine == "pe_array" or getattr(layer, "copies", 1) > 1


def test_the_others_are_as_near_as_is_said():
    errors = [
        abs(closed / wanted - 1) for _, wanted, closed, is_exact in _compared() if not is_exact
    ]
    assert len(errors) > 50
    assert np.mean(errors) < COPIES_ERROR


def test_requantizers_have_the_lanes_that_are_built():
    for seed in range(60):
        config = random_config(seed)
        assert isinstance(config.weights, HiddenWeights)
        lanes = _shape(config).requantizer_lanes
        built = [cycle_model.requantizer_lanes(config, n) for n in range(len(config.layers))]
        assert lanes.tolist() == built


def test_no_configuration_is_faster_than_its_slowest_layer():
    bound = 0
    for seed in range(60):
        config = random_config(seed)
        assert isinstance(config.weights, HiddenWeights)
        closed = layer_cycles(_shape(config))
        slowest = int(np.max(closed.cycles[closed.is_exact], initial=0))
        interval = cycle_model.image_timing(config, 6).interval
        assert interval >= slowest
        bound += interval == slowest
    assert bound >= 15  # the interval of many is that of one layer, to the cycle


@pytest.mark.parametrize("seed", range(8))
def test_the_schedule_of_a_pe_array_is_that_of_the_hardware(seed):
    rng = Random(seed)
    config = None
    while config is None or config.layers[0].engine != "pe_array":
        try:
            config = parse_config(json.dumps(_draw(rng)))
        except UserError:
            continue
    assert isinstance(config.weights, HiddenWeights)
    schedule = PeSchedule(config, 0)
    closed = _shape(config).pe_array
    for name in ("inputs", "outputs", "pixels", "banks", "words_per_row", "chunk_rows", "blocks"):
        assert getattr(closed, name)[0] == getattr(schedule, name)
    assert closed.work_cycles[0] == schedule.work_cycles
    assert closed.chunk_blocks[0] == len(schedule.chunks[0].blocks)


def test_rounds_of_copies_that_end_a_window_before_a_block_are_the_fewest():
    copies, pools = (axis.ravel() for axis in np.meshgrid(np.arange(1, 9), np.arange(1, 9)))
    wanted = [
        next((n for n in range(1, pool) if n * many % pool == pool - 1), 0)
        for many, pool in zip(copies.tolist(), pools.tolist(), strict=True)
    ]
    assert _jumps(copies, pools).tolist() == wanted
