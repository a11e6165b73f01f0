"""What a toggle and a clock pulse of a cell cost, by the tables of the cell library."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .liberty import Arc, Cell, Pin, PowerArc, Table, library, power_arcs

__all__ = [
    "INPUT_SLEW_NS",
    "VOLTAGE",
    "Lookup",
    "Numbers",
    "clock_energy",
    "clock_pulse_fj",
    "pin_charge_fj",
    "toggle_energy",
    "transition",
]

VOLTAGE = 1.1
"""Supply of the typical corner [V]."""
INPUT_SLEW_NS = 0.02
"""Transition time at the driver of every net, as at the inputs of the static timing; and of the
clock."""

Numbers = NDArray[Any]
Lookup = Callable[[Numbers, Numbers], Numbers]
"""A function of slew [ns] and load [fF]."""


def bilinear(tables: Iterable[Table | None]) -> Lookup:
    """Return the mean of some tables as a function of slew [ns] and load [fF].

    Linear between the points; outside the table as at its edge.
    """
    present = [table for table in tables if table is not None]
    if not present:
        return lambda slew, load: np.zeros(np.broadcast(slew, load).shape)
    axes = {(table.index_1, table.index_2) for table in present}
    if len(axes) > 1:
        lookups = [bilinear([table]) for table in present]
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
def toggle_energy(cell: str, pin: str) -> tuple[Lookup, Lookup]:
    """Mean internal energy of a rise and of a fall of a pin, over its arcs and states."""
    arcs: list[PowerArc] = [arc for arc in power_arcs()[cell] if arc.pin == pin]
    return bilinear(arc.rise for arc in arcs), bilinear(arc.fall for arc in arcs)


@lru_cache
def clock_energy(cell: str, pin: str) -> tuple[float, float]:
    """Internal energy of one clock pulse at a pin: where the output stays, and where it moves.

    States in which the library gives no energy of the rising clock are those in which the output
    moves: it is in the output's tables then.
    """
    arcs = [arc for arc in power_arcs()[cell] if arc.pin == pin]
    slew, load = np.array([INPUT_SLEW_NS]), np.zeros(1)

    def value(tables: list[Table | None]) -> float:
        return float(bilinear(tables)(slew, load)[0])

    stays = [arc for arc in arcs if arc.rise is not None]
    moves = [arc for arc in arcs if arc.rise is None]
    idle = value([arc.rise for arc in stays]) + value([arc.fall for arc in stays])
    return idle, value([arc.fall for arc in moves])


def clock_pulse_fj(cell: str) -> float:
    """Energy of one pulse of the clock itself at a register or clock gate that does not move [fJ].

    The cell's own, and the charge of its clock pin with its share of the wire.
    """
    pin = next(pin for pin in library().cells[cell].pins.values() if pin.is_clock)
    return clock_energy(cell, pin.name)[0] + pin_charge_fj(pin)


def pin_charge_fj(pin: Pin) -> float:
    """Charge of a pin and of its share of the wire, at the supply [fJ]."""
    wire = library().wire_load
    return VOLTAGE**2 * (pin.capacitance + wire.capacitance * wire.slope)


def transition(cell: Cell, pin: str) -> Lookup:
    """Mean transition time of an output over its arcs, rise and fall [ns]."""
    arcs: list[Arc] = [arc for arc in cell.arcs if arc.target == pin]
    return bilinear([t for a in arcs for t in (a.rise_transition, a.fall_transition)])
