import numpy as np
import pytest

from kakure.model.config.presets import preset
from kakure.model.parameters.parameters import random_parameters
from kakure.search.commands import bench
from kakure.search.commands.kakure import main
from kakure.sim.benchmark import integers


def test_rates_are_of_all_images_and_logits_are_equal(monkeypatch):
    monkeypatch.setattr(integers, "LEAST", 50)
    config = preset("digits")
    parameters = random_parameters(config, 1)
    images = np.random.default_rng(1).integers(0, 256, (20, *config.shape), dtype=np.uint8)
    found = integers.rates(config, parameters, images, equal=20)
    assert (found.images, found.equal) == (60, 20)
    assert found.rate == 60 / found.seconds and found.ratio == found.rate / found.other

    def wrong(*_):
        return np.zeros((20, 10), np.int64)

    monkeypatch.setattr(integers, "network", wrong)
    with pytest.raises(RuntimeError, match="digits: the packed model and the reference differ"):
        integers.rates(config, parameters, images, equal=20)


def test_the_network_is_of_the_size_that_it_says():
    geometry = integers.cifar10_size().geometry
    assert sum(layer.weights for layer in geometry) == 3_079_904
    assert sum(layer.weights * layer.positions for layer in geometry) == 230_919_296


def test_a_name_measures_that_alone(monkeypatch, capsys):
    monkeypatch.setitem(bench.ALONE, "integers", lambda: iter(["one", "two"]))
    assert main(["bench", "integers"]) == 0
    assert capsys.readouterr().out == "one\ntwo\n"
