"""Bitwise weights on the temporal accelerator: any number of planes, on arrays of any shape."""

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from branching import FORMS
from temporal import random_temporal, temporal

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.core import has_choice
from kakure.hdl.accelerators.temporal.machine import Machine
from kakure.hdl.emission.artifacts import design_of
from kakure.model.config.config import parse_config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.dynamic import dynamic, margins
from kakure.model.reference.network import network
from kakure.sim.drivers.core import compare_core, run_core
from kakure.sim.random_config import uneven

ARRAYS = [(4, 4, 4, 2), (8, 2, 3, 2), (6, 2, 2, 5), (12, 8, 1, 4), (16, 32, 2, 2)]
"""Inputs, outputs, pixels, batches."""


def planes_on(config, bits):
    """The same network with bitwise weights."""
    data = config.model_dump(mode="json") | {"weights": {"kind": "bitwise", "bits": bits}}
    for layer in data["layers"]:
        for name in ("column_sharing", "adc_type", "adc_bits", "adc_shift", "copies"):
            layer.pop(name, None)
    return parse_config(json.dumps(data))


def small(array, bits=3):
    conv = {"kind": "conv", "channels": 7, "kernel": 3, "pool": 2, "input_bits": 7}
    wide = {"kind": "conv", "channels": 17, "kernel": 2, "padding": 1, "input_bits": 3}
    head = {"kind": "linear", "channels": 5, "input_bits": 5}
    return planes_on(temporal([conv, wide, head], array, input_shape=[5, 6, 2]), bits)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("planes", [1, 3])
def test_words_in_their_order_give_what_the_reference_gives(array, planes):
    config = small(array)
    parameters = random_parameters(config, 3)
    image = np.random.default_rng(7).integers(0, 256, config.shape).astype(np.uint8)
    there, used = config.at(planes), parameters.at(planes)
    assert (Machine(there, used).run(image) == network(there, used, image[None])[0]).all()


LONG = [
    pytest.param(ARRAYS[number], planes, marks=pytest.mark.full)
    for number, planes in ((0, 2), (2, 2), (4, 2), (1, 0))
]


@pytest.mark.parametrize(("array", "planes"), [(ARRAYS[1], 2), (ARRAYS[3], 2), *LONG])
def test_logits_and_cycles_on_arrays_of_any_shape(array, planes):
    compare_core(small(array), images=1, gaps=1, seed=3, planes=planes)


SLOW = pytest.param("over two", marks=pytest.mark.full)


@pytest.mark.parametrize("form", ["a block that strides", "summed, saturated", SLOW])
def test_logits_and_cycles_of_every_form(form):
    config = planes_on(temporal(FORMS[form], (8, 4, 2, 3), input_shape=[8, 8, 1]), 2)
    compare_core(config, images=1, gaps=1, seed=3)


@pytest.mark.parametrize("seed", range(60, 68))
def test_random_networks_on_random_arrays(seed):
    rng = Random(seed)
    bits = rng.choice([1, 2, 4])
    config = uneven(planes_on(random_temporal(seed), bits), rng)
    architecture_of(config).check()
    compare_core(config, images=2, gaps=1, seed=seed, planes=rng.choice([0, 1, bits]))


@pytest.mark.full
@pytest.mark.parametrize("planes", [(3, 1, 2), (1, 3, 1)])
def test_layers_may_have_fewer_planes_than_others(planes):
    """In the machine, and in the core with each number of planes in use."""
    config = small(ARRAYS[1]).at(planes)
    parameters = random_parameters(config, 3)
    image = np.random.default_rng(7).integers(0, 256, config.shape).astype(np.uint8)
    expected = network(config, parameters, image[None])[0]
    assert (Machine(config, parameters).run(image) == expected).all()
    for used in (0, 1, 2):
        compare_core(config, images=1, gaps=1, seed=3, planes=used)
    latency = [architecture_of(config.at(n)).timing().latency for n in (1, 2, 3)]
    assert (
        latency == sorted(set(latency))
        and latency[2] < architecture_of(small(ARRAYS[1])).timing().latency
    )


def test_sums_of_eight_planes_fit():
    head = {"kind": "linear", "channels": 4, "input_bits": 8}
    config = planes_on(temporal([head], (16, 4, 1, 1), input_shape=[8, 8, 3]), 8)
    parameters = random_parameters(config, 1)
    for layer in parameters.layers:
        for plane in layer.masks:
            plane[:, 0], plane[:, 1] = True, False  # the largest weights of both signs
    images = np.full((1, 8, 8, 3), 255, np.uint8)
    run = run_core(config, parameters, images, deadline=100_000)
    assert (run.logits == network(config, parameters, images)).all()


