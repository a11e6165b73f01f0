"""Accelerators of bitwise weights against the bench that they come with."""

import json
from random import Random

import numpy as np
import pytest
from temporal import temporal

from kakure.hdl.accelerators.table import architecture_of
from kakure.model.config.config import parse_config
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.network import network
from kakure.sim.generation.project import Project
from kakure.sim.runner.golden import golden_vectors
from kakure.sim.runner.simulate import simulate
from kakure.sim.runner.simulate_model import simulate_model

CONV = {"kind": "conv", "kernel": 3, "channels": 5, "engine": "pe_array", "input_bits": 3}
HEAD = {"kind": "linear", "channels": 6, "engine": "pe_array", "input_bits": 2}
BITWISE = {"kind": "bitwise", "bits": 3}
SPATIAL = parse_config(
    json.dumps({
        "name": "planes",
        "dataset": "images",
        "input_shape": [5, 4, 2],
        "weights": BITWISE,
        "pe_array": {"inputs": 4, "outputs": 3, "pixels": 4},
        "layers": [CONV | {"pool": 2}, HEAD],
    })
)
TEMPORAL = temporal(
    [CONV | {"pool": 2}, HEAD], (8, 4, 2, 3), weights=BITWISE, input_shape=[5, 4, 2]
)


def images_for(config, count=5):
    return np.random.default_rng(1).integers(0, 256, (count, *config.shape), dtype=np.uint8)


@pytest.mark.parametrize("config", [SPATIAL, TEMPORAL], ids=["spatial", "temporal"])
@pytest.mark.parametrize("planes", [None, 1, 2, 3])
def test_vectors_are_those_of_the_planes_in_use(config, planes):
    parameters, images = random_parameters(config, 1), images_for(config)
    vectors = golden_vectors(config, parameters, images, planes)
    width = planes or 3
    used, there = parameters.at(width), config.at(width)
    assert vectors.logits == network(there, used, images).tolist()
    assert vectors.cycles == list(architecture_of(there).timing(5).results)
    assert vectors.counts == architecture_of(there).counts
    assert vectors.digest == config.digest
    assert vectors.tried == (0 if planes is None else 1 << (planes - 1))
    assert len(vectors.supermask) == len(golden_vectors(config, parameters, images).supermask)
    assert [one.tried for one in vectors.precisions] == [1, 2, 4]
    assert [one.tried for one in vectors.choices] == [0b101, 0b111]
    assert vectors.section_layers == ([0, 1] if config == TEMPORAL else [0, 0, 0, 1, 1, 1])
    assert len(vectors.sections) == len(vectors.section_layers)


def project_of(config, folder):
    return Project(folder / "planes.json", config, random_parameters(config, 3), is_trained=False)


@pytest.mark.parametrize(
    "config", [pytest.param(SPATIAL, marks=pytest.mark.full), TEMPORAL], ids=["spatial", "temporal"]
)
def test_every_test_of_the_bench_passes(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = simulate(project_of(config, tmp_path), 4, 1)
    assert outcome.failures == [] and outcome.tests == 13


@pytest.mark.full
@pytest.mark.parametrize("config", [SPATIAL, TEMPORAL], ids=["spatial", "temporal"])
def test_any_planes_may_be_those_of_the_bench(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planes = Random(1).choice([1, 2])
    project = project_of(config, tmp_path)
    assert simulate(project, 4, 1, planes=planes).failures == []
    assert simulate_model(project, 12, 1, 2, planes=planes).failures == []
