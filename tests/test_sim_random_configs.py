"""Random configurations against the reference and the cycle model.

A seed that fails is a configuration that the schema admits and the generator gets wrong.
"""

from random import Random

import pytest

from kakure.hdl.accelerators.spatial.cycle_model import image_timing
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.drivers.core import compare_core
from kakure.sim.generation.project import Project
from kakure.sim.random_config import CORNERS, corner_of, random_config, uneven, with_planes
from kakure.sim.runner.simulate import simulate


def test_the_same_seed_gives_the_same_configuration():
    assert random_config(1) == random_config(1)
    assert random_config(1) != random_config(2)


def test_configurations_keep_the_limits():
    for seed in range(30):
        config = random_config(seed, weights=700, cycles=1500)
        assert sum(geometry.weights for geometry in config.geometry) <= 700
        assert image_timing(config).latency <= 1500


def test_configurations_are_of_every_kind():
    layers = [layer for seed in range(150) for layer in random_config(seed).layers]
    configs = [random_config(seed) for seed in range(150)]
    assert {layer.engine for layer in layers} == {"crossbar", "pe_array"}
    assert {getattr(layer, "adc_type", None) for layer in layers} == {"flash", "sar", None}
    assert {1, 4, 8} <= {layer.input_bits for layer in layers}
    assert any(getattr(layer, "copies", 1) > 1 for layer in layers)
    assert any(layer.residual for layer in layers if layer.engine == "crossbar")
    assert any(layer.residual for layer in layers if layer.engine == "pe_array")
    assert any(getattr(layer, "adc_shift", 0) for layer in layers)
    assert any(layer.channels > 32 for layer in layers)
    assert any(layer.pool > 1 for layer in layers)
    assert any(layer.stride > 1 for layer in layers if layer.engine == "crossbar")
    assert any(layer.stride > 1 for layer in layers if layer.engine == "pe_array")
    assert any(layer.stride > 1 and layer.pool > 1 for layer in layers)
    assert any(layer.sum_pool for layer in layers if layer.engine == "crossbar")
    assert any(layer.sum_pool for layer in layers if layer.engine == "pe_array")
    assert {1, 2, 3, 4, 5} <= {layer.kernel for layer in layers if layer.kernel}
    assert {
        config.weights.generator for config in configs if isinstance(config.weights, HiddenWeights)
    } == {
        "xorshift16",
        "xorshift32",
    }
    assert {1, 2, 3, 4} <= {len(config.layers) for config in configs}


def test_configurations_reach_every_corner():
    configs = [random_config(seed) for seed in range(300)]
    layers = [layer for config in configs for layer in config.layers]
    assert any(
        config.crossbar.rows > 100 and layer.engine == "crossbar" and geometry.fan_in > 100
        for config in configs
        for layer, geometry in zip(config.layers, config.geometry, strict=True)
    )
    assert any(
        config.crossbar.columns > 64 and layer.engine == "crossbar" and layer.channels > 64
        for config in configs
        for layer in config.layers
    )
    assert any(config.pe_array.pixels > 8 for config in configs)
    assert any(layer.kernel is not None and layer.kernel > 5 for layer in layers)
    assert any(layer.pool > 3 for layer in layers)
    assert any(getattr(layer, "copies", 1) > 5 for layer in layers)
    assert {6, 8, 9, 10, 11} <= {getattr(layer, "adc_bits", None) for layer in layers}
    assert any(max(config.shape[:2]) > 9 for config in configs)
    assert any(config.shape[2] > 5 for config in configs)
    assert any(len(config.layers) > 4 for config in configs)
    assert any(
        isinstance(config.weights, HiddenWeights) and config.weights.density < 0.05
        for config in configs
    )


def seed_of(corner):
    """The first seed whose configuration the corner stretches."""
    return next(seed for seed in range(1000) if corner_of(seed) == corner)


@pytest.mark.parametrize("corner", CORNERS)
def test_a_small_core_in_every_corner_equals_the_reference(corner):
    config = random_config(seed_of(corner), weights=800, cycles=1200, blocks=100)
    compare_core(config, images=2, gaps=1, seed=1)


@pytest.mark.parametrize("seed", range(6))
def test_small_cores_equal_the_reference(seed):
    compare_core(
        random_config(seed, weights=700, cycles=1500, blocks=40), images=2, gaps=1, seed=seed
    )


def planes_of(seed, **limits):
    """A configuration with bitwise weights, and how many planes are used: 0 stands for all."""
    rng = Random(f"planes of {seed}")
    bits = rng.choice([1, 2, 3, 4, 8])
    config = with_planes(random_config(seed, **limits), bits)
    config = uneven(config, rng) if seed % 2 else config
    return config, rng.choice([0, 1, bits, (bits + 1) // 2])


@pytest.mark.parametrize("seed", range(20, 28))
def test_small_cores_equal_the_reference_at_any_number_of_planes(seed):
    config, planes = planes_of(seed, weights=300, cycles=600, blocks=40)
    compare_core(config, images=2, gaps=1, seed=seed, planes=planes)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(140, 180))
def test_cores_equal_the_reference_at_any_number_of_planes(seed):
    config, planes = planes_of(seed, weights=1500, cycles=3000, blocks=150)
    compare_core(config, images=3, gaps=1, seed=seed, planes=planes)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 140))
def test_cores_equal_the_reference(seed):
    compare_core(
        random_config(seed, weights=2000, cycles=5000, blocks=150), images=3, gaps=1, seed=seed
    )


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1000, 1006))
def test_accelerators_equal_the_reference_in_verilog(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = random_config(seed)
    parameters = random_parameters(config, seed)
    project = Project(tmp_path / "random.json", config, parameters, is_trained=False)
    assert simulate(project, 4, seed).failures == []
