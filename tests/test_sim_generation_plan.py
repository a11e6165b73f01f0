import json

import pytest

from kakure.model.config.config import load_config, parse_config
from kakure.model.config.presets import preset, preset_json
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import Parameters, random_parameters
from kakure.model.parameters.parameters_file import save_parameters
from kakure.model.parameters.supermask_image import layer_section
from kakure.sim.generation.plan import describe, plan
from tests.branching import branching


def test_digits_by_hand():
    first, second, last = plan(preset("digits"))
    assert (first.engine, first.reads, first.writes) == ("crossbar flash 4b", "8x8x1", "4x4x32")
    assert (first.tiles, first.cells, first.mask_bits) == (1, 2 * 9 * 32, 9 * 32)
    assert (first.macs, first.engine_cycles) == (64 * 9 * 32, 64 * 4 * 4 * 1)
    assert (second.groups, second.tiles, second.cells) == (5, 5, 2 * 288 * 32)
    assert second.engine_cycles == 16 * 4 * 8 * 4
    assert (last.engine, last.tiles, last.cells, last.mask_bits) == ("pe_array", 0, 0, 1280)
    # 8 blocks are stored, 4 cycles until the first signs, 128 words, 8 blocks of 4 planes, sent
    assert last.engine_cycles == 8 + 4 + 128 + 8 * 4


def test_a_shortcut_is_named():
    engines = [layer.engine for layer in plan(preset("residual"))]
    assert engines[1] == "crossbar sar 4b + shortcut"
    assert [engine.endswith("shortcut") for engine in engines] == [False, True, False, False]


def test_strides_and_sum_pools_are_named():
    first, second, _ = plan(branching("stride"))
    assert (first.engine, first.reads) == ("crossbar flash 3b, stride 2", "8x8x1")
    assert (first.writes, second.reads, second.writes) == ("4x4x4", "4x4x4", "3x3x5")
    assert second.macs == 9 * 5 * 4 * 2 * 2
    assert second.engine_cycles == 9 * 4 * 4
    _, last = plan(branching("summed"))
    assert (last.engine, last.reads, last.writes) == ("pe_array + sum pool", "8x8x4", "1x1x10")
    assert (last.fan_in, last.mask_bits, last.macs) == (4, 40, 40)


def test_copies_and_wide_layers():
    data = json.loads(preset_json("digits"))
    data["layers"][0] |= {"copies": 3, "channels": 40}
    first = plan(parse_config(json.dumps(data)))[0]
    assert first.tiles == 1 * 2 * 3
    assert first.cells == 2 * 9 * 40 * 3
    assert first.engine_cycles == 22 * 4 * 4


def test_coded_bits_are_the_words_of_the_image():
    config = preset("digits")
    parameters = random_parameters(config, seed=1)
    for layer, geometry, trained in zip(
        plan(config, parameters), config.geometry, parameters.layers, strict=True
    ):
        assert layer.coded_bits == 32 * layer_section(config, geometry, trained).mask_words


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "digits.json"
    file.write_text(preset_json("digits"))
    return file


def test_before_training(path):
    config = load_config(path)
    lines = describe(config, path).splitlines()
    assert lines[1].split()[:3] == ["0", "crossbar", "flash"]
    assert lines[4].split() == ["total", "6", "19", "008", "10", "784", "167", "168"]
    assert lines[-2].endswith("digits.safetensors, not trained yet")
    assert lines[-1] == f"digest      {config.digest}"
    assert all(len(line) <= 120 for line in lines) and len(lines) < 24


def test_a_crossbar_is_left_out_where_there_is_none(path):
    data = json.loads(path.read_text())
    data["accelerator"] = {"kind": "temporal", "inputs": 8, "outputs": 4, "pixels": 2}
    del data["crossbar"]
    crossbar = ("column_sharing", "adc_type", "adc_bits")
    for layer in data["layers"]:
        layer["engine"] = "pe_array"
        for field in crossbar:
            layer.pop(field, None)
    text = describe(parse_config(json.dumps(data)), path)
    assert "  tiles" not in text and "crossbar  " not in text
    assert "accelerator temporal, 8 inputs x 4 outputs x 2 pixels, 16 accumulators" in text
    assert text.splitlines()[4].split() == ["total", "10", "784", "167", "168"]


def test_after_training(path):
    config = load_config(path)
    file = path.with_suffix(".safetensors")
    save_parameters(file, config, random_parameters(config, 1))
    assert "fits, but was trained for another configuration" in describe(config, path)
    trained = Parameters(random_parameters(config, 1).layers, {"config": config.digest})
    save_parameters(file, config, trained)
    assert "digits.safetensors, fits; validation unknown" in describe(config, path)


def test_parameters_that_do_not_fit(path):
    config = load_config(path)
    path.with_suffix(".safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match="parameters: cannot be read"):
        describe(config, path)


def test_images_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "not fetched yet: kakure data fashion-mnist" in describe(
        preset("fashion-mnist"), tmp_path / "a.json"
    )
    data = json.loads(preset_json("digits")) | {"dataset": "mine", "input_shape": [8, 8, 1]}
    with pytest.raises(UserError, match="dataset: must be an existing folder"):
        describe(parse_config(json.dumps(data)), tmp_path / "a.json")
