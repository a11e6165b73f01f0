"""The energy of a mapped netlist: by hand on a tiny one, and against a naive simulation."""

from typing import Any

import numpy as np
import pytest

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.emission.emit import emit, module_name
from kakure.hdl.memory.ram import Ram
from kakure.hdl.stages.requantizer import Requantizer
from kakure.hdl.synthesis.energy_tables import VOLTAGE, clock_pulse_fj
from kakure.hdl.synthesis.flat_netlist import FlatNetlist, flatten
from kakure.hdl.synthesis.flow import macros_of, map_modules
from kakure.hdl.synthesis.liberty import library, power_arcs
from kakure.hdl.synthesis.memory_macro import memory_macro
from kakure.hdl.synthesis.netlist import Instance, Netlist, Port
from kakure.hdl.synthesis.netlist_simulation import NetlistSimulation
from kakure.hdl.synthesis.power import measure_energy
from kakure.model.errors import UserError

ONE = np.array([1], np.uint64)
NONE = np.array([0], np.uint64)


def flat_of(netlist: Netlist) -> FlatNetlist:
    design = Design(netlist.name, {netlist.name: ModuleSource(netlist.name, "tiny", "")})
    return flatten(design, {netlist.name: netlist}, {}, library())


def cell(name: str, kind: str, **pins: int) -> Instance:
    return Instance(name, kind, {pin: (net,) for pin, net in pins.items()})


def netlist_of(ports: dict[str, tuple[str, int]], *cells: Instance, nets: int) -> Netlist:
    kinds = {c.kind for c in cells}
    outputs = {
        kind: tuple(n for n, p in library().cells[kind].pins.items() if p.direction == "output")
        for kind in kinds
    }
    made = {name: Port(way, (net,)) for name, (way, net) in ports.items()}
    return Netlist("tiny", made, cells, outputs, tuple(f"n{i}" for i in range(nets)))


def chain() -> FlatNetlist:
    ports = {"a": ("input", 0), "o": ("output", 2)}
    cells = cell("x", "INV_X1", A=0, ZN=1), cell("y", "INV_X1", A=1, ZN=2)
    return flat_of(netlist_of(ports, *cells, nets=3))


def grid_value(table: Any, slew: float, load: float) -> float:
    """Bilinear, written without arrays."""
    rows, columns = table.index_1, table.index_2
    i = max(k for k in range(len(rows) - 1) if rows[k] <= slew or k == 0)
    j = max(k for k in range(len(columns) - 1) if columns[k] <= load or k == 0)
    u = (slew - rows[i]) / (rows[i + 1] - rows[i])
    v = (load - columns[j]) / (columns[j + 1] - columns[j])
    (a, b), (c, d) = table.values[i][j : j + 2], table.values[i + 1][j : j + 2]
    return (a * (1 - v) + b * v) * (1 - u) + (c * (1 - v) + d * v) * u


def wire_ff(fanout: int) -> float:
    return library().wire_load.capacitance * library().wire_load.length(fanout)


def test_inverter_chain_by_hand():
    flat = chain()
    sim = NetlistSimulation(flat, lanes=1, clock="none")
    sim.evaluate()  # the first inverter rises from the zero that every net begins with
    before = sim.activity()
    for value in (1, 0, 1, 1):
        sim.set("a", np.array([value], np.uint64))
        sim.evaluate()
    toggles = 3
    activity = sim.activity() - before
    assert activity.toggles.tolist() == [toggles] * 3
    pin = library().cells["INV_X1"].pins["A"].capacitance
    input_ff, middle_ff, output_ff = pin + wire_ff(1), pin + wire_ff(1), 7.0 + wire_ff(1)
    (arc,) = [a for a in power_arcs()["INV_X1"] if a.pin == "ZN"]
    (timing,) = library().cells["INV_X1"].arcs
    transitions = [
        grid_value(t, 0.02, middle_ff) for t in (timing.rise_transition, timing.fall_transition)
    ]
    slew = sum(transitions) / 2
    expected = toggles * 0.5 * VOLTAGE**2 * (input_ff + middle_ff + output_ff)
    for at, load in ((0.02, middle_ff), (slew, output_ff)):
        expected += toggles * 0.5 * sum(grid_value(t, at, load) for t in (arc.rise, arc.fall))
    (report,) = measure_energy(flat, activity).instances
    assert report.switching_pj == pytest.approx(expected / 1000, rel=1e-9)
    assert report.clock_pj == report.memory_pj == 0
    assert report.leakage_uw == pytest.approx(2 * library().cells["INV_X1"].leakage / 1000)


