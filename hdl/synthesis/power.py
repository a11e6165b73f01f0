"""Energy of a mapped design: its toggles, times what each costs by the cell library."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically

from .flat_netlist import CellGroup, FlatNetlist
from .liberty import Arc, Cell, Pin, PowerArc, Table, library, power_arcs
from .netlist_simulation import FLIP_FLOPS, Activity

__all__ = ["VOLTAGE", "EnergyReport", "InstanceEnergy", "clock_pulse_fj", "measure_energy"]

VOLTAGE = 1.1
"""Supply of the typical corner [V]."""
INPUT_SLEW_NS = 0.02
"""Transition time at the driver of every net, as at the inputs of the static timing; and of the
clock."""

Numbers = NDArray[Any]
Lookup = Callable[[Numbers, Numbers], Numbers]


@dataclass(frozen=True)
class InstanceEnergy:
    """Energy of one instance, its children not counted; dynamic parts of all the cycles of a run.

    Attributes
    ----------
    path, module, kind : str
        Where it is and what it is.
    switching_pj : float
        In the gates and flip-flops: their internal energy and the loads of the nets they drive.
    clock_pj : float
        Clock pins and the gated clock nets, whether anything toggles or not.
    memory_pj : float
        Accesses of a macro.
    leakage_uw : float
        Mean over the cells' states at 25 °C; of a macro, at 77 °C.
    """

    path: str
    module: str
    kind: str
    switching_pj: float
    clock_pj: float
    memory_pj: float
    leakage_uw: float


@dataclass(frozen=True)
class EnergyReport:
    """Energy of one run, a mean over the lanes.

    Attributes
    ----------
    cycles : int
        Of the run.
    lanes : int
        Runs that the mean is over.
    instances : tuple of InstanceEnergy
        In the order of the design's tree.
    """

    cycles: int
    lanes: int
    instances: tuple[InstanceEnergy, ...]

    @property
    def dynamic_pj(self) -> float:
        """Everything but leakage."""
        return sum(i.switching_pj + i.clock_pj + i.memory_pj for i in self.instances)

    @property
    def leakage_uw(self) -> float:
        """Leakage of everything."""
        return sum(i.leakage_uw for i in self.instances)

    def energy_pj(self, clock_ns: float) -> float:
        """Energy of the run, with leakage, at a clock period [ns]."""
        return self.dynamic_pj + self.leakage_uw * self.cycles * clock_ns / 1000

    def by_kind(self) -> dict[str, InstanceEnergy]:
        """Sums over the instances of each kind; their path and module are empty."""
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
        for i in self.instances:
            values = (i.switching_pj, i.clock_pj, i.memory_pj, i.leakage_uw)
            sums[i.kind] = [a + b for a, b in zip(sums[i.kind], values, strict=True)]
        return {kind: InstanceEnergy("", "", kind, *sums[kind]) for kind in sorted(sums)}

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        write_atomically(path, text.encode())


def _bilinear(tables: Iterable[Table | None]) -> Lookup:
    """Return the mean of some tables as a function of slew [ns] and load [fF].

    Linear between the points; outside the table as at its edge.
    """
    present = [table for table in tables if table is not None]
    if not present:
        return lambda slew, load: np.zeros(np.broadcast(slew, load).shape)
    axes = {(table.index_1, table.index_2) for table in present}
    if len(axes) > 1:
        lookups = [_bilinear([table]) for table in present]
        return lambda slew, load: np.mean([f(slew, load) for f in lookups], axis=0)
    values = np.mean([table.values for table in present], axis=0)
    rows, columns = np.array(present[0].index_1), np.array(present[0].index_2)

    def place(axis: Numbers, x: Numbers) -> tuple[Numbers, Numbers]:
        """Return the position of x on the axis: whole part and rest."""
        at = np.interp(x, axis, np.arange(len(axis)))
        low = np.minimum(at.astype(np.int64), max(len(axis) - 2, 0))
        return low, at - low

    def lookup(slew: Numbers, load: Numbers) -> Numbers:
        slew, load = np.broadcast_arrays(slew, load)
        (i, u), (j, w) = place(rows, slew), place(columns, load)
        i2, j2 = np.minimum(i + 1, len(rows) - 1), np.minimum(j + 1, len(columns) - 1)
        low = values[i, j] * (1 - w) + values[i, j2] * w
        high = values[i2, j] * (1 - w) + values[i2, j2] * w
        return low * (1 - u) + high * u

    return lookup


@lru_cache
def _toggle_energy(cell: str, pin: str) -> tuple[Lookup, Lookup]:
    """Mean internal energy of a rise and of a fall of a pin, over its arcs and states."""
    arcs: list[PowerArc] = [arc for arc in power_arcs()[cell] if arc.pin == pin]
    return _bilinear(arc.rise for arc in arcs), _bilinear(arc.fall for arc in arcs)


@lru_cache
def _clock_energy(cell: str, pin: str) -> tuple[float, float]:
    """Internal energy of one clock pulse at a pin: where the output stays, and where it moves.

    States in which the library gives no energy of the rising clock are those in which the output
    moves: it is in the output's tables then.
    """
    arcs = [arc for arc in power_arcs()[cell] if arc.pin == pin]
    slew, load = np.array([INPUT_SLEW_NS]), np.zeros(1)

    def value(tables: list[Table | None]) -> float:
        return float(_bilinear(tables)(slew, load)[0])

    stays = [arc for arc in arcs if arc.rise is not None]
    moves = [arc for arc in arcs if arc.rise is None]
    idle = value([arc.rise for arc in stays]) + value([arc.fall for arc in stays])
    return idle, value([arc.fall for arc in moves])


def clock_pulse_fj(cell: str) -> float:
    """Energy of one pulse of the clock itself at a register or clock gate that does not move [fJ].

    The cell's own, and the charge of its clock pin with its share of the wire.
    """
    pin = next(pin for pin in library().cells[cell].pins.values() if pin.is_clock)
    return _clock_energy(cell, pin.name)[0] + _pin_charge_fj(pin)


def _pin_charge_fj(pin: Pin) -> float:
    wire = library().wire_load
    return VOLTAGE**2 * (pin.capacitance + wire.capacitance * wire.slope)


def _transition(cell: Cell, pin: str) -> Lookup:
    arcs: list[Arc] = [arc for arc in cell.arcs if arc.target == pin]
    return _bilinear([t for a in arcs for t in (a.rise_transition, a.fall_transition)])


def _slews(flat: FlatNetlist) -> Numbers:
    """Transition time of every net, by its driver's tables at its load [ns]."""
    slew = np.full(flat.nets, INPUT_SLEW_NS)
    for group in flat.groups.values():
        for pin, entry in group.cell.pins.items():
            nets = group.pins[pin][group.pins[pin] >= 0]
            if entry.direction == "output" and any(a.target == pin for a in group.cell.arcs):
                slew[nets] = _transition(group.cell, pin)(np.array(INPUT_SLEW_NS), flat.load[nets])
    return slew


