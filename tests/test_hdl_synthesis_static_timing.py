"""The longest path, against delays that are looked up by hand."""

from collections.abc import Mapping

import pytest

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis.liberty import Table, library
from kakure.hdl.synthesis.netlist import Instance, Netlist, Port
from kakure.hdl.synthesis.static_timing import CriticalPath, Endpoint, critical_path
from kakure.model.errors import UserError

CELLS = library()
SLEW = 0.02
OUTPUT_FF = 7.0


def cell(name: str, kind: str, **pins: int) -> Instance:
    return Instance(name, kind, {pin: (net,) for pin, net in pins.items()})


def netlist(name: str, ports: Mapping[str, tuple[str, int]], *instances: Instance) -> Netlist:
    """Nets are called n0, n1 ...; every port has one bit; children drive their pins in capitals."""
    nets = {net for i in instances for bits in i.pins.values() for net in bits}
    nets |= {net for _, net in ports.values()}
    outputs = {
        i.kind: tuple(p.name for p in CELLS.cells[i.kind].pins.values() if p.direction == "output")
        if i.kind in CELLS.cells
        else tuple(pin for pin in i.pins if pin.isupper())
        for i in instances
    }
    return Netlist(
        name,
        {port: Port(direction, (net,)) for port, (direction, net) in ports.items()},
        instances,
        outputs,
        tuple(f"n{net}" for net in range(max(nets) + 1)),
    )


def single(module: Netlist) -> CriticalPath:
    design = Design(module.name, {module.name: ModuleSource(module.name, "test", "")})
    return critical_path(design, {module.name: module}, {}, CELLS)


def look_up(table: Table | None, x: float, y: float) -> float:
    """Bilinear interpolation, written out."""
    assert table is not None
    rows, columns = table.index_1, table.index_2
    i = max(k for k in range(len(rows) - 1) if k == 0 or rows[k] <= x)
    j = max(k for k in range(len(columns) - 1) if k == 0 or columns[k] <= y)
    u = (x - rows[i]) / (rows[i + 1] - rows[i])
    v = (y - columns[j]) / (columns[j + 1] - columns[j])
    low = table.values[i][j] * (1 - v) + table.values[i][j + 1] * v
    high = table.values[i + 1][j] * (1 - v) + table.values[i + 1][j + 1] * v
    return low * (1 - u) + high * u


def wire(fanout: int) -> float:
    return CELLS.wire_load.capacitance * CELLS.wire_load.length(fanout)


def inverters(count: int) -> tuple[float, float]:
    """Arrival of the rising and falling end of a chain of INV_X1 from an input to an output."""
    (arc,) = CELLS.cells["INV_X1"].arcs
    rise = fall = 0.0
    rise_slew = fall_slew = SLEW
    for i in range(count):
        pin = OUTPUT_FF if i == count - 1 else CELLS.cells["INV_X1"].pins["A"].capacitance
        load = pin + wire(1)
        rise, fall, rise_slew, fall_slew = (
            fall + look_up(arc.cell_rise, fall_slew, load),
            rise + look_up(arc.cell_fall, rise_slew, load),
            look_up(arc.rise_transition, fall_slew, load),
            look_up(arc.fall_transition, rise_slew, load),
        )
    return rise, fall


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_chain_of_inverters_is_the_sum_of_its_table_entries(count):
    chain = [cell(f"i{k}", "INV_X1", A=k, ZN=k + 1) for k in range(count)]
    path = single(netlist("chain", {"a": ("input", 0), "y": ("output", count)}, *chain))
    assert path.delay_ns == pytest.approx(max(inverters(count)), abs=6e-5)
    assert path.cells == count
    assert path.start == Endpoint("chain", "a")
    assert path.end == Endpoint("chain", "y")
    assert path.fmax_mhz == pytest.approx(1000 / path.delay_ns)