def gated() -> FlatNetlist:
    ports = {
        "clk": ("input", 0),
        "d": ("input", 1),
        "en": ("input", 2),
        "o": ("output", 4),
    }
    cells = (
        cell("g", "CLKGATE_X1", CK=0, E=2, GCK=3),
        cell("f", "DFF_X1", CK=3, D=1, Q=4),
    )
    return flat_of(netlist_of(ports, *cells, nets=5))


def test_clock_gate_and_flip_flop_by_hand():
    flat = gated()
    sim = NetlistSimulation(flat, lanes=1)
    seen = []
    for enable, data in ((0, 1), (1, 1), (1, 1), (0, 0), (1, 0), (0, 0)):
        sim.set("d", np.array([data], np.uint64))
        sim.set("en", np.array([enable], np.uint64))
        sim.evaluate()
        sim.clock()
        seen.append(int(sim.values[sim.port("o")[0]]))
    assert seen == [0, 1, 1, 1, 0, 0]
    activity = sim.activity()
    assert activity.flop_clocks["DFF_X1"].tolist() == [3]
    assert activity.flop_toggles["DFF_X1"].tolist() == [2]
    assert activity.gate_clocks["CLKGATE_X1"].tolist() == [3]
    (report,) = measure_energy(flat, activity).instances

    cells, arcs = library().cells, power_arcs()

    def mean(kind: str, pin: str, edge: str, *, moves: bool = False) -> float:
        """Mean of one-dimensional tables at 20 ps, those whose rise is given or not."""
        tables = [
            getattr(a, edge)
            for a in arcs[kind]
            if a.pin == pin and (a.rise is None) == moves and getattr(a, edge) is not None
        ]
        return sum(
            float(np.interp(0.02, t.index_1, [row[0] for row in t.values])) for t in tables
        ) / len(tables)

    wire = library().wire_load.capacitance * library().wire_load.slope
    gate_pin = VOLTAGE**2 * (cells["CLKGATE_X1"].pins["CK"].capacitance + wire)
    idle = mean("CLKGATE_X1", "CK", "rise") + mean("CLKGATE_X1", "CK", "fall")
    moving = mean("CLKGATE_X1", "CK", "fall", moves=True)
    assert clock_pulse_fj("CLKGATE_X1") == pytest.approx(idle + gate_pin)
    gck_ff = cells["DFF_X1"].pins["CK"].capacitance + wire_ff(1)
    out = [a for a in arcs["CLKGATE_X1"] if a.pin == "GCK"]
    rise = [grid_value(a.rise, 0.02, gck_ff) for a in out if a.rise]
    fall = [grid_value(a.fall, 0.02, gck_ff) for a in out if a.fall]
    gck = sum(rise) / len(rise) + sum(fall) / len(fall) + VOLTAGE**2 * gck_ff
    flop = mean("DFF_X1", "CK", "rise") + mean("DFF_X1", "CK", "fall")
    clock = 6 * gate_pin + 3 * idle + 3 * moving + 3 * gck + 3 * flop
    assert report.clock_pj == pytest.approx(clock / 1000, rel=1e-9)


def test_pulse_of_a_flip_flop_is_what_is_expected_of_45_nm():
    assert 5 < clock_pulse_fj("DFF_X1") < 15


def block() -> Requantizer:
    return Requantizer(channels=3, lanes=2, peak=300, output_bits=4)


@pytest.fixture(scope="module")
def requantizer() -> FlatNetlist:
    component = block()
    design = emit(component, module_name(component))
    mapped = {n: m.netlist for n, m in map_modules(design, jobs=1, progress=False).items()}
    return flatten(design, mapped, macros_of(design), library())


