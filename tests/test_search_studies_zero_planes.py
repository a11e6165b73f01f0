"""Planes of zeros are those that the array of the temporal machine is given."""

import numpy as np
import pytest
from temporal import random_temporal

from kakure.hdl.accelerators.temporal.machine import Machine
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.accelerators.temporal.timing import layer_work
from kakure.model.parameters.parameters import random_parameters
from kakure.search.commands.kakure import main
from kakure.search.studies.zero_planes import Planes, count_planes


def layers_of(config) -> list[LayerOperation]:
    operations = program_of(config).operations
    return [one for one in operations if isinstance(one, LayerOperation)]


def watched(config, parameters, image) -> list[Planes]:
    """The same from what the machine fetches, digit by digit of each position."""
    machine = Machine(config, parameters)
    fetched: dict[tuple[int, int, int, int, int], int] = {}
    plain = machine._fetch

    def fetch(operation, block, number, digit):
        found = plain(operation, block, number, digit)
        step = number // operation.array.pixels
        key = (operation.geometry.index, block, step, digit, operation.digit_planes[digit])
        fetched[key] = fetched.get(key, 0) | int(np.bitwise_or.reduce(found))
        return found

    machine._fetch = fetch
    machine.run(image)
    result = []
    layers = layers_of(config)
    for operation in layers:
        mine = {k: v for k, v in fetched.items() if k[0] == operation.geometry.index}
        passes = operation.channel_passes
        zeros = sum(1 for k, v in mine.items() for plane in range(k[4]) if not v >> plane & 1)
        leading = sum(k[4] - v.bit_length() for k, v in mine.items())
        empty = sum(1 for v in mine.values() if v == 0)
        planes = sum(k[4] for k in mine)
        counts = len(mine), empty, planes, zeros, leading
        result.append(Planes(*(float(passes * count) for count in counts)))
    return result


@pytest.mark.parametrize("seed", range(70, 82))
def test_counts_are_those_of_what_is_fetched(seed):
    config = random_temporal(seed)
    parameters = random_parameters(config, seed=seed)
    image = np.random.default_rng(seed).integers(0, 40, (1, *config.shape)).astype(np.uint8)
    found = count_planes(config, parameters, image)
    assert found == watched(config, parameters, image[0])
    layers = layers_of(config)
    for planes, operation in zip(found, layers, strict=True):
        assert planes.planes == layer_work(operation).computes
        assert 0 <= planes.leading_zero_planes <= planes.zero_planes <= planes.planes


def test_all_is_zero_of_an_image_without_a_one():
    config = random_temporal(75)
    parameters = random_parameters(config, seed=1)
    first = count_planes(config, parameters, np.zeros((2, *config.shape), np.uint8))[0]
    assert first.zero_planes == first.leading_zero_planes == first.planes > 0
    assert first.empty_steps == first.steps


def test_a_spatial_accelerator_has_no_array(capsys):
    assert main(["study", "zero-planes", "configs/digits.json"]) == 2
    assert "accelerator.kind: must be 'temporal', not 'spatial'" in capsys.readouterr().err