def test_from_flop_to_flop_is_clock_to_output_plus_setup():
    flops = cell("r0", "DFF_X1", D=2, CK=0, Q=1), cell("r1", "DFF_X1", D=1, CK=0, Q=3)
    path = single(netlist("pair", {"clk": ("input", 0)}, *flops))
    arc = next(a for a in CELLS.cells["DFF_X1"].arcs if a.target == "Q")
    (setup,) = CELLS.cells["DFF_X1"].setups
    load = CELLS.cells["DFF_X1"].pins["D"].capacitance + wire(1)
    rise = look_up(arc.cell_rise, 0, load) + look_up(
        setup.rise, look_up(arc.rise_transition, 0, load), 0
    )
    fall = look_up(arc.cell_fall, 0, load) + look_up(
        setup.fall, look_up(arc.fall_transition, 0, load), 0
    )
    assert path.delay_ns == pytest.approx(max(rise, fall), abs=6e-5)
    assert path.start == Endpoint("pair", "n1")
    assert path.end == Endpoint("pair", "n3")


def test_a_flop_is_named_by_its_q_also_where_its_inverse_drives_the_path():
    flops = cell("r0", "DFF_X1", D=2, CK=0, Q=1, QN=4), cell("r1", "DFF_X1", D=4, CK=0, Q=3)
    path = single(netlist("pair", {"clk": ("input", 0)}, *flops))
    assert path.start == Endpoint("pair", "n1")


def test_the_ripple_of_full_adders_is_the_longest_path():
    bits = 8
    adders = [
        cell(f"fa{k}", "FA_X1", A=100 + k, B=200 + k, CI=k, CO=k + 1, S=300 + k)
        for k in range(bits)
    ]
    ports = {"c": ("input", 0), "y": ("output", 300 + bits - 1)}
    ports |= {f"a{k}": ("input", 100 + k) for k in range(bits)}
    ports |= {f"b{k}": ("input", 200 + k) for k in range(bits)}
    path = single(netlist("ripple", ports, *adders))
    assert path.cells == bits
    assert path.start.net in ("a0", "b0", "c")
    assert path.end.net == "y"


def test_a_path_through_the_hierarchy_equals_the_flat_one():
    child = netlist(
        "half",
        {"a": ("input", 0), "Y": ("output", 2)},
        cell("i0", "INV_X1", A=0, ZN=1),
        cell("i1", "INV_X1", A=1, ZN=2),
    )
    parent = netlist(
        "whole",
        {"a": ("input", 0), "y": ("output", 2)},
        Instance("first", "half", {"a": (0,), "Y": (1,)}),
        Instance("second", "half", {"a": (1,), "Y": (2,)}),
    )
    design = Design(
        "whole",
        {
            "half": ModuleSource("half", "test", ""),
            "whole": ModuleSource("whole", "test", "", {"first": "half", "second": "half"}),
        },
    )
    path = critical_path(design, {"half": child, "whole": parent}, {}, CELLS)
    assert path.delay_ns == pytest.approx(max(inverters(4)), abs=6e-5)
    assert path.cells == 4


def test_what_is_not_connected_is_joined_with_nothing():
    """-1 is no net: neither the one before the first of an instance nor the last of all."""
    half = netlist(
        "half",
        {"a": ("input", 0), "Y": ("output", 2)},
        cell("i0", "INV_X1", A=0, ZN=1),
        cell("i1", "INV_X1", A=1, ZN=2),
    )
    tied = netlist("tied", {"Y": ("output", -1)}, cell("one", "LOGIC1_X1", Z=0))
    whole = netlist(
        "whole",
        {"a": ("input", 0), "y": ("output", 1), "z": ("output", 4)},
        Instance("first", "half", {"a": (0,), "Y": (1,)}),
        Instance("still", "tied", {"Y": (3,)}),
        cell("i", "INV_X1", A=3, ZN=4),
        Instance("idle", "half", {"a": (-1,), "Y": (2,)}),
    )
    parts = {"first": "half", "still": "tied", "idle": "half"}
    design = Design(
        "whole",
        {
            "half": ModuleSource("half", "test", ""),
            "tied": ModuleSource("tied", "test", ""),
            "whole": ModuleSource("whole", "test", "", parts),
        },
    )
    path = critical_path(design, {"half": half, "tied": tied, "whole": whole}, {}, CELLS)
    assert path.delay_ns == pytest.approx(max(inverters(2)), abs=6e-5)
    assert path.cells == 2
    assert path.start == Endpoint("whole", "a")
    assert path.end == Endpoint("whole", "y")


