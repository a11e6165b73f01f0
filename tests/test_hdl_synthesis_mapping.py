"""The mapped gates compute what the Verilog says."""

import random
import re
from pathlib import Path

import pytest

from hdl.design import Design, ModuleSource
from hdl.synthesis.flow import map_modules
from hdl.synthesis.liberty import library
from hdl.synthesis.netlist import Netlist

CELLS = library()


def evaluate(netlist: Netlist, inputs: dict[str, int]) -> dict[str, int]:
    """Outputs of a combinational netlist, by the functions that the library states."""
    values = {-1: 0}
    for name, port in netlist.ports.items():
        if port.direction == "input":
            values |= {net: inputs[name] >> i & 1 for i, net in enumerate(port.bits)}
    waiting = list(netlist.instances)
    while waiting:
        left = []
        for instance in waiting:
            pins = CELLS.cells[instance.kind].pins
            nets = {pin: bits[0] for pin, bits in instance.pins.items() if bits}
            ins = {p: net for p, net in nets.items() if pins[p].direction == "input"}
            if any(net not in values for net in ins.values()):
                left.append(instance)
                continue
            for pin, net in nets.items():
                function = pins[pin].function
                if pins[pin].direction == "output" and function is not None:
                    known = {p: bool(values[n]) for p, n in ins.items()}
                    text = re.sub(r"!", " not ", function)
                    text = text.replace("&", " and ").replace("|", " or ").replace("^", " != ")
                    values[net] = int(eval(text, {}, known))
        assert len(left) < len(waiting)
        waiting = left
    return {
        name: sum(values[net] << i for i, net in enumerate(port.bits))
        for name, port in netlist.ports.items()
        if port.direction == "output"
    }


def mapped(name: str, text: str, cache: Path) -> Netlist:
    design = Design(name, {name: ModuleSource(name, "test", text)})
    return map_modules(design, cache=cache)[name].netlist


@pytest.mark.parametrize("width", [3, 15, 24])
def test_a_count_of_ones(width, tmp_path):
    ones = " + ".join(f"x[{i}]" for i in range(width))
    text = f"module count(input [{width - 1}:0] x, output [5:0] y); assign y = {ones}; endmodule"
    netlist = mapped("count", text, tmp_path)
    assert netlist.kinds["FA_X1"] > 0
    draw = random.Random(width)
    for x in [0, 2**width - 1, *(draw.getrandbits(width) for _ in range(100))]:
        assert evaluate(netlist, {"x": x}) == {"y": x.bit_count()}


def test_a_signed_multiply_and_add(tmp_path):
    text = (
        "module mac(input signed [5:0] a, input signed [4:0] b, input signed [10:0] c, "
        "output signed [11:0] y); assign y = a * b + c; endmodule"
    )
    netlist = mapped("mac", text, tmp_path)
    draw = random.Random(1)
    for _ in range(200):
        a, b, c = draw.randrange(-32, 32), draw.randrange(-16, 16), draw.randrange(-1024, 1024)
        y = evaluate(netlist, {"a": a & 63, "b": b & 31, "c": c & 2047})["y"]
        assert y == (a * b + c) & 4095


def test_choices_and_constants(tmp_path):
    text = (
        "module pick(input [7:0] a, input [2:0] s, output [7:0] y, output [3:0] k);"
        " assign y = s[2] ? a >> s[1:0] : a + 8'd77; assign k = 4'b1010; endmodule"
    )
    netlist = mapped("pick", text, tmp_path)
    for a in range(0, 256, 7):
        for s in range(8):
            y = a >> (s & 3) if s & 4 else (a + 77) & 255
            assert evaluate(netlist, {"a": a, "s": s}) == {"y": y, "k": 10}


def test_a_netlist_survives_the_cache(tmp_path):
    netlist = mapped(
        "inverse", "module inverse(input a, output y); assign y = ~a; endmodule", tmp_path
    )
    assert Netlist.from_dict(netlist.to_dict()) == netlist
