# amaranth: UnusedElaboratable=no
"""One chip runs every network that fits, and what does not fit is one line."""

import json
from itertools import product
from pathlib import Path

import pytest
from branching import FORMS, HEAD
from temporal import array_of, random_temporal, temporal

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.accelerators.temporal.block_layout import slot_layout
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.scale_lane import lane_layout
from kakure.hdl.accelerators.temporal.widths import misfit
from kakure.hdl.emission.artifacts import design_of, top_name
from kakure.model.config.config import load_config, parse_config
from kakure.model.errors import UserError
from kakure.sim.drivers.core import compare_core

CONFIGS = Path(__file__).parents[1] / "configs"
SIZES = {"activations": 1000, "mask_bits": 40_000, "channels": 200, "classes": 20, "operations": 8}
ARRAY = (8, 4, 2, 4)

CONV = {"kind": "conv", "channels": 7, "kernel": 3, "pool": 2, "input_bits": 7}
NETWORKS = {
    "of three layers": ([CONV, CONV | {"channels": 9, "input_bits": 3}, HEAD], (10, 9, 2)),
    "that branches": (FORMS["a block that strides"], (6, 6, 1)),
    "of one layer": ([HEAD | {"channels": 3}], (4, 5, 3)),
}


def on_chip(name, **changes):
    layers, shape = NETWORKS[name]
    config = temporal(layers, ARRAY, name=name.replace(" ", "-"), input_shape=list(shape))
    data = config.model_dump(mode="json", exclude_none=True)
    accelerator = data["accelerator"] | SIZES | {"name": "chip"} | changes
    return parse_config(json.dumps(data | {"accelerator": accelerator}))


def test_three_networks_have_one_verilog():
    configs = [on_chip(name) for name in NETWORKS]
    assert {top_name(config) for config in configs} == {"accelerator_chip"}
    assert len({architecture_of(config).digest for config in configs}) == 1
    first, *others = (design_of(config, "net.json") for config in configs)
    for other in others:
        assert other.modules == first.modules
    larger = design_of(on_chip("of one layer", channels=201), "net.json")
    assert larger.modules != first.modules


@pytest.mark.parametrize("name", NETWORKS)
def test_the_chip_computes_each_of_them(name):
    compare_core(on_chip(name), images=2, gaps=1, seed=4)


@pytest.mark.parametrize("size", SIZES)
def test_a_network_that_does_not_fit_is_refused(size):
    rule = rf"accelerator\.{size}: must be at least \d+ for this network, not 1"
    with pytest.raises(UserError, match=rule):
        architecture_of(on_chip("that branches", **{size: 1})).check()
    with pytest.raises(UserError, match=f"accelerator.{size}: is required where the accelerator"):
        on_chip("that branches", **{size: None})


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"weights": {"kind": "multicoat"}}, "weights.kind: must be 'hidden' for an accelerator"),
        (
            {"weights": {"kind": "hidden", "generator": "xorshift16"}},
            "weights.generator: must be 'xorshift32' for a temporal accelerator",
        ),
        (
            {"layers": FORMS["stride"], "crossbar": {"rows": 8, "columns": 4}},
            r"layers\[0\].engine: must have exact sums .*, not 'crossbar'",
        ),
        (
            {
                "input_shape": [64, 64, 4],
                "layers": [HEAD | {"input_bits": 8, "engine": "pe_array"}],
            },
            r"layers\[0\]: must have sums of at most 20 bits for a temporal accelerator, not 23",
        ),
    ],
)
def test_what_it_does_not_build_is_one_line(changes, rule):
    data = temporal([HEAD], ARRAY).model_dump(mode="json", exclude_none=True)
    config = parse_config(json.dumps(data | changes))
    with pytest.raises(UserError, match=rule):
        architecture_of(config).check()


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        ([256, 1, 1], r"layers\[0\]: must have kernel height of at most 255 .*, not 256"),
        ([1024, 1024, 65], r"input_shape: must have words of at most 16777216 .*, not 17039360"),
    ],
)
def test_what_an_operation_has_no_room_for_is_one_line(shape, rule):
    head = HEAD | {"input_bits": 1}
    if shape[2] > 1:
        head |= {"sum_pool": True, "map_bits": 1, "input_bits": 8}
    with pytest.raises(UserError, match=rule):
        architecture_of(temporal([head], ARRAY, input_shape=shape)).check()