def test_ends_inside_instances_are_named_by_path_and_register():
    stage = netlist(
        "stage",
        {"clk": ("input", 0), "d": ("input", 1), "Q": ("output", 2)},
        cell("r", "DFF_X1", D=1, CK=0, Q=2),
    )
    parent = netlist(
        "pipe",
        {"clk": ("input", 0)},
        Instance("a", "stage", {"clk": (0,), "d": (3,), "Q": (1,)}),
        cell("i", "INV_X1", A=1, ZN=2),
        Instance("b", "stage", {"clk": (0,), "d": (2,), "Q": (4,)}),
    )
    design = Design(
        "pipe",
        {
            "stage": ModuleSource("stage", "test", ""),
            "pipe": ModuleSource("pipe", "test", "", {"a": "stage", "b": "stage"}),
        },
    )
    path = critical_path(design, {"stage": stage, "pipe": parent}, {}, CELLS)
    assert path.start == Endpoint("pipe.a", "n2")
    assert path.end == Endpoint("pipe.b", "n2")
    assert path.cells == 2


def test_a_macro_switches_after_its_access_time_and_sets_up_like_a_flop():
    parent = netlist(
        "top",
        {"clk": ("input", 0)},
        Instance("memory", "ram", {"clk": (0,), "address": (1,), "DATA": (2,)}),
        cell("i", "INV_X1", A=2, ZN=1),
    )
    design = Design(
        "top",
        {
            "ram": ModuleSource("ram", "ram", ""),
            "top": ModuleSource("top", "test", "", {"memory": "ram"}),
        },
    )
    fast, slow = (critical_path(design, {"top": parent}, {"ram": t}, CELLS) for t in (0.4, 1.4))
    assert slow.delay_ns - fast.delay_ns == pytest.approx(1, abs=2e-4)
    assert 0.4 < fast.delay_ns < 0.6
    assert fast.start == Endpoint("top", "memory")
    assert fast.end == Endpoint("top", "memory")


def test_reset_and_constants_start_no_path():
    path = single(
        netlist(
            "still",
            {"rst": ("input", 0), "y": ("output", 1), "z": ("output", 2)},
            cell("i", "INV_X1", A=0, ZN=1),
            cell("one", "LOGIC1_X1", Z=2),
        )
    )
    assert path.delay_ns == 0
    assert path.fmax_mhz == 0


def test_more_loads_are_slower():
    def fan(count: int) -> float:
        loads = [cell(f"l{k}", "INV_X1", A=1, ZN=10 + k) for k in range(count)]
        ports = {"a": ("input", 0), "y": ("output", 10)}
        return single(netlist("fan", ports, cell("i", "INV_X1", A=0, ZN=1), *loads)).delay_ns

    delays = [fan(count) for count in (1, 2, 8, 64)]
    assert delays == sorted(delays)
    assert delays[-1] > 5 * delays[0]


def test_a_combinational_loop_is_refused():
    loop = netlist(
        "ring",
        {"a": ("input", 0), "y": ("output", 1)},
        cell("n", "NAND2_X1", A1=0, A2=2, ZN=1),
        cell("b", "BUF_X1", A=1, Z=2),
    )
    with pytest.raises(UserError, match=r"ring: net 'n[12]' is on or behind a combinational loop"):
        single(loop)
