"""Keys of objects of several kinds."""

from kakure.model.config.engines.layer import MOST_LAYERS
from kakure.model.config.engines.pe_array import PeArrayLayer
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.config.weights.table import WEIGHTS


def test_keys_are_those_of_the_kind_or_of_all():
    assert WEIGHTS.keys({"kind": "hidden"}) == list(HiddenWeights.model_fields)
    every = WEIGHTS.keys({})
    assert set(every) > set(HiddenWeights.model_fields) and len(set(every)) == len(every)
    assert WEIGHTS.keys({"kind": 3}) == WEIGHTS.keys("hidden") == every


def test_a_shortcut_may_lead_over_as_many_layers_as_there_may_be():
    layer = {"kind": "conv", "kernel": 3, "channels": 2, "engine": "pe_array", "input_bits": 1}
    for count in (2, MOST_LAYERS):
        assert PeArrayLayer.model_validate(layer | {"residual": count}).residual == count
    assert PeArrayLayer.model_validate(layer | {"residual": 1}).residual is True
