import dataclasses
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kakure.model.config.config import parse_config
from kakure.model.config.presets import preset, preset_json
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.model.parameters.parameters_file import load_parameters, save_parameters

CONFIG = preset("digits")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "net.safetensors"
    save_parameters(file, CONFIG, random_parameters(CONFIG, seed=1))
    return file


def rewrite(path, **changes):
    """Replace tensors of a file (None removes one), and keep its metadata."""
    tensors = load_file(path)
    for name, value in changes.items():
        key = name.replace("__", ".")
        if value is None:
            del tensors[key]
        else:
            tensors[key] = value
    metadata = load_parameters(path, CONFIG).metadata
    save_file(tensors, path, metadata)


def test_round_trip(path):
    before = random_parameters(CONFIG, seed=1)
    after = load_parameters(path, CONFIG)
    for a, b in zip(before.layers, after.layers, strict=True):
        assert (a.mask == b.mask).all() and a.mask.dtype == b.mask.dtype
        assert (a.multiplier == b.multiplier).all() and b.multiplier.dtype == np.int64
        assert (a.offset == b.offset).all()
        assert (a.shift == b.shift).all() and b.shift.dtype == np.int64


def test_the_same_parameters_give_the_same_bytes(tmp_path):
    metadata = {f"key {n}": str(n) for n in range(50)}
    parameters = dataclasses.replace(random_parameters(CONFIG, 1), metadata=metadata)
    for name in ("a", "b"):
        save_parameters(tmp_path / name, CONFIG, parameters)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert load_parameters(tmp_path / "a", CONFIG).metadata.items() >= metadata.items()


def test_metadata_is_kept(tmp_path):
    file = tmp_path / "net.safetensors"
    parameters = dataclasses.replace(random_parameters(CONFIG, 1), metadata={"seed": "7"})
    save_parameters(file, CONFIG, parameters)
    assert load_parameters(file, CONFIG).metadata["seed"] == "7"
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_the_file_holds_one_bit_per_weight(path):
    tensors = load_file(path)
    for geometry in CONFIG.geometry:
        assert tensors[f"layers.{geometry.index}.mask"].nbytes == -(-geometry.weights // 8)


def test_weights_are_masked_signs():
    parameters = random_parameters(CONFIG, seed=2)
    for geometry, layer in zip(CONFIG.geometry, parameters.layers, strict=True):
        w = layer.weights(CONFIG, geometry)
        assert set(np.unique(w)) == {-1, 0, 1}
        assert ((w != 0) == layer.mask).all()


def test_random_parameters_use_the_range():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 8, 8, 1)).astype(np.uint8)
    from kakure.model.reference.network import network_layers

    for (_, y), geometry in zip(
        network_layers(CONFIG, random_parameters(CONFIG, 3), images), CONFIG.geometry, strict=True
    ):
        if geometry.output_bits is not None:
            assert set(np.unique(y)) == set(range(1 << geometry.output_bits))


def fails(path, config=CONFIG):
    with pytest.raises(UserError) as error:
        load_parameters(path, config)
    line = str(error.value)
    assert line.startswith(f"{path}: ") and "\n" not in line
    return line.removeprefix(f"{path}: ")


def test_missing(tmp_path):
    assert "must be an existing file" in fails(tmp_path / "none.safetensors")


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_truncated(path, size):
    path.write_bytes(path.read_bytes()[:size])
    assert fails(path).startswith("parameters: cannot be read:")


def test_other_signs(path):
    data = json.loads(preset_json("digits"))
    data["weights"]["seed"] = 2
    line = fails(path, parse_config(json.dumps(data)))
    assert '"seed": 2' in line and '"seed": 1' in line


def test_other_network(path):
    data = json.loads(preset_json("digits"))
    data["layers"][1]["channels"] = 16
    line = fails(path, parse_config(json.dumps(data)))
    assert line == (
        "layers.1.mask: must be uint8 of shape (576,) for this configuration, "
        "not uint8 of shape (1152,)"
    )


def test_fewer_layers(path):
    data = json.loads(preset_json("digits"))
    del data["layers"][1]
    data["layers"][1]["channels"] = 32
    assert "must be uint8 of shape" in fails(path, parse_config(json.dumps(data)))
    rewrite(path, layers__3__shift=np.zeros(1, np.int32))
    assert fails(path) == "layers.3.shift: must not be there, the network has 3 layers"


def test_a_tensor_is_missing(path):
    rewrite(path, layers__1__offset=None)
    assert fails(path) == "layers.1.offset: is required by the configuration, but missing"


def test_a_tensor_has_the_wrong_type(path):
    rewrite(path, layers__1__offset=np.zeros(32, np.int64))
    assert "layers.1.offset: must be int32" in fails(path)


