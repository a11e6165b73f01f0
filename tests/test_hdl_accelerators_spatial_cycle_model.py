"""The cycle model against what can be counted by hand; whole cores are held against it too."""

import json

import numpy as np
import pytest

from kakure.hdl.accelerators.spatial.cycle_model import (
    image_timing,
    padding_cycles,
    requantizer_lanes,
)
from kakure.hdl.engines.pe_array.schedule import PeSchedule
from kakure.hdl.engines.table import engine_of
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.network import network
from kakure.sim.drivers.core import run_core

CROSSBAR = {
    "engine": "crossbar",
    "column_sharing": 2,
    "adc_type": "sar",
    "adc_bits": 3,
    "input_bits": 4,
}
GRID = 4 * 2 * 3
PE_ARRAY = {"engine": "pe_array", "input_bits": 4}


def config_of(shape, *layers, pe_array=(4, 2, 2)):
    config = {
        "name": "timing",
        "dataset": "images",
        "input_shape": list(shape),
        "weights": {"kind": "hidden"},
        "crossbar": {"rows": 64, "columns": 8},
        "pe_array": dict(zip(("inputs", "outputs", "pixels"), pe_array, strict=True)),
        "layers": list(layers),
    }
    return parse_config(json.dumps(config))


def linear(channels, **engine):
    return {"kind": "linear", "channels": channels, **(engine or CROSSBAR)}


def conv(channels, kernel, **more):
    return {"kind": "conv", "channels": channels, "kernel": kernel, **CROSSBAR, **more}


@pytest.mark.parametrize(
    ("adc_type", "cycles"),
    [("flash", 8), ("sar", 24)],
)
def test_grid_cycles(adc_type, cycles):
    config = config_of((1, 1, 1), linear(1) | {"adc_type": adc_type})
    assert engine_of(config, 0).cycles_per_vector == cycles


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("classes", [1, 5])
def test_one_window_on_a_crossbar(channels, classes):
    config = config_of((1, 1, channels), linear(classes))
    chunks = -(-classes // requantizer_lanes(config, 0))
    # bytes of the pixel, the grid, the requantizer and its 3 stages, the logits
    assert image_timing(config).latency == channels + GRID + chunks + 3 - 1 + classes


def test_one_window_on_a_pe_array():
    config = config_of((1, 1, 6), linear(3, **PE_ARRAY))
    schedule = PeSchedule(config, 0)
    chunks = -(-3 // requantizer_lanes(config, 0))
    work = schedule.store_cycles + schedule.work_cycles
    assert image_timing(config).latency == 6 + work - 1 + chunks + 3 - 1 + 3


@pytest.mark.parametrize("copies", [1, 2])
def test_copies_share_the_windows(copies):
    config = config_of((8, 8, 1), conv(1, 1, copies=copies), linear(1))
    timing = image_timing(config, 4)
    assert timing.interval == 64 * GRID // copies
    assert timing.latency == timing.results[0]


def test_the_grid_waits_while_the_requantizer_reads_its_sums():
    config = config_of((9, 9, 1), conv(8, 1), linear(1))
    assert requantizer_lanes(config, 0) == 1
    assert image_timing(config, 4).interval == 81 * (GRID + 8 - 1)


def test_pixels_bound_what_is_fast_enough():
    fast = {"column_sharing": 1, "adc_type": "flash", "input_bits": 1}
    config = config_of((6, 6, 3), conv(1, 3) | fast, linear(1) | fast)
    padded, inside = 8 * 8, 6 * 6
    interval = image_timing(config, 4).interval
    assert 3 * inside <= interval <= 3 * inside + padded - inside


def test_leftover_rows_cost_their_windows_all_the_same():
    square = config_of((5, 5, 1), conv(1, 1, pool=2), linear(1))
    assert image_timing(square, 3).interval == 25 * GRID


@pytest.mark.parametrize(
    ("channels", "pool", "copies", "lanes"),
    [(10, 1, 1, 1), (24, 1, 1, 1), (25, 1, 1, 2), (25, 2, 1, 1), (25, 1, 3, 4), (3, 1, 24, 3)],
)
def test_requantizer_lanes_are_the_least_power_of_two_that_keeps_up(channels, pool, copies, lanes):
    config = config_of((4, 4, 1), conv(channels, 1, pool=pool, copies=copies), linear(1))
    assert requantizer_lanes(config, 0) == lanes


def test_requantizer_lanes_of_a_pe_array_go_by_its_batches():
    layer = {"kind": "conv", "channels": 64, "kernel": 1, **PE_ARRAY, "input_bits": 1}
    config = config_of((8, 8, 1), layer, linear(1), pe_array=(1, 64, 16))
    schedule = PeSchedule(config, 0)
    assert schedule.batch_cycles == 16 + (4 + 2 + 1) - 1 + 16
    assert requantizer_lanes(config, 0) == 32  # 38 cycles for 16 positions, 2 each


def test_padding_cycles_are_those_of_the_worst_layer():
    assert padding_cycles(config_of((4, 4, 1), conv(1, 3), linear(1))) == 7
    assert padding_cycles(config_of((2, 7, 1), conv(1, 3, padding=2), linear(1))) == 2 * 11 + 2
    assert padding_cycles(config_of((2, 7, 1), linear(1))) == 0
    wide = conv(1, 5, padding=4, pool=3)
    assert padding_cycles(config_of((2, 7, 1), wide, linear(1))) == 4 * 15 + 4
    assert padding_cycles(config_of((2, 7, 1), conv(1, 3), wide, linear(1))) == 4 * 15 + 4


@pytest.mark.parametrize("index", [0, 1])
def test_the_zeros_before_the_first_pixel_may_take_longer_than_loading(index):
    fast = {"column_sharing": 1, "adc_type": "flash", "input_bits": 1}
    layers = [conv(1, 5, padding=4, pool=5) | fast, linear(1) | fast]
    if index:
        layers = [conv(1, 1) | fast, *layers]
    config = config_of((1, 40, 1), *layers)
    parameters = random_parameters(config, 1)
    images = np.random.default_rng(1).integers(0, 256, (2, 1, 40, 1), dtype=np.uint8)
    run = run_core(config, parameters, images, deadline=5000)
    assert run.loading < padding_cycles(config)
    assert run.results == image_timing(config, 2).results
    assert (run.logits == network(config, parameters, images)).all()
