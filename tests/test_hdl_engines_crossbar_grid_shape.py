"""Counts of a grid's adder tree, and the peak of its sums."""

from kakure.hdl.engines.crossbar.engine_shape import CrossbarEngineShape
from kakure.hdl.engines.crossbar.grid_shape import adder_levels
from kakure.sim.random_config import random_config


def test_the_depths_of_an_adder_tree_add_up():
    levels = adder_levels()
    assert levels[:9].tolist() == [0, 0, 1, 3, 4, 7, 9, 10, 11]
    assert levels[16] == 8 * 1 + 4 * 2 + 2 * 3 + 4


def test_the_peak_is_that_of_the_configuration():
    count = 0
    for seed in range(40):
        config = random_config(seed)
        for index, layer in enumerate(config.layers):
            if layer.engine == "crossbar":
                grid = CrossbarEngineShape.of(config, index).grid
                assert grid.peak == config.geometry[index].peak
                count += 1
    assert count > 40