@pytest.mark.parametrize("value", [32768, -32769])
def test_a_multiplier_is_too_large(path, value):
    rewrite(path, layers__1__multiplier=np.full(32, value, np.int32))
    assert fails(path) == f"layers.1.multiplier: must fit 16 bits, not {abs(value)}"


@pytest.mark.parametrize("value", [-(2**31), -1, 32, 2**31 - 1])
@pytest.mark.parametrize(("size", "channel"), [(32, 0), (32, 31), (1, 0)])
def test_a_shift_is_out_of_range(path, value, size, channel):
    shift = np.full(size, 31, np.int32)
    rewrite(path, layers__0__shift=shift)
    assert (load_parameters(path, CONFIG).layers[0].shift == 31).all()
    shift[channel] = value
    rewrite(path, layers__0__shift=shift)
    assert fails(path) == f"layers.0.shift: must be 0 to 31, not {value}"


@pytest.mark.parametrize("shape", [(0,), (31,), (33,), (1, 32), ()])
def test_shifts_of_another_shape(path, shape):
    rewrite(path, layers__0__shift=np.zeros(shape, np.int32))
    assert fails(path) == (
        "layers.0.shift: must be int32 of shape (32,) for this configuration, "
        f"not int32 of shape {shape}"
    )


@pytest.mark.parametrize("size", [1, 32])
def test_shifts_of_another_type(path, size):
    rewrite(path, layers__0__shift=np.zeros(size, np.int64))
    assert fails(path).startswith("layers.0.shift: must be int32 of shape (32,) for this conf")


def test_the_last_layer_does_not_shift(path):
    shift = np.zeros(10, np.int32)
    shift[9] = 3
    rewrite(path, layers__2__shift=shift)
    assert fails(path) == "layers.2.shift: must be 0 in the last layer, not 3"


def test_one_shift_of_an_older_file_is_that_of_all_channels(path, tmp_path):
    rewrite(path, **{f"layers__{n}__shift": np.array([s], np.int32) for n, s in ((0, 12), (1, 7))})
    rewrite(path, layers__2__shift=np.zeros(1, np.int32))
    parameters = load_parameters(path, CONFIG)
    for layer, shift in zip(parameters.layers, (12, 7, 0), strict=True):
        assert layer.shift.tolist() == [shift] * len(layer.multiplier)
    save_parameters(tmp_path / "new", CONFIG, parameters)
    assert [load_file(tmp_path / "new")[f"layers.{n}.shift"].shape for n in range(3)] == [
        (32,),
        (32,),
        (10,),
    ]


def test_a_mask_bounds_the_logits(path):
    """A channel of the last layer whose mask is sparse or empty may have larger scales."""
    geometry = CONFIG.geometry[-1]
    mask = np.ones((geometry.fan_in, 10), bool)
    mask[:, 4] = False
    mask[3, 4] = True
    packed = np.packbits(mask.reshape(-1), bitorder="little")
    multiplier, offset = np.ones(10, np.int32), np.zeros(10, np.int32)
    multiplier[4] = 2
    offset[4] = 2**31 - 1 - 2 * ((1 << geometry.input_bits) - 1)
    rewrite(
        path, layers__2__mask=packed, layers__2__multiplier=multiplier, layers__2__offset=offset
    )
    load_parameters(path, CONFIG)
    offset[4] += 1
    rewrite(path, layers__2__offset=offset)
    assert fails(path) == f"layers.2: logits must fit 32 bits, but may reach {2**31}"


def test_logits_are_too_large(path):
    geometry = CONFIG.geometry[-1]
    peak = geometry.peak
    rewrite(path, layers__2__mask=np.full(-(-geometry.weights // 8), 255, np.uint8))
    offset = np.zeros(10, np.int32)
    offset[3] = 2**31 - 1 - peak
    rewrite(path, layers__2__multiplier=np.ones(10, np.int32), layers__2__offset=offset)
    load_parameters(path, CONFIG)
    offset[3] += 1
    rewrite(path, layers__2__offset=offset)
    assert fails(path) == f"layers.2: logits must fit 32 bits, but may reach {2**31}"


def test_an_older_file_has_one_shift_for_all_channels(path):
    tensors = load_file(path)
    tensors["layers.0.shift"] = np.array([9], tensors["layers.0.shift"].dtype)
    metadata = load_parameters(path, CONFIG).metadata
    metadata.pop("sha256", None)  # which older files lack too
    save_file(tensors, path, metadata)
    first, *others = load_parameters(path, CONFIG).layers
    assert (first.shift == 9).all() and len(first.shift) == CONFIG.geometry[0].outputs
    for layer, before in zip(others, random_parameters(CONFIG, seed=1).layers[1:], strict=True):
        assert (layer.shift == before.shift).all()
