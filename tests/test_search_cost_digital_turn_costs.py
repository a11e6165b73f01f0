"""What temporal accelerators cost, beside what was synthesized and simulated."""

import json
from pathlib import Path

import numpy as np
import pytest
from temporal import random_temporal

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import load_config, parse_config
from kakure.search.cost.digital.energy_measured import read_points
from kakure.search.cost.digital.energy_samples import is_held_out
from kakure.search.cost.digital.measured import read_measured
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import LayerBatch
from kakure.search.cost.unfitted import Unfitted

CONFIGS = Path(__file__).parents[1] / "configs"
MODEL = DigitalModel()
CIFAR10 = load_config(CONFIGS / "cifar10-temporal.json")


@pytest.mark.parametrize("seed", range(40, 70))
def test_cycles_are_those_of_the_accelerator(seed):
    config = random_temporal(seed)
    timing = architecture_of(config).timing(2)
    metrics = MODEL.metrics(config, extrapolate=True)
    assert metrics.cycles == timing.interval
    clock = metrics.interval_ns / metrics.cycles
    assert metrics.latency_ns == pytest.approx(timing.latency * clock)


def test_layers_take_turns():
    """Times add up to the interval, but for the image that is taken; layers alone cost the same."""
    metrics = MODEL.metrics(CIFAR10)
    architecture = architecture_of(CIFAR10)
    spent = float(metrics.layers.time_ns.sum())
    assert 0.97 * metrics.interval_ns < spent < metrics.interval_ns
    alone = MODEL.layer_costs(LayerBatch.of(CIFAR10))
    assert np.allclose(alone.area_um2, metrics.layers.area_um2)
    # An operation has fewer words where a memory has fewer rows.
    assert (np.abs(alone.cycles - metrics.layers.cycles) < 8).all()
    assert (metrics.layers.cycles > architecture.layer_cycles).all()
    assert float(metrics.layers.energy_pj.sum()) < metrics.energy_pj


def test_areas_of_those_synthesized_are_met():
    found = [m for m in read_measured() if m.sample.block == "temporal_accelerator"]
    assert len(found) >= 30
    errors = []
    for measurement in found:
        config = measurement.sample.config
        assert config is not None
        metrics = MODEL.metrics(config, extrapolate=True)
        errors.append(metrics.area_um2 / measurement.area_um2 - 1)
        memories = sum(m.memory_um2 * m.instances for m in measurement.modules)
        assert metrics.area_um2 > memories
    held = np.abs([e for e, m in zip(errors, found, strict=True) if m.sample.is_held_out])
    assert len(held) >= 10
    assert held.mean() < 0.05 and held.max() < 0.1


def test_energies_of_those_simulated_are_met():
    points = [p for p in read_points() if p.parsed.accelerator.kind == "temporal"]
    assert len(points) >= 20
    model = DigitalModel(clock_ns=2.5)
    errors = {}
    for point in points:
        metrics = model.metrics(point.parsed, extrapolate=True)
        errors[point.digest] = metrics.energy_pj / point.energy_pj(2.5) - 1
    held = np.abs([error for digest, error in errors.items() if is_held_out(digest)])
    assert held.mean() < 0.1 and held.max() < 0.2
    large = [errors[p.digest] for p in points if p.images["dataset"] == "cifar10"]
    assert len(large) >= 6 and max(map(abs, large)) < 0.1


def test_a_size_beyond_what_was_measured_is_said():
    data = json.loads((CONFIGS / "cifar10-temporal.json").read_text())
    data["accelerator"] |= {"inputs": 512, "outputs": 64}
    config = parse_config(json.dumps(data))
    with pytest.raises(Unfitted, match=r"inputs must be \d+ to 256, the range .* not 512"):
        MODEL.metrics(config)
    with pytest.raises(Unfitted, match=r"layers\[0\]: .* to 256, the range .* not 512"):
        MODEL.layer_costs(LayerBatch.of(config))
    metrics = MODEL.metrics(config, extrapolate=True)
    assert any("not 512" in line for line in metrics.outside)
    assert metrics.area_error > MODEL.metrics(CIFAR10).area_error
