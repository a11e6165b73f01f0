"""Energy of a mapped design: its toggles, times what each costs by the cell library."""

import numpy as np

from kakure.model.errors import UserError

from .activity import FLIP_FLOPS, Activity
from .energy_report import EnergyReport, InstanceEnergy
from .energy_tables import (
    INPUT_SLEW_NS,
    VOLTAGE,
    Numbers,
    clock_energy,
    pin_charge_fj,
    toggle_energy,
    transition,
)
from .flat_netlist import CellGroup, FlatNetlist

__all__ = ["measure_energy"]


def _slews(flat: FlatNetlist) -> Numbers:
    """Transition time of every net, by its driver's tables at its load [ns]."""
    slew = np.full(flat.nets, INPUT_SLEW_NS)
    for group in flat.groups.values():
        for pin, entry in group.cell.pins.items():
            nets = group.pins[pin][group.pins[pin] >= 0]
            if entry.direction == "output" and any(a.target == pin for a in group.cell.arcs):
                slew[nets] = transition(group.cell, pin)(np.array(INPUT_SLEW_NS), flat.load[nets])
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
        rise, fall = toggle_energy(group.cell.name, pin)
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
        rise, fall = toggle_energy(group.cell.name, pin)
        slew = self.slew[nets]
        each = 0.5 * (rise(slew, np.zeros(1)) + fall(slew, np.zeros(1)))
        self._add(self.switching, group, self._toggles(nets) * each)

    def _pin_fj(self, group: CellGroup, pin: str, at_root: Numbers | bool) -> Numbers:
        """Charge of a clock pin for one pulse, with its wire; behind a gate the gate drives it."""
        return np.where(at_root, pin_charge_fj(group.cell.pins[pin]), 0.0)

    def _flop(self, group: CellGroup) -> None:
        name = group.cell.name
        clocks = self.activity.flop_clocks[name]
        toggles = self.activity.flop_toggles[name]
        idle, moving = clock_energy(name, "CK")
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
        idle, moving = clock_energy(name, "CK")
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