class _Sums:
    """Adds energy up by instance."""

    def __init__(self, flat: FlatNetlist, activity: Activity) -> None:
        self.flat = flat
        self.activity = activity
        self.slew = _slews(flat)
        self.load_fj = 0.5 * VOLTAGE**2 * flat.load
        many = len(flat.paths)
        self.switching, self.clock, self.memory, self.leakage = (np.zeros(many) for _ in range(4))
        for group in flat.groups.values():
            self._leak(group)
            if group.cell.is_clock_gate:
                self._gate(group)
            elif group.cell.name in FLIP_FLOPS:
                self._flop(group)
            else:
                self._outputs(group)

    def _add(self, where: Numbers, group: CellGroup, femtojoule: Numbers) -> None:
        where += np.bincount(group.owner, weights=femtojoule, minlength=len(where)) / 1000

    def _leak(self, group: CellGroup) -> None:
        nanowatt = np.full(len(group.owner), group.cell.leakage)
        self._add(self.leakage, group, nanowatt)

    def _input_slew(self, group: CellGroup) -> Numbers:
        nets = [
            group.pins[p]
            for p, entry in group.cell.pins.items()
            if entry.direction == "input" and not entry.is_clock
        ]
        slews = [np.where(n >= 0, self.slew[n], INPUT_SLEW_NS) for n in nets]
        return np.mean(slews, axis=0) if slews else np.full(len(group.owner), INPUT_SLEW_NS)

    def _driven(self, group: CellGroup, pin: str, slew: Numbers, toggles: Numbers) -> Numbers:
        """Energy of toggles of an output [fJ]: half of them rise."""
        nets = group.pins[pin]
        load = np.where(nets >= 0, self.flat.load[nets], 0.0)
        half_cv2 = np.where(nets >= 0, self.load_fj[nets], 0.0)
        rise, fall = _toggle_energy(group.cell.name, pin)
        return toggles * (0.5 * (rise(slew, load) + fall(slew, load)) + half_cv2)

    def _toggles(self, nets: Numbers) -> Numbers:
        return np.where(nets >= 0, self.activity.toggles[nets], 0)

    def _outputs(self, group: CellGroup) -> None:
        slew = self._input_slew(group)
        for pin, entry in group.cell.pins.items():
            if entry.direction == "output":
                toggles = self._toggles(group.pins[pin])
                self._add(self.switching, group, self._driven(group, pin, slew, toggles))

    def _inputs(self, group: CellGroup, pin: str) -> None:
        """Energy within a register when its data pin toggles."""
        nets = group.pins[pin]
        rise, fall = _toggle_energy(group.cell.name, pin)
        slew = self.slew[nets]
        each = 0.5 * (rise(slew, np.zeros(1)) + fall(slew, np.zeros(1)))
        self._add(self.switching, group, self._toggles(nets) * each)

    def _pin_fj(self, group: CellGroup, pin: str, at_root: Numbers | bool) -> Numbers:
        """Charge of a clock pin for one pulse, with its wire; behind a gate the gate drives it."""
        return np.where(at_root, _pin_charge_fj(group.cell.pins[pin]), 0.0)

    def _flop(self, group: CellGroup) -> None:
        name = group.cell.name
        clocks = self.activity.flop_clocks[name]
        toggles = self.activity.flop_toggles[name]
        idle, moving = _clock_energy(name, "CK")
        gated = np.isin(group.pins["CK"], self._gated_nets())
        pulse = self._pin_fj(group, "CK", ~gated)
        self._add(self.clock, group, clocks * (idle + pulse))
        slew = np.full(len(clocks), INPUT_SLEW_NS)
        moved = toggles * (moving - idle)
        for pin in ("Q", "QN"):
            moved = moved + self._driven(group, pin, slew, toggles)
        self._add(self.switching, group, moved)
        self._inputs(group, "D")

    def _gated_nets(self) -> Numbers:
        gates = [g.pins["GCK"] for g in self.flat.groups.values() if g.cell.is_clock_gate]
        return np.concatenate([*gates, np.zeros(0, np.int64)])

    def _gate(self, group: CellGroup) -> None:
        name = group.cell.name
        clocks = self.activity.cycles * self.activity.lanes
        through = self.activity.gate_clocks[name]
        idle, moving = _clock_energy(name, "CK")
        pulse = self._pin_fj(group, "CK", True)
        each = (clocks - through) * idle + through * moving + clocks * pulse
        slew = np.full(len(through), INPUT_SLEW_NS)
        self._add(self.clock, group, each + self._driven(group, "GCK", slew, 2 * through))
        self._inputs(group, "E")

    def macros(self) -> None:
        """Accesses and leakage of the macros, and the loads that they drive."""
        accesses = zip(self.flat.macros, self.activity.reads, self.activity.writes, strict=True)
        for one, reads, writes in accesses:
            macro = one.macro
            self.memory[one.owner] += float(reads * macro.read_pj + writes * macro.write_pj)
            self.leakage[one.owner] += 1000 * macro.leakage_mw
            nets = one.pins["read_data"]
            nets = nets[nets >= 0]
            driven = float(self.activity.toggles[nets] @ self.load_fj[nets])
            self.switching[one.owner] += driven / 1000

    def ports(self) -> None:
        """Loads that the outside drives belong to the top."""
        for name in self.flat.inputs:
            nets = self.flat.ports[name]
            nets = nets[nets >= 0]
            toggled = float(self.activity.toggles[nets] @ self.load_fj[nets])
            self.switching[0] += toggled / 1000


