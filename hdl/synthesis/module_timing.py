"""What one mapped module adds to the timing graph: its transitions, end points and loads."""

from collections.abc import Mapping

import numpy as np

from .liberty import Library
from .netlist import Instance, Netlist
from .nldm import Edge, Floats, Ints, TableStack

__all__ = ["CLOCKLESS", "ModuleTiming"]

DATA_CELL, DATA_PIN = "DFF_X1", "D"
DRIVE_CELL = "BUF_X4"
CLOCKLESS = frozenset({"clk", "rst"})
"""Ports by these names carry no data: the clock is ideal, and reset paths are not timed."""


class ModuleTiming:
    """Timing elements of one module in its own net numbers.

    A memory macro behaves like a flip-flop: its inputs load and constrain like the data pin of a
    DFF_X1; an extra net, its core, switches an access time after the clock edge and drives each
    output through a BUF_X4.

    Parameters
    ----------
    netlist : Netlist
        The mapped module.
    library : Library
        Its cells.
    tables : TableStack
        Their timing.
    macros : mapping of str to float
        Access time [ns] of the modules that are memory macros.

    Attributes
    ----------
    nets : int
        Nets, the cores included.
    edges : array of int (n, 7)
        Source net (-1: the clock), target net, source falls, target falls, delay table, slew
        table, instance.
    setups : array of int (n, 4)
        Net, setup table of the rising and of the falling net, instance.
    cores, access_ns : arrays
        Nets of macro cores and when they switch.
    pins, farads : arrays
        The net and capacitance [fF] of every input pin.
    """

    def __init__(
        self,
        netlist: Netlist,
        library: Library,
        tables: TableStack,
        macros: Mapping[str, float],
    ) -> None:
        self.netlist = netlist
        self.nets = len(netlist.names)
        self._edges: list[tuple[int, ...]] = []
        self._setups: list[tuple[int, ...]] = []
        self._cores: list[tuple[int, float]] = []
        self._loads: list[tuple[int, float]] = []
        for index, instance in enumerate(netlist.instances):
            if instance.kind in macros:
                self._add_macro(index, instance, macros[instance.kind], library, tables)
            elif instance.kind in library.cells:
                self._add_cell(index, instance, library, tables)
        self.edges: Ints = np.array(self._edges, dtype=np.int64).reshape(-1, 7)
        self.setups: Ints = np.array(self._setups, dtype=np.int64).reshape(-1, 4)
        self.cores: Ints = np.array([core for core, _ in self._cores], dtype=np.int64)
        self.access_ns: Floats = np.array([time for _, time in self._cores], dtype=np.float64)
        self.pins: Ints = np.array([pin for pin, _ in self._loads], dtype=np.int64)
        self.farads: Floats = np.array([farad for _, farad in self._loads], dtype=np.float64)

    def _add_edge(self, source: int, target: int, edge: Edge, index: int) -> None:
        falls = edge.source_fall, edge.target_fall
        self._edges.append((source, target, *falls, edge.delay, edge.slew, index))

    def _add_cell(
        self, index: int, instance: Instance, library: Library, tables: TableStack
    ) -> None:
        kind = instance.kind
        pins = {pin: nets[0] for pin, nets in instance.pins.items() if nets and nets[0] >= 0}
        for edge in tables.edges[kind]:
            if edge.source in pins and edge.target in pins:
                self._add_edge(pins[edge.source], pins[edge.target], edge, index)
        for edge in tables.launches[kind]:
            if edge.target in pins:
                self._add_edge(-1, pins[edge.target], edge, index)
        for pin, pair in tables.setups[kind].items():
            if pin in pins:
                self._setups.append((pins[pin], *pair, index))
        for pin, net in pins.items():
            entry = library.cells[kind].pins[pin]
            if entry.direction == "input":
                self._loads.append((net, entry.capacitance))

    def _add_macro(
        self, index: int, instance: Instance, access: float, library: Library, tables: TableStack
    ) -> None:
        core = self.nets
        self.nets += 1
        self._cores.append((core, access))
        load = library.cells[DATA_CELL].pins[DATA_PIN].capacitance
        pair = tables.setups[DATA_CELL][DATA_PIN]
        for pin, nets in instance.pins.items():
            for net in (net for net in nets if net >= 0):
                if pin in self.netlist.outputs[instance.kind]:
                    for edge in tables.edges[DRIVE_CELL]:
                        self._add_edge(core, net, edge, index)
                else:
                    self._loads.append((net, load))
                    if pin not in CLOCKLESS:
                        self._setups.append((net, *pair, index))

    def register(self, index: int) -> str:
        """Name the state that instance ``index`` holds: its output net, or else the instance."""
        instance = self.netlist.instances[index]
        for pin in ("Q", "QN", "GCK"):
            nets = instance.pins.get(pin, ())
            if nets and nets[0] >= 0:
                return self.netlist.names[nets[0]]
        return instance.name
