"""Constants that a parent ties to a child's inputs, and what they block."""

import pytest

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.netlist import Instance, Netlist, Port
from kakure.hdl.synthesis.static_timing import CriticalPath, critical_path

CELLS = library()


def cell(name: str, kind: str, **pins: int) -> Instance:
    return Instance(name, kind, {pin: (net,) for pin, net in pins.items()})


def child() -> Netlist:
    """``y`` is ``fast``, or ``slow`` by way of six buffers where ``select`` is 1."""
    buffers = [cell(f"b{i}", "BUF_X1", A=4 + i, Z=5 + i) for i in range(6)]
    return Netlist(
        "child",
        {
            "fast": Port("input", (0,)),
            "slow": Port("input", (4,)),
            "select": Port("input", (1,)),
            "y": Port("output", (2,)),
        },
        (*buffers, cell("m", "MUX2_X1", A=0, B=10, S=1, Z=2)),
        {"BUF_X1": ("Z",), "MUX2_X1": ("Z",)},
        tuple(f"n{i}" for i in range(11)),
    )


def timed(*ties: Instance) -> CriticalPath:
    """Time the child below a parent whose net 3 goes to ``select``."""
    pins = {"fast": (0,), "slow": (1,), "select": (3,), "y": (2,)}
    top = Netlist(
        "top",
        {"a": Port("input", (0,)), "b": Port("input", (1,)), "y": Port("output", (2,))},
        (Instance("c", "child", pins), *ties),
        {"child": ("y",)},
        ("a", "b", "y", "s", "t"),
    )
    sources = {
        "child": ModuleSource("child", "test", ""),
        "top": ModuleSource("top", "test", "", {"c": "child"}),
    }
    return critical_path(Design("top", sources), {"child": child(), "top": top}, {}, CELLS)


def test_a_multiplexer_with_a_tied_select_passes_one_input():
    low = timed(cell("t", "LOGIC0_X1", Z=3))
    high = timed(cell("t", "LOGIC1_X1", Z=3))
    assert (low.cells, low.start.net) == (1, "a")
    assert (high.cells, high.start.net) == (7, "b")
    assert low.delay_ns < high.delay_ns


def test_constants_go_through_gates():
    inverted = timed(cell("t", "LOGIC1_X1", Z=4), cell("i", "INV_X1", A=4, ZN=3))
    assert inverted.cells == 1
    decided = timed(cell("t", "LOGIC0_X1", Z=4), cell("n", "NOR2_X1", A1=4, A2=0, ZN=3))
    assert decided.cells == 7


def test_an_untied_select_passes_both():
    assert timed().cells == 7


def test_constants_do_not_go_through_registers():
    held = timed(cell("t", "LOGIC0_X1", Z=4), cell("r", "DFF_X1", D=4, CK=0, Q=3))
    assert held.cells == 7


@pytest.mark.parametrize("tie", ["LOGIC0_X1", "LOGIC1_X1"])
def test_a_full_adder_with_a_tied_carry_still_adds(tie):
    ports = {"a": Port("input", (0,)), "b": Port("input", (1,)), "s": Port("output", (2,))}
    adder = cell("f", "FA_X1", A=0, B=1, CI=3, CO=4, S=2)
    netlist = Netlist(
        "top", ports, (adder, cell("t", tie, Z=3)), {"FA_X1": ("CO", "S")}, tuple("abcde")
    )
    design = Design("top", {"top": ModuleSource("top", "test", "")})
    path = critical_path(design, {"top": netlist}, {}, CELLS)
    assert path.cells == 1
    assert path.start.net in ("a", "b")
