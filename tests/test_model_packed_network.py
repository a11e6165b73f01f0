"""The packed network is the reference, layer by layer and number by number."""

import dataclasses
import json
import platform
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from kakure.model.config.config import Config, parse_config
from kakure.model.config.presets import PRESETS, preset
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.config.weights.table import WEIGHTS
from kakure.model.errors import UserError
from kakure.model.packed import kernel as kernel_module
from kakure.model.packed import network as network_module
from kakure.model.packed.kernel import EXACT, ROUNDING, SATURATING, kernel
from kakure.model.packed.layer import PackedLayer, layer_of
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import Parameters, random_parameters
from kakure.model.reference.network import network, network_layers
from kakure.sim.random_config import random_config
from tests.branching import FORMS, branching
from tests.test_extend import BinaryWeights


@pytest.fixture
def fresh_kernel(tmp_path, monkeypatch):
    """Nothing is compiled yet, and what is compiled is forgotten."""
    monkeypatch.setattr(kernel_module, "CACHE", tmp_path / "kernels")
    kernel.cache_clear()
    yield monkeypatch
    kernel.cache_clear()


def images_for(config: Config, count: int, seed: int = 7) -> np.ndarray:
    """Random images, the last one with every bit set."""
    images = np.random.default_rng(seed).integers(0, 256, (count, *config.shape), dtype=np.uint8)
    images[-1] = 255
    return images


def compare(config: Config, parameters: Parameters, images: np.ndarray) -> PackedNetwork:
    """See that every accumulator, code and logit is the reference's."""
    packed = PackedNetwork(config, parameters, threads=1)
    expected = network_layers(config, parameters, images)
    for (acc, y), (packed_acc, packed_y) in zip(expected, packed.layers(images), strict=True):
        assert acc.shape == packed_acc.shape and (acc == packed_acc).all()
        assert y.shape == packed_y.shape and (y == packed_y).all()
    logits = packed(images)
    assert logits.dtype == np.int64 and (logits == network(config, parameters, images)).all()
    return packed


def compare_random(seeds: range) -> set[tuple[int, bool]]:
    """Compare random networks; how their layers were read out, and whether by several words."""
    seen = set()
    for seed in seeds:
        config = random_config(seed)
        packed = compare(config, random_parameters(config, seed), images_for(config, 4, seed))
        assert all(packed.packed)
        for stage in packed.stages:
            assert isinstance(stage, PackedLayer)
            seen.add((stage.layer.mode, stage.layer.words > 1))
    return seen


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    config = preset(name)
    assert all(compare(config, random_parameters(config, 3), images_for(config, 3)).packed)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [8, 100])
@pytest.mark.parametrize("is_packed", [True, False])
def test_strides_sums_and_shortcuts(monkeypatch, form, rows, is_packed):
    config = branching(form, crossbar={"rows": rows, "columns": 4})
    if not is_packed:
        monkeypatch.setattr(network_module, "kernel", lambda: None)
    packed = compare(config, random_parameters(config, 3), images_for(config, 4))
    assert packed.packed == [is_packed] * len(config.layers)


def test_random_networks():
    seen = compare_random(range(60))
    assert seen == {(EXACT, False), (SATURATING, False), (ROUNDING, False), (ROUNDING, True)}


@pytest.mark.full
def test_many_random_networks():
    compare_random(range(60, 600))


PROCESSORS = [("-march=haswell", 4), ("-march=x86-64-v2", 1)]
"""Processors whose instructions the kernel has a form for, and the columns it does at once."""


@pytest.mark.full
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the forms are of that processor")
@pytest.mark.parametrize(("here", "lanes"), PROCESSORS)
def test_other_forms_of_the_kernel(fresh_kernel, here, lanes):
    fresh_kernel.setattr(kernel_module, "HERE", here)
    found = kernel()
    assert found is not None and found.lanes() == lanes
    compare_random(range(100))


LAYERS = st.fixed_dictionaries({
    "shape": st.tuples(
        st.integers(1, 11), st.integers(1, 11), st.sampled_from([1, 2, 7, 8, 9, 63, 64, 65, 130])
    ),
    "rows": st.sampled_from([1, 3, 16, 63, 64, 65, 127, 128, 129, 1024]),
    "density": st.sampled_from([0.02, 0.3, 0.6, 1.0]),
    "layer": st.fixed_dictionaries({
        "kernel": st.integers(1, 5),
        "padding": st.integers(0, 4),
        "stride": st.integers(1, 2),
        "pool": st.integers(1, 3),
        "channels": st.sampled_from([1, 7, 8, 9, 17, 65]),
        "input_bits": st.integers(1, 8),
        "adc_bits": st.sampled_from([1, 2, 4, 5, 7, 12]),
        "adc_shift": st.sampled_from([0, 0, 1, 3]),
    }),
    "output_bits": st.integers(1, 8),
    "seed": st.integers(0, 1000),
})


