"""Loops over numbers against the reference, on networks of every form."""

import numpy as np
import pytest

from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.network import network
from kakure.sim.benchmark.naive_reference import naive_network
from tests.branching import FORMS, branching


@pytest.mark.parametrize("form", FORMS)
def test_every_form_equals_the_reference(form):
    config = branching(form)
    parameters = random_parameters(config, 1)
    images = np.random.default_rng(1).integers(0, 256, (2, *config.shape), dtype=np.uint8)
    naive = [naive_network(config, parameters, image) for image in images]
    assert naive == network(config, parameters, images).tolist()
