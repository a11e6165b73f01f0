import json

import pytest

from kakure.model.config.config import parse_config
from kakure.model.config.engines.row_groups import code_peak, row_groups
from kakure.model.config.presets import preset, preset_json


def test_digits_by_hand():
    first, second, last = preset("digits").geometry
    assert (first.in_height, first.in_width, first.in_channels) == (8, 8, 1)
    assert (first.out_height, first.pooled_height, first.outputs) == (8, 4, 32)
    assert (first.padding, first.fan_in, first.groups, first.positions) == (1, 9, (9,), 64)
    assert (first.input_bits, first.output_bits, first.peak) == (4, 4, 9 * 15)
    assert (second.fan_in, second.groups) == (288, (64, 64, 64, 64, 32))
    assert second.peak == 5 * 15 * 15
    assert second.weights == 288 * 32
    assert (last.kernel_height, last.kernel_width, last.fan_in, last.padding) == (2, 2, 128, 0)
    assert (last.positions, last.output_bits, last.peak) == (1, None, 128 * 15)
    assert (first.padded_height, first.padded_width, last.window) == (10, 10, 4)


def with_layer(**changes):
    data = json.loads(preset_json("digits"))
    data["layers"][0] |= changes
    return parse_config(json.dumps(data)).geometry[0]


def test_padding_is_half_the_kernel_when_left_out():
    assert [with_layer(kernel=k).padding for k in (1, 2, 3, 4, 5)] == [0, 0, 1, 1, 2]
    even = with_layer(kernel=4)
    assert (even.out_height, even.out_width) == (7, 7)
    assert (even.pooled_height, even.pooled_width) == (3, 3)
    assert with_layer(kernel=3, padding=0).out_height == 6


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("padding", [None, "half"])
def test_a_residual_layer_keeps_its_map(kernel, padding):
    half = kernel // 2 if padding else None
    layer = with_layer(residual=True, channels=1, pool=1, kernel=kernel, padding=half)
    assert (layer.pooled_height, layer.pooled_width, layer.outputs) == (8, 8, 1)
    assert layer.residual and layer.shortcut_bits == 4


@pytest.mark.parametrize(("reads", "writes", "bits"), [(1, 4, 1), (8, 4, 4), (3, 3, 3)])
def test_a_shortcut_is_no_wider_than_what_it_joins(reads, writes, bits):
    data = json.loads(preset_json("residual"))
    data["layers"][1]["input_bits"], data["layers"][2]["input_bits"] = reads, writes
    geometry = parse_config(json.dumps(data)).geometry
    assert [layer.shortcut_bits for layer in geometry] == [0, bits, 0, 0]


@pytest.mark.parametrize("fan_in", [1, 63, 64, 65, 288])
def test_row_groups_cover_the_fan_in(fan_in):
    groups = row_groups(fan_in, 64)
    assert sum(groups) == fan_in
    assert set(groups[:-1]) <= {64} and 1 <= groups[-1] <= 64


@pytest.mark.parametrize("adc_shift", [0, 1, 2, 8])
@pytest.mark.parametrize("adc_bits", [1, 3, 7])
@pytest.mark.parametrize("rows", [1, 5, 64])
def test_code_peak_is_the_largest_worth(rows, adc_bits, adc_shift):
    half = 2**adc_shift // 2
    worths = [
        min((count + half) // 2**adc_shift, 2**adc_bits - 1) * 2**adc_shift
        for count in range(rows + 1)
    ]
    assert code_peak(rows, adc_bits, adc_shift) == max(worths)


def test_bitwise_peak():
    data = json.loads(preset_json("digits"))
    data["weights"] = {"kind": "bitwise", "bits": 3}
    data["layers"] = [{"kind": "linear", "channels": 10, "engine": "pe_array", "input_bits": 4}]
    (layer,) = parse_config(json.dumps(data)).geometry
    assert layer.peak == 64 * 15 * 7
