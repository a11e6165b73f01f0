"""Buffer trees: where they grow, what they drive, and what they leave alone."""

from collections import defaultdict

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis.buffering import BUFFER_LIMIT_FF, DRIVER_LIMIT_FF, buffered
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.netlist import Instance, Netlist, Port

CELLS = library()
INVERTER_FF = CELLS.cells["INV_X1"].pins["A"].capacitance


def child() -> Netlist:
    """One inverter behind ``a``, one flip-flop on ``clk``."""
    return Netlist(
        "child",
        {"a": Port("input", (0,)), "clk": Port("input", (1,)), "y": Port("output", (2,))},
        (
            Instance("i", "INV_X1", {"A": (0,), "ZN": (3,)}),
            Instance("r", "DFF_X1", {"D": (3,), "CK": (1,), "Q": (2,)}),
        ),
        {"INV_X1": ("ZN",), "DFF_X1": ("Q", "QN")},
        ("a", "clk", "y", "n"),
    )


def parent(count: int, driver: Instance | None = None) -> tuple[Design, dict[str, Netlist]]:
    """``count`` children on one ``a``, net 0, and one ``clk``, net 1."""
    instances = [
        Instance(f"c{i}", "child", {"a": (0,), "clk": (1,), "y": (2 + i,)}) for i in range(count)
    ]
    top = Netlist(
        "top",
        {"a": Port("input", (0,)), "clk": Port("input", (1,))},
        tuple(instances if driver is None else [driver, *instances]),
        {"child": ("y",)} | ({} if driver is None else {driver.kind: ("Z",)}),
        tuple(f"n{i}" for i in range(count + 2)),
    )
    design = Design(
        "top",
        {
            "child": ModuleSource("child", "test", ""),
            "top": ModuleSource("top", "test", "", {f"c{i}": "child" for i in range(count)}),
        },
    )
    return design, {"child": child(), "top": top}


def drives(top: Netlist) -> dict[int, list[Instance]]:
    """By net: what hangs on it, the clock left out."""
    found = defaultdict(list)
    for instance in top.instances:
        for pin, nets in instance.pins.items():
            if pin in ("a", "A"):
                found[nets[0]].append(instance)
    return found


def test_a_few_children_need_no_buffer():
    design, netlists = parent(4)
    assert buffered(design, netlists, CELLS)["top"].kinds == {"child": 4}


def test_many_children_hang_on_a_tree_within_the_limits():
    design, netlists = parent(300)
    top = buffered(design, netlists, CELLS)["top"]
    assert top.kinds["child"] == 300
    loads = {
        net: sum(INVERTER_FF if i.kind == "child" else 3.4 for i in ends)
        for net, ends in drives(top).items()
    }
    assert loads.pop(0) <= DRIVER_LIMIT_FF
    assert loads and max(loads.values()) <= BUFFER_LIMIT_FF
    assert len(top.names) == len(set(top.names)) == 302 + top.kinds["BUF_X4"]


def test_every_child_is_still_reached_from_the_driver():
    design, netlists = parent(300)
    ends = drives(buffered(design, netlists, CELLS)["top"])
    reached, front = set(), [0]
    while front:
        for instance in ends[front.pop()]:
            if instance.kind == "child":
                reached.add(instance.name)
            else:
                front.append(instance.pins["Z"][0])
    assert reached == {f"c{i}" for i in range(300)}


def test_clocks_are_left_alone():
    design, netlists = parent(300)
    top = buffered(design, netlists, CELLS)["top"]
    assert {i.pins["clk"][0] for i in top.instances if i.kind == "child"} == {1}


def test_constants_are_left_alone():
    design, netlists = parent(300, Instance("zero", "LOGIC0_X1", {"Z": (0,)}))
    assert "BUF_X4" not in buffered(design, netlists, CELLS)["top"].kinds