def test_sums_that_are_too_wide_are_refused():
    head = {"kind": "linear", "channels": 2, "input_bits": 8}
    config = planes_on(temporal([head], (16, 4, 1, 1), input_shape=[128, 128, 3]), 8)
    with pytest.raises(UserError, match=r"layers\[0\]: must have sums of at most 28 bits"):
        architecture_of(config).check()


@pytest.mark.parametrize(
    ("seed", "schedule"),
    [
        (62, (1, 3)),
        pytest.param(66, (1, 2, 3), marks=pytest.mark.full),
        pytest.param(65, (2, 3), marks=pytest.mark.full),
    ],
)
def test_more_planes_are_tried_where_the_margin_is_small(seed, schedule):
    conv = {"kind": "conv", "channels": 5, "kernel": 3, "pool": 2, "input_bits": 5}
    head = {"kind": "linear", "channels": 6, "input_bits": 3}
    small_one = temporal([conv, head], ARRAYS[seed % 3], input_shape=[4, 5, 2])
    config = planes_on(small_one, 3)
    parameters = random_parameters(config, seed)
    images = np.random.default_rng(seed).integers(0, 256, (4, *config.shape), dtype=np.uint8)
    least = schedule[0]
    first = network(config.at(least), parameters.at(least), images)
    threshold = int(np.median(margins(first))) + 1
    logits, used = dynamic(config, parameters, images, schedule=schedule, threshold=threshold)
    passes = [schedule[: schedule.index(width) + 1] for width in used.tolist()]
    assert len({len(one) for one in passes}) > 1
    architecture = architecture_of(config)
    timing = architecture.dynamic_timing(passes, schedule[-1])
    tried = sum(1 << (n - 1) for n in schedule)
    deadline = 2000 + architecture.loading_cycles(parameters) + 4 * timing.results[-1]
    how: dict[str, Any] = {"tried": tried, "threshold": threshold, "deadline": deadline}
    run = run_core(config, parameters, images, **how)
    assert (run.logits == logits).all()
    assert run.results == timing.results
    slow = run_core(config, parameters, images, gaps=4, rng=Random(seed), **how)
    assert (slow.logits == logits).all()


def test_one_number_of_planes_takes_what_it_takes_without_a_choice():
    config = small(ARRAYS[0])
    for planes in (1, 3):
        timing = architecture_of(config).dynamic_timing([(planes,)] * 3, planes)
        assert timing.results == architecture_of(config.at(planes)).timing(3).results


def test_a_chip_for_many_networks_takes_planes_and_does_not_choose():
    sizes = {"activations": 4000, "mask_bits": 20000, "channels": 100, "classes": 20}
    more = {"name": "chip", "operations": 6, **sizes}
    names = []
    for channels in (5, 9):
        conv = {"kind": "conv", "channels": channels, "kernel": 3, "input_bits": 4}
        head = {"kind": "linear", "channels": 4, "input_bits": 4}
        config = planes_on(temporal([conv, head], (8, 4, 2, 3), input_shape=[4, 4, 1]), 2)
        accelerator = config.accelerator.model_dump() | more
        data = config.model_dump(mode="json") | {"accelerator": accelerator}
        config = parse_config(json.dumps(data))
        assert not has_choice(config)
        shown = [r.name for r in architecture_of(config).registers]
        assert "PLANES" in shown and "THRESHOLD" not in shown
        design = design_of(config, "x")
        names.append({name: module.verilog for name, module in design.modules.items()})
        compare_core(config, images=1, gaps=1, seed=1, planes=1)
    assert names[0] == names[1]


def test_chips_of_other_numbers_of_planes_are_other_chips():
    digests = set()
    for bits in (2, 3):
        config = planes_on(small(ARRAYS[0]), bits)
        accelerator = config.accelerator.model_dump() | {
            "name": "chip", "activations": 9000, "mask_bits": 90000, "channels": 200,
            "classes": 20, "operations": 6,
        }  # fmt: skip
        data = config.model_dump(mode="json") | {"accelerator": accelerator}
        digests.add(architecture_of(parse_config(json.dumps(data))).digest)
    assert len(digests) == 2