def measure_energy(flat: FlatNetlist, activity: Activity) -> EnergyReport:
    """Energy of every instance of a design in a simulated run, a mean over its lanes.

    ``energy = Σ toggles · (internal energy + C·V²/2) + clock pulses + accesses of macros``; leakage
    is a power beside it. Internal energy is the library's table of the toggling output, the mean
    over its arcs, their states, rise and fall, at the net's load and the mean transition of the
    cell's inputs; energy of a register's data and clock pin is added. C is the net's pins and its
    estimated wire. What the outside drives belongs to the top, a net to the instance of its driver.

    Parameters
    ----------
    flat : FlatNetlist
    activity : Activity
        Of the same netlist.

    Raises
    ------
    UserError
        If the activity is of another netlist.
    """
    if len(activity.toggles) != flat.nets:
        raise UserError(f"activity must be of {flat.nets} nets", value=len(activity.toggles))
    sums = _Sums(flat, activity)
    sums.macros()
    sums.ports()
    modules = flat.design.modules
    return EnergyReport(
        cycles=activity.cycles,
        lanes=activity.lanes,
        instances=tuple(
            InstanceEnergy(
                path=path,
                module=module,
                kind=modules[module].kind,
                switching_pj=float(sums.switching[i] / activity.lanes),
                clock_pj=float(sums.clock[i] / activity.lanes),
                memory_pj=float(sums.memory[i] / activity.lanes),
                leakage_uw=float(sums.leakage[i]),
            )
            for i, (path, module) in enumerate(zip(flat.paths, flat.modules, strict=True))
        ),
    )