class _Naive:
    """Every cell by Python's eval, over and over until nothing moves; one lane, plain integers."""

    def __init__(self, flat: FlatNetlist) -> None:
        self.flat = flat
        self.value = dict.fromkeys(range(flat.nets), 0) | {-1: 0}
        self.toggles = dict.fromkeys(range(flat.nets), 0)
        self.gates: list[tuple[str, dict[str, int], int]] = []
        self.flops: list[dict[str, int]] = []
        self.enables: dict[int, int] = {}
        for kind, group in flat.groups.items():
            for n in range(len(group.owner)):
                pins = {pin: int(nets[n]) for pin, nets in group.pins.items()}
                if kind == "LOGIC1_X1":
                    self.value[pins["Z"]] = 1
                elif group.cell.is_clock_gate:
                    self.enables[pins["GCK"]] = pins["E"]
                elif group.cell.is_sequential:
                    self.flops.append(pins)
                elif not kind.startswith("LOGIC"):
                    for pin, entry in group.cell.pins.items():
                        if entry.direction == "output" and pins[pin] >= 0:
                            assert entry.function is not None
                            text = entry.function.replace("!", "~")
                            self.gates.append((text, pins, pins[pin]))
        self.qn = [(f["QN"], f["Q"]) for f in self.flops if f["QN"] >= 0]

    def settle(self) -> dict[int, int]:
        while True:
            old = dict(self.value)
            for function, pins, net in self.gates:
                self.value[net] = 1 & eval(
                    function, {}, {p: self.value[n] for p, n in pins.items()}
                )
            for qn, q in self.qn:
                self.value[qn] = 1 - self.value[q]
            if old == self.value:
                return old

    def clock(self) -> None:
        taken = {}
        for f in self.flops:
            enable = self.enables.get(f["CK"])
            if enable is None or self.value[enable]:
                taken[f["Q"]] = self.value[f["D"]]
        self.value.update(taken)


def test_toggles_and_outputs_are_those_of_a_naive_simulation(requantizer: FlatNetlist):
    rng = np.random.default_rng(7)
    sim, naive = NetlistSimulation(requantizer, lanes=64), _Naive(requantizer)
    assert all(f["Q"] >= 0 for f in naive.flops)
    ports = sorted(requantizer.inputs - {"clk"})
    clocks = {int(requantizer.ports["clk"][0]), *naive.enables}
    data = np.array([n not in clocks for n in range(requantizer.nets)])
    toggles, settled = np.zeros((2, requantizer.nets), np.int64)
    for net in (n for n, value in naive.value.items() if value):
        settled[net] = 1  # constants
    for cycle in range(40):
        for name in ports:
            bits = requantizer.ports[name]
            words = rng.integers(0, 2**63, len(bits), dtype=np.uint64)
            if name == "rst":
                words[:] = 2**64 - 1 if cycle < 2 else 0
            sim.set(name, words)
            for net, word in zip(bits, words, strict=True):
                naive.value[int(net)] = int(word) & 1
        sim.evaluate()
        naive.settle()
        nets = np.array([naive.value[n] for n in range(requantizer.nets)])
        mine = (sim.values[sim.slot[: requantizer.nets]] & np.uint64(1)).astype(int)
        assert (nets == mine)[data].all(), f"cycle {cycle}"
        toggles += nets != settled
        settled = nets
        sim.clock()
        naive.clock()
    one = NetlistSimulation(requantizer, lanes=1)
    last = one.activity()
    rng = np.random.default_rng(7)
    for cycle in range(40):
        for name in ports:
            words = rng.integers(0, 2**63, len(requantizer.ports[name]), dtype=np.uint64)
            if name == "rst":
                words[:] = 2**64 - 1 if cycle < 2 else 0
            one.set(name, words)
        one.evaluate()
        last = one.activity()
        one.clock()
    assert (last.toggles == toggles)[data].all()


MEMORY_PORTS = {
    "write_address": 6,
    "write_data": 8,
    "write_enable": 1,
    "read_address": 6,
    "read_enable": 1,
    "read_data": 8,
    "clk": 1,
}


def memory_alone(*unconnected: str) -> FlatNetlist:
    """A macro of 64 words alone, on a port for each of its pins but those."""
    source = emit(Ram(depth=64, width=8), "ram_64_8").modules["ram_64_8"]
    nets: dict[str, tuple[int, ...]] = {}
    for name, width in MEMORY_PORTS.items():
        first = sum(len(bits) for bits in nets.values())
        nets[name] = tuple(range(first, first + width))
    ports = {n: Port("output" if n == "read_data" else "input", b) for n, b in nets.items()}
    pins = {n: tuple(-1 if n in unconnected else bit for bit in b) for n, b in nets.items()}
    instance = Instance("m", "ram_64_8", pins)
    top = Netlist("top", ports, (instance,), {"ram_64_8": ("read_data",)}, ("",) * 31)
    design = Design(
        "top", {"ram_64_8": source, "top": ModuleSource("top", "tiny", "", {"m": "ram_64_8"})}
    )
    return flatten(design, {"top": top}, macros_of(design), library())


