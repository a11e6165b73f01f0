import json
from pathlib import Path

import numpy as np

from kakure.model.__main__ import main
from kakure.model.config.config import load_config
from kakure.model.config.presets import preset
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.datasets.images import load_images
from kakure.model.evaluate import Score, evaluate
from kakure.model.parameters.parameters import load_parameters, random_parameters
from kakure.model.reference.network import classify, network

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


def test_score():
    assert Score(3, 4).accuracy == 0.75


def test_chunks_do_not_change_the_score():
    config = preset("digits")
    parameters = random_parameters(config, seed=1)
    data = load_images(config, Path(), "test").take(np.arange(25))
    expected = int((classify(network(config, parameters, data.images)) == data.labels).sum())
    for chunk in (1, 7, 25, 100):
        assert evaluate(config, parameters, data, chunk=chunk) == Score(expected, 25)


def test_the_shipped_digits_are_right_often_enough(capsys):
    assert main(["evaluate", str(CONFIGS / "digits.json"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["count"] == 360
    assert result["accuracy"] >= 0.985
    assert result["accuracy"] == result["correct"] / 360


def test_the_shipped_digits_store_one_bit_per_weight():
    config = load_config(CONFIGS / "digits.json")
    assert config.parameters is not None
    parameters = load_parameters(CONFIGS / config.parameters, config)
    assert isinstance(config.weights, HiddenWeights)
    for layer in parameters.layers:
        assert layer.mask.sum() == round(layer.mask.size * config.weights.density)
    assert parameters.metadata["config"] == config.digest
