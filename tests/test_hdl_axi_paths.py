"""No output of a bus depends on an input within a cycle: paths through the elaborated netlist."""

import json
from importlib import import_module
from typing import Any

import pytest
from amaranth.hdl import Fragment, Value
from amaranth.lib import wiring

from kakure.hdl.accelerators.accelerator import Accelerator
from kakure.hdl.bus.register_bank import RegisterBank
from kakure.hdl.bus.stream_register import StreamRegister
from kakure.model.config.config import Config, parse_config

ir = import_module("amaranth.hdl._ir")
CLOCK = "clk"


def dependences(component: wiring.Component) -> dict[str, set[str]]:
    """For each output port, the input ports that it depends on combinationally.

    Amaranth's own netlist of the whole, inlined hierarchy, from which it also writes Verilog; bit
    by bit, by the edges along which it looks for combinational loops.
    """
    ports: dict[str, Value] = {}
    directions = {}
    for path, member, value in component.signature.flatten(component):
        name = "__".join(map(str, path))
        ports[name] = Value.cast(value)
        directions[name] = member.flow
    declared = [(name, value, None) for name, value in ports.items()]
    netlist = ir.build_netlist(Fragment.get(component, None), declared)
    top = netlist.top
    inputs = {
        start + bit: name for name, (start, width) in top.ports_i.items() for bit in range(width)
    }
    found = {}
    for name, nets in top.ports_o.items():
        seen = set()
        todo = list(nets)
        while todo:
            net = todo.pop()
            if net in seen or net.is_const:
                continue
            seen.add(net)
            if net.cell:
                edges = netlist.cells[net.cell].comb_edges_to(net.bit)
                todo += [edge for edge, _ in edges]
        found[name] = {inputs[net.bit] for net in seen if net.cell == 0} - {CLOCK}
    assert found.keys() == {name for name, flow in directions.items() if flow is wiring.Out}
    return found


def crossbar(channels: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "conv" if "kernel" in more else "linear",
        "channels": channels,
        "engine": "crossbar",
        "column_sharing": 2,
        "adc_type": "flash",
        "adc_bits": 2,
        "input_bits": 2,
        **more,
    }


def pe_array(channels: int, **more: Any) -> dict[str, Any]:
    kind = "conv" if "kernel" in more else "linear"
    return {"kind": kind, "channels": channels, "engine": "pe_array", "input_bits": 2, **more}


NETWORKS: dict[str, tuple[tuple[int, int, int], list[dict[str, Any]]]] = {
    "crossbar": ((1, 1, 1), [crossbar(2)]),
    "crossbar, one class": ((1, 1, 4), [crossbar(1)]),
    "several words, pool, sar": (
        (4, 4, 2),
        [crossbar(3, kernel=3, pool=2, adc_type="sar"), crossbar(3)],
    ),
    "copies": ((3, 3, 1), [crossbar(2, kernel=2, copies=3), crossbar(2, copies=2)]),
    "PE array": ((1, 1, 3), [pe_array(3)]),
    "PE arrays": ((3, 3, 1), [pe_array(2, kernel=2), pe_array(2)]),
    "shortcuts": (
        (3, 3, 2),
        [
            crossbar(2, kernel=3, residual=True),
            pe_array(2, kernel=3, residual=True),
            crossbar(2),
        ],
    ),
}


def config_of(shape: tuple[int, int, int], layers: list[dict[str, Any]], generator: str) -> Config:
    return parse_config(
        json.dumps({
            "name": "paths",
            "dataset": "images",
            "input_shape": list(shape),
            "weights": {"kind": "hidden", "generator": generator},
            "crossbar": {"rows": 4, "columns": 2},
            "pe_array": {"inputs": 2, "outputs": 2, "pixels": 2},
            "layers": layers,
        })
    )


@pytest.mark.parametrize("generator", ["xorshift32", "xorshift16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_no_output_of_an_accelerator_depends_on_an_input(name, generator):
    found = dependences(Accelerator(config=config_of(*NETWORKS[name], generator)))
    assert {"s_axis_tready", "m_axis_tvalid", "s_axi_awready", "s_axi_rdata"} <= found.keys()
    assert found == {output: set() for output in found}


def test_no_output_of_the_registers_depends_on_an_input():
    found = dependences(RegisterBank())
    assert found == {output: set() for output in found}


def test_paths_that_are_there_are_found():
    assert dependences(StreamRegister(width=3)) == {
        "i__ready": {"is_open"},
        "o__valid": {"i__valid", "is_open"},
        "o__payload": {"i__payload"},
        "is_held": set(),
    }
