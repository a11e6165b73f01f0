"""The temporal accelerator's operations give what the reference gives, on arrays of any shape."""

import numpy as np
import pytest
from branching import FORMS
from temporal import temporal

from kakure.hdl.accelerators.temporal.machine import Machine
from kakure.hdl.accelerators.temporal.planner import program_of
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.network import network

ARRAYS = [
    (1, 1, 1, 1), (4, 4, 4, 2), (8, 2, 3, 2), (6, 2, 2, 5), (3, 4, 2, 3), (12, 8, 1, 4),
    (16, 32, 2, 2), (5, 1, 4, 16),
]  # fmt: skip
"""Inputs, outputs, pixels, batches."""


def check(config, seed=3):
    parameters = random_parameters(config, seed)
    images = np.random.default_rng(7).integers(0, 256, (1, *config.shape)).astype(np.uint8)
    machine = Machine(config, parameters)
    got = np.stack([machine.run(image) for image in images])
    assert (got == network(config, parameters, images)).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("array", ARRAYS[1:3])
def test_logits_are_those_of_the_reference(form, array):
    check(temporal(FORMS[form], array, input_shape=[8, 8, 1]))


@pytest.mark.parametrize("array", ARRAYS)
def test_arrays_of_any_shape(array):
    conv = {"kind": "conv", "channels": 7, "kernel": 3, "pool": 2, "input_bits": 7}
    wide = {"kind": "conv", "channels": 35, "kernel": 2, "padding": 1, "input_bits": 3}
    head = {"kind": "linear", "channels": 5, "input_bits": 5}
    check(temporal([conv, wide, head], array, input_shape=[5, 6, 2]))


def test_lines_lie_so_that_no_slot_stays_empty_but_at_the_end():
    conv = {"kind": "conv", "channels": 6, "kernel": 3, "input_bits": 4}
    config = temporal([conv, conv, FORMS["stride"][-1]], (8, 2, 1, 1))
    first, second, _ = program_of(config).operations
    assert isinstance(second, LayerOperation)
    assert second.source.words == 3 and second.run == 9
    assert second.source.pitch % 4 == 1 and second.blocks == 7  # 27 words, 4 at once
    assert {first.source.memory, second.source.memory} == {0, 1}
