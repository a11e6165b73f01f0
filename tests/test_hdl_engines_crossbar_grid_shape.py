"""Counts of a grid's adder tree, and the peak of its sums."""

import numpy as np
import pytest

from kakure.hdl.engines.crossbar.column import tile_columns
from kakure.hdl.engines.crossbar.engine_shape import CrossbarEngineShape
from kakure.hdl.engines.crossbar.grid_shape import CrossbarGridShape, adder_levels
from kakure.hdl.engines.crossbar.tile_shape import TileShape
from kakure.sim.random_config import random_config


def depths(summands):
    """The depth of a tree that halves its summands, and the sum of the depths of all its adders."""
    if summands < 2:
        return 0, 0
    left, right = depths(summands // 2), depths(summands - summands // 2)
    depth = 1 + max(left[0], right[0])
    return depth, left[1] + right[1] + depth


def test_the_depths_of_an_adder_tree_add_up():
    levels = adder_levels(np.arange(300))
    assert levels[:9].tolist() == [0, 0, 1, 3, 4, 7, 9, 10, 11]
    assert levels.tolist() == [depths(n)[1] for n in range(300)]
    for many in (4096, 4097, 12_345, 65_001):  # as many row groups as a wide layer has
        assert adder_levels(many) == depths(many)[1]


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


@pytest.mark.parametrize("outputs", [1, 31, 33, 64, 65, 100, 257])
@pytest.mark.parametrize("columns", [1, 6, 8, 32, 36, 48, 64, 100])
def test_columns_of_tiles_are_written_in_as_many_groups_as_they_lie_in_words(outputs, columns):
    grid = CrossbarGridShape(
        fan_in=7,
        outputs=outputs,
        rows=7,
        columns=columns,
        sharing=1,
        is_sar=0,
        adc_bits=3,
        adc_shift=0,
        input_bits=1,
    )
    groups = 0.0
    for child in grid.children():
        assert isinstance(child.shape, TileShape)
        groups += child.shape.write_groups * child.count
    assert groups == pytest.approx(sum(len(tile.pieces) for tile in tile_columns(grid)))