@pytest.mark.parametrize(("value", "found"), [(255, None), (256, ("ky", 255, 256))])
def test_numbers_are_held_against_their_fields(value, found):
    layout = slot_layout(16, 2)
    slot = {"is_there": 1, "ky": value, "kx": 0, "distance": {"row": 0, "bank": 1}}
    assert misfit(layout, slot) == found
    assert misfit(layout, slot | {"ky": 0, "distance": {"row": 16, "bank": 0}}) == ("row", 15, 16)


def test_outputs_are_parts_of_words_of_signs():
    with pytest.raises(UserError, match=r"accelerator.outputs: must be 1, 2, .* of 32, not 24"):
        temporal([HEAD], (8, 24, 1, 1))


def resnet18():
    """ResNet-18 for 32 x 32 images: two blocks of two convolutions for each number of channels."""
    conv = {"kind": "conv", "kernel": 3, "input_bits": 4}
    layers = [conv | {"channels": 64, "input_bits": 8}]
    for channels in (64, 128, 256, 512):
        block = [conv, conv | {"residual": 2}]
        strided = [conv | {"kernel": 1, "stride": 2}, conv | {"stride": 2, "reads": 2}, block[1]]
        both = [*(block if channels == 64 else strided), *block]
        layers += [layer | {"channels": channels} for layer in both]
    head = {"kind": "linear", "channels": 10, "sum_pool": True, "map_bits": 4, "input_bits": 8}
    return [*layers, head]


def test_networks_of_real_size_use_the_lanes_of_the_shipped_array():
    shipped = load_config(CONFIGS / "cifar10-temporal.json")
    array = array_of(shipped)
    shape = (array.inputs, array.outputs, array.pixels, array.batches)
    network = temporal(resnet18(), shape, rows=array.rows, input_shape=[32, 32, 3])
    assert len(network.layers) == 1 + 16 + 3 + 1
    for config, taken, share in ((shipped, 263_881, 0.858), (network, 603_943, 0.901)):
        architecture = architecture_of(config)
        architecture.check()
        cycles = architecture.timing(2).interval
        in_use = architecture.counts["LANES"] / (cycles * array.lanes)
        assert (cycles, round(in_use, 3)) == (taken, share)


def test_images_that_are_tried_with_all_planes_at_once_take_what_they_take_without_a_choice():
    weights = {"kind": "bitwise", "bits": 3}
    config = temporal([CONV, HEAD], ARRAY, input_shape=[4, 5, 2], weights=weights)
    architecture = architecture_of(config)
    assert architecture.dynamic_timing([(3,)] * 3, 3) == architecture.timing(3)


def test_a_lane_is_written_over_no_more_bits_than_its_scales_have():
    assert lane_layout(4).size == 1 + 2 + 16 + 32 + 5


def of_two_kernels():
    """A map that windows of two sizes are read from: between rows there are words of none."""
    first, short, *others = FORMS["a block that strides"]
    short = short | {"kernel": 2}
    return temporal([first, short, *others], ARRAY, input_shape=[6, 6, 1])


def test_the_words_of_a_window_are_in_its_blocks_once():
    longer = 0
    for config in (of_two_kernels(), *map(random_temporal, range(1000, 1010))):
        for operation in program_of(config).operations:
            if isinstance(operation, LayerOperation):
                g, words = operation.geometry, operation.source.words
                blocks = (operation.slots(block) for block in range(operation.blocks))
                slots = [slot for block in blocks for slot in block if slot is not None]
                wanted = product(range(g.kernel_height), range(g.kernel_width), range(words))
                assert sorted((s.ky, s.kx, s.word) for s in slots) == sorted(wanted)
                longer += operation.run > g.kernel_width * words
    assert longer > 0


def test_windows_of_two_sizes_are_read_from_one_map():
    compare_core(of_two_kernels(), images=1, gaps=0, seed=3)