@settings_of(max_examples=150)
@given(drawn=LAYERS)
def test_one_layer_of_any_size(drawn: dict[str, Any]):
    readout = {"engine": "crossbar", "column_sharing": 1, "adc_type": "flash"}
    last = {"kind": "linear", "engine": "pe_array", "channels": 2}
    document = {
        "name": "layer",
        "dataset": "images",
        "input_shape": drawn["shape"],
        "weights": {"kind": "hidden", "density": drawn["density"]},
        "crossbar": {"rows": drawn["rows"], "columns": 4},
        "layers": [
            {"kind": "conv"} | readout | drawn["layer"],
            last | {"input_bits": drawn["output_bits"]},
        ],
    }
    try:
        config = parse_config(json.dumps(document))
    except UserError:  # a window or a pool does not fit, or a shift leaves nothing
        return
    seed = drawn["seed"]
    assert all(compare(config, random_parameters(config, seed), images_for(config, 2, seed)).packed)


def test_a_layer_is_read_out_where_its_cells_can_saturate():
    config = preset("digits")
    drawn = random_parameters(config, 1)
    signs = HiddenWeights.of(config.weights).signs(config.geometry[1])[64:128, 5]
    mask = np.zeros_like(drawn.layers[1].mask)
    for cells, mode in ((15, EXACT), (16, SATURATING)):
        mask[64 + np.flatnonzero(signs > 0)[:cells], 5] = True  # of one group
        mask[64 + np.flatnonzero(signs < 0)[:15], 5] = True
        layers = list(drawn.layers)
        layers[1] = dataclasses.replace(layers[1], mask=mask)
        packed = compare(config, Parameters(tuple(layers)), images_for(config, 5))
        assert isinstance(packed.stages[1], PackedLayer) and packed.stages[1].mode == mode


def test_extreme_scales():
    config = preset("digits")
    parameters = random_parameters(config, 3)
    layers = [
        dataclasses.replace(
            layer,
            multiplier=np.where(np.arange(len(layer.multiplier)) % 2, 32767, -32768),
            offset=np.full(len(layer.offset), offset),
            shift=np.arange(len(layer.shift)) % 32 if layer.shift.any() else layer.shift,
        )
        for layer, offset in zip(parameters.layers, (-(2**31), 2**31 - 1, 0), strict=True)
    ]
    compare(config, Parameters(tuple(layers)), images_for(config, 20))


@pytest.mark.parametrize("count", [1, 5, 300])
def test_threads_keep_the_order_of_the_images(count):
    config = preset("digits")
    parameters = random_parameters(config, 2)
    images = np.random.default_rng(2).integers(0, 256, (count, *config.shape), dtype=np.uint8)
    packed = PackedNetwork(config, parameters, threads=3)
    packed.chunk = 7
    assert (packed(images) == network(config, parameters, images)).all()
    assert packed(images[:0]).shape == (0, 10)


def test_without_a_compiler_the_reference_computes(fresh_kernel, capsys):
    fresh_kernel.setenv("PATH", "")
    config = preset("digits")
    parameters = random_parameters(config, 2)
    for _ in range(2):
        assert compare(config, parameters, images_for(config, 3)).packed == [False] * 3
    assert capsys.readouterr().err == (
        "the packed kernel needs a C compiler: install gcc or clang; the reference computes "
        "instead, slowly\n"
    )


def test_a_compiler_that_does_not_know_this_processor(fresh_kernel):
    fresh_kernel.setattr(kernel_module, "HERE", "-march=of-tomorrow")
    config = preset("digits")
    assert all(compare(config, random_parameters(config, 2), images_for(config, 3)).packed)


class DoubledWeights(BinaryWeights):
    """Weights 0 and 2."""

    def of_masks(self, geometry, masks):
        return [2 * w for w in super().of_masks(geometry, masks)]

    def peak(self, sums, fan_in, rounding):
        return 2 * super().peak(sums, fan_in, rounding)


def test_what_the_kernel_cannot_take_the_reference_computes(monkeypatch):
    monkeypatch.setitem(WEIGHTS.table, "binary", DoubledWeights)
    layer = {"kind": "linear", "engine": "pe_array", "channels": 4, "input_bits": 8}
    document = {"name": "doubled", "dataset": "images", "input_shape": [3, 3, 2]}
    config = parse_config(json.dumps(document | {"weights": {"kind": "binary"}, "layers": [layer]}))
    packed = compare(config, random_parameters(config, 1), images_for(config, 3))
    assert packed.packed == [False]


def test_sums_beyond_32_bits_are_the_references():
    config = preset("digits")
    parameters = random_parameters(config, 1)
    for peak, is_packed in (((1 << 31) - 1, True), (1 << 31, False)):
        geometry = dataclasses.replace(config.geometry[2], peak=peak)
        stage = layer_of(config, geometry, parameters.layers[2], kernel())
        assert isinstance(stage, PackedLayer) == is_packed
