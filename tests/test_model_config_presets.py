from pathlib import Path

import pytest

from kakure.model.config.config import load_config
from kakure.model.config.presets import PRESETS, preset
from kakure.model.config.weights.hidden import HiddenWeights

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_carries_its_name(name):
    config = preset(name)
    assert config.name == name
    assert config.parameters == f"{name}.safetensors"


@pytest.mark.parametrize("name", ["digits", "fashion-mnist", "cifar10"])
def test_the_shipped_configurations_are_presets(name):
    assert load_config(CONFIGS / f"{name}.json").digest == preset(name).digest


def test_presets_differ_as_their_names_say():
    assert {getattr(layer, "adc_type", None) for layer in preset("flash").layers} == {"flash", None}
    assert {getattr(layer, "adc_type", None) for layer in preset("sar").layers} == {"sar", None}
    assert all(
        1 << (getattr(layer, "adc_bits", None) or 7) > 64 for layer in preset("lossless").layers
    )
    hiddenite = preset("hiddenite")
    assert {layer.engine for layer in hiddenite.layers} == {"pe_array"}
    assert (
        isinstance(hiddenite.weights, HiddenWeights) and hiddenite.weights.generator == "xorshift16"
    )


def test_presets_do_not_share_what_they_change():
    assert getattr(preset("digits").layers[1], "adc_type", None) == "sar"
    assert preset("digits").weights == preset("flash").weights
