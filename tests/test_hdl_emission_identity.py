# amaranth: UnusedElaboratable=no
"""Blocks share a module exactly where the configuration gives them the same hardware."""

import json
from typing import Any

import pytest

from kakure.hdl.accelerators.spatial.layer import Layer
from kakure.hdl.emission.emit import emit, module_name
from kakure.hdl.emission.identity import core_identity
from kakure.hdl.engines.pe_array.engine import PeEngine
from kakure.model.config.config import Config, parse_config

CONV = {"kind": "conv", "channels": 2, "kernel": 3, "padding": 1, "input_bits": 2}
CROSSBAR = {**CONV, "engine": "crossbar", "column_sharing": 2, "adc_type": "sar", "adc_bits": 3}
PE_ARRAY = {**CONV, "engine": "pe_array"}
CONFIG: dict[str, Any] = {
    "name": "twins",
    "dataset": "maps",
    "input_shape": [3, 3, 2],
    "weights": {"kind": "hidden", "seed": 5, "generator": "xorshift32", "density": 0.5},
    "crossbar": {"rows": 16, "columns": 16},
    "pe_array": {"inputs": 4, "outputs": 2, "pixels": 3},
    "layers": [
        CROSSBAR,
        CROSSBAR,
        PE_ARRAY,
        PE_ARRAY,
        {"kind": "linear", "channels": 2, "engine": "pe_array", "input_bits": 2},
    ],
}
"""Layers 0 and 1 are equal, and so are 2 and 3 but for their place."""


def config(*changes: tuple[str, Any]) -> Config:
    """CONFIG with other values; a path's steps are parted by dots."""
    document = json.loads(json.dumps(CONFIG))
    for path, value in changes:
        *steps, last = path.split(".")
        place: Any = document
        for step in steps:
            place = place[int(step) if step.isdecimal() else step]
        place[last] = value
    return parse_config(json.dumps(document))


def layer_identity(config: Config, index: int) -> dict[str, Any]:
    return Layer(config=config, index=index).identity


def text_of(component) -> str:
    """Verilog of a component under a name that says nothing of it."""
    return emit(component, "top").modules["top"].verilog


def test_equal_crossbar_layers_are_one_module():
    made = [Layer(config=config(), index=index) for index in (0, 1)]
    assert layer_identity(config(), 0) == layer_identity(config(), 1)
    assert module_name(made[0]) == module_name(made[1])
    assert text_of(made[0]) == text_of(made[1])


def test_equal_layers_of_a_pe_array_have_signs_of_their_own():
    made = [PeEngine(config=config(), index=index) for index in (2, 3)]
    assert layer_identity(config(), 2) == layer_identity(config(), 3) | {"layer": 2}
    assert module_name(made[0]) != module_name(made[1])
    assert text_of(made[0]) != text_of(made[1])


def test_a_network_holds_its_signs_once_for_each_layer():
    names = [module_name(Layer(config=config(), index=index)) for index in range(5)]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("changes", "layers"),
    [
        ([("name", "others")], ""),
        ([("weights.density", 0.25)], ""),
        ([("weights.seed", 6)], "234"),
        ([("weights.generator", "xorshift16")], "234"),
        ([("crossbar.rows", 18)], "01"),
        ([("crossbar.rows", 8)], "01"),
        ([("crossbar.columns", 8)], "01"),
        ([("pe_array.inputs", 5)], "234"),
        ([("pe_array.outputs", 1)], "234"),
        ([("pe_array.pixels", 4)], "234"),
        ([("layers.0.column_sharing", 4)], "0"),
        ([("layers.0.adc_type", "flash")], "0"),
        ([("layers.1.adc_bits", 4)], "1"),
        ([("layers.1.adc_shift", 1)], "1"),
        ([("layers.0.copies", 2)], "0"),
        ([("layers.1.residual", True)], "1"),
        ([("layers.3.residual", True)], "3"),
        ([("layers.2.input_bits", 3)], "12"),  # it is what the layer before gives
        ([("layers.4.channels", 3)], "4"),
        ([("layers.1.channels", 3)], "12"),
        ([("layers.2.kernel", 1), ("layers.2.padding", 0)], "2"),
        ([("layers.3.pool", 3)], "34"),
        ([("input_shape", [3, 3, 1])], "0"),
        ([("input_shape", [3, 4, 2])], "01234"),
    ],
)
def test_what_changes_the_hardware_of_a_layer_and_nothing_else_changes_its_name(changes, layers):
    before, after = config(), config(*changes)
    changed = [
        str(index)
        for index in range(5)
        if layer_identity(before, index) != layer_identity(after, index)
    ]
    assert "".join(changed) == layers
    assert (core_identity(before) != core_identity(after)) == bool(layers)


def test_a_network_is_named_by_its_weights_arrays_layers_and_image():
    assert set(core_identity(config())) == {"image", "weights", "crossbar", "pe_array", "layers"}
    assert core_identity(config())["image"] == "3x3x2"
    assert json.loads(str(core_identity(config())["weights"])) == {
        "kind": "hidden",
        "seed": 5,
        "generator": "xorshift32",
    }


def test_the_identity_of_a_layer_is_what_a_netlist_can_carry():
    found = layer_identity(config(("layers.1.residual", True)), 1)
    assert all(value is None or isinstance(value, int | str) for value in found.values())
    assert found["residual"] is True
    assert found["groups"] == "16+2"
    assert "residual" not in {k for k, v in layer_identity(config(), 1).items() if v}