@pytest.mark.parametrize("unconnected", [(), ("read_enable",), ("write_address", "clk")])
def test_a_memory_macro_loads_what_it_is_driven_by_like_flip_flops(unconnected):
    flat = memory_alone(*unconnected)
    pin_ff = library().cells["DFF_X1"].pins["D"].capacitance
    for name, nets in flat.ports.items():
        expected = pin_ff + wire_ff(1)
        if name == "read_data":
            expected = 7.0 + wire_ff(1)  # the port of the top
        elif name in unconnected:
            expected = wire_ff(0)
        assert flat.load[nets].tolist() == [pytest.approx(expected)] * len(nets), name


def test_the_inverse_output_of_a_flip_flop():
    ports = {
        "n": ("output", 0),
        "clk": ("input", 1),
        "d": ("input", 2),
        "q": ("output", 3),
        "both": ("output", 4),
        "not_both": ("output", 5),
    }
    cells = (
        cell("a", "DFF_X1", CK=1, D=2, QN=0),
        cell("b", "DFF_X1", CK=1, D=2, Q=3),
        cell("c", "DFF_X1", CK=1, D=2, Q=4, QN=5),
    )
    flat = flat_of(netlist_of(ports, *cells, nets=6))
    sim = NetlistSimulation(flat, lanes=1)
    for data in (1, 0, 0, 1, 1, 0):
        sim.set("d", np.array([data], np.uint64))
        sim.evaluate()
        sim.clock()
        sim.evaluate()
        seen = {name: int(sim.values[sim.port(name)[0]]) & 1 for name in ports}
        assert (seen["n"], seen["q"]) == (1 - data, data)
        assert (seen["both"], seen["not_both"]) == (data, 1 - data)


def test_a_memory_macro_reads_what_was_written_in_every_lane():
    names = MEMORY_PORTS
    flat = memory_alone()
    rng = np.random.default_rng(3)
    sim = NetlistSimulation(flat, lanes=5)
    memory = np.zeros((5, 64), int)
    expected = np.zeros(5, int)
    reads = writes = 0
    for _ in range(300):
        value = {
            n: rng.integers(0, 2**w, 5) for n, w in names.items() if n not in ("clk", "read_data")
        }
        if rng.random() < 0.5:
            value["write_address"][:] = value["write_address"][0]
            value["read_address"][:] = value["read_address"][0]
        for name, numbers in value.items():
            bits = [[int(n) >> b & 1 for n in numbers] for b in range(names[name])]
            sim.set(
                name, np.array([sum(x << k for k, x in enumerate(row)) for row in bits], np.uint64)
            )
        sim.evaluate()
        sim.clock()
        for k in range(5):
            if value["write_enable"][k]:
                memory[k, value["write_address"][k]] = value["write_data"][k]
                writes += 1
            if value["read_enable"][k]:
                expected[k] = memory[k, value["read_address"][k]]
                reads += 1
        words = sim.values[sim.port("read_data")]
        got = [sum((int(w) >> k & 1) << b for b, w in enumerate(words)) for k in range(5)]
        assert got == expected.tolist()
    activity = sim.activity()
    assert (activity.reads[0], activity.writes[0]) == (reads, writes)
    macro = memory_macro(64, 8)
    report = measure_energy(flat, activity).by_kind()["ram"]
    assert report.memory_pj == pytest.approx((reads * macro.read_pj + writes * macro.write_pj) / 5)
    assert report.leakage_uw == pytest.approx(1000 * macro.leakage_mw)


def test_a_loop_of_gates_is_refused():
    ports = {"a": ("input", 0), "o": ("output", 1)}
    loop = netlist_of(ports, cell("x", "NAND2_X1", A1=0, A2=1, ZN=1), nets=2)
    with pytest.raises(UserError, match="gates form a loop"):
        NetlistSimulation(flat_of(loop), lanes=1, clock="none")


def test_lanes_and_foreign_activity_are_refused():
    with pytest.raises(ValueError, match="lanes must be 1 to 64, not 65"):
        NetlistSimulation(chain(), lanes=65)
    sim = NetlistSimulation(chain(), lanes=1, clock="none")
    with pytest.raises(UserError, match="activity must be of 5 nets, not 3"):
        measure_energy(gated(), sim.activity())
