# amaranth: UnusedElaboratable=no
"""Layers of any width that tools can take become hardware, in every simulator; others do not."""

import json

import pytest
from pyslang.ast import Compilation
from pyslang.syntax import SyntaxTree

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.accelerators.spatial.bus_widths import MOST_BITS, bus_widths
from kakure.hdl.accelerators.spatial.core import SpatialCore
from kakure.hdl.emission.artifacts import design_of
from kakure.model.config.config import parse_config
from kakure.model.errors import UserError
from kakure.model.parameters.parameters import random_parameters
from kakure.sim.generation.project import Project
from kakure.sim.runner.golden import golden_vectors
from kakure.sim.runner.plain_bench import expected, run_verilator


def network(shape, *layers, array=(1, 1, 1), tile=(64, 64)):
    config = {
        "name": "wide",
        "dataset": "images",
        "input_shape": list(shape),
        "weights": {"kind": "hidden", "seed": 3},
        "crossbar": dict(zip(("rows", "columns"), tile, strict=True)),
        "pe_array": dict(zip(("inputs", "outputs", "pixels"), array, strict=True)),
        "layers": list(layers),
    }
    return parse_config(json.dumps(config))


CROSSBAR = {"engine": "crossbar", "column_sharing": 1, "adc_type": "flash", "adc_bits": 1}
LINEAR = {"kind": "linear", "channels": 1, "input_bits": 8}
CONV = {"kind": "conv", "kernel": 1, "pool": 16, "input_bits": 8, "engine": "pe_array"}

WIDE = {
    "a window, crossbar": network(
        (3, 3, 1024), LINEAR | CROSSBAR | {"channels": 2, "adc_bits": 8}, tile=(256, 2)
    ),
    "a window, PE array": network(
        (3, 3, 1024), LINEAR | {"channels": 3, "engine": "pe_array"}, array=(64, 3, 1)
    ),
    "sums and results": network(
        (1, 1, 3), LINEAR | CROSSBAR | {"channels": 2100, "adc_bits": 2}, tile=(4, 512)
    ),
    "a PE array": network(
        (16, 16, 9),
        CONV | {"channels": 22},
        LINEAR | {"engine": "pe_array"},
        array=(9, 11, 256),
    ),
}
"""Networks with more than 65 536 bits at the ports of a module."""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (network((1024, 123, 1), LINEAR | CROSSBAR), "a window must have .* not 1007616"),
        (
            network((16, 16, 9), CONV | {"channels": 400}, array=(9, 40, 256)),
            "the sums of the PE array must have .* not 1331200",
        ),
    ],
)
@pytest.mark.parametrize("component", [SpatialCore, Accelerator])
def test_refuses(config, message, component):
    with pytest.raises(UserError, match=rf"^layers\[0\]: {message}"):
        component(config=config)


def test_the_widest_that_fits_is_accepted():
    config = network((1000, 125, 1), LINEAR | CROSSBAR)
    assert bus_widths(config, config.geometry[0])["a window"] == MOST_BITS
    SpatialCore(config=config)


@pytest.mark.full
def test_what_is_wider_than_65536_bits_can_be_read():
    compilation = Compilation()
    for module in design_of(WIDE["a window, PE array"], "wide").modules.values():
        compilation.addSyntaxTree(SyntaxTree.fromText(module.verilog, module.name))
    assert not [found for found in compilation.getAllDiagnostics() if found.isError()]


@pytest.mark.full
@pytest.mark.parametrize("what", WIDE)
def test_what_is_wider_than_65536_bits_equals_the_reference_in_its_cycles(what, tmp_path):
    config = WIDE[what]
    assert max(bus_widths(config, config.geometry[0]).values()) > 65536
    project = Project(tmp_path, config, random_parameters(config, 1), is_trained=False)
    vectors = golden_vectors(config, project.parameters, project.images(2)[0])
    results = run_verilator(design_of(config, what), vectors, tmp_path / "run", [1])
    assert results == [expected(vectors)]
