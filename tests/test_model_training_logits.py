import numpy as np
import pytest
import torch

from kakure.model.config.presets import preset
from kakure.model.packed.network import PackedNetwork
from kakure.model.parameters.parameters import random_parameters
from kakure.model.reference.network import network
from kakure.model.training import logits as logits_module
from kakure.model.training.logits import integer_logits
from kakure.model.training.network import IntegerNetwork, as_tensor


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("count", [1, 45])
def test_logits_are_the_references_by_either_way(monkeypatch, is_packed, count):
    config = preset("residual")
    parameters = random_parameters(config, 3)
    images = np.random.default_rng(3).integers(0, 256, (count, *config.shape), dtype=np.uint8)
    used = []
    for way in (PackedNetwork, IntegerNetwork):
        made = way.__init__

        def noted(self, *args, made=made, way=way, **options):
            used.append(way)
            made(self, *args, **options)

        monkeypatch.setattr(way, "__init__", noted)
    monkeypatch.setattr(logits_module, "BATCH", 20)
    if not is_packed:
        monkeypatch.setattr(logits_module, "kernel", lambda: None)
    got = integer_logits(config, parameters, as_tensor(images))
    assert used == [PackedNetwork if is_packed else IntegerNetwork]
    assert got.dtype == torch.float64
    assert got.tolist() == network(config, parameters, images).tolist()
