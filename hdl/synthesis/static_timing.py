"""Critical path of a mapped design: static timing by the library's delay tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.emission.design import Design
from kakure.model.errors import UserError

from .liberty import Library
from .module_timing import CLOCKLESS, ModuleTiming
from .netlist import Netlist
from .nldm import Floats, Ints, TableStack
from .tied import blocked_edges
from .timing_graph import TimingGraph

__all__ = ["CriticalPath", "Endpoint", "critical_path"]

INPUT_SLEW_NS = 0.02
"""Transition time of the top's inputs, which switch at time 0, and of a macro's core."""


@dataclass(frozen=True)
class Endpoint:
    """Where a path begins or ends: the instance path, and the net, register or macro there."""

    instance: str
    net: str


@dataclass(frozen=True)
class CriticalPath:
    """The longest path of a design.

    Attributes
    ----------
    delay_ns : float
        From the clock edge, or from a top input at time 0, to the end point, setup included.
    start, end : Endpoint
        The driving register, macro or port, and the receiving one.
    cells : int
        Cells on the path, the register at its start included.
    """

    delay_ns: float
    start: Endpoint
    end: Endpoint
    cells: int

    @property
    def fmax_mhz(self) -> float:
        """Largest clock frequency [MHz]; 0 where there is no path."""
        return 1000 / self.delay_ns if self.delay_ns else 0.0


class _Propagation:
    """Latest arrival and slowest transition of every node, in one sweep in topological order."""

    def __init__(
        self, graph: TimingGraph, tables: TableStack, starts: Ints, is_blocked: NDArray[np.bool_]
    ) -> None:
        self.arrival: Floats = np.full(graph.nodes, -np.inf)
        self.slew: Floats = np.zeros(graph.nodes)
        self.last: Ints = np.full(graph.nodes, -1)
        self.arrival[graph.clock :] = 0
        self.arrival[starts] = 0
        self.slew[starts] = INPUT_SLEW_NS
        self.arrival[graph.core_node] = graph.access_ns
        self.slew[graph.core_node] = INPUT_SLEW_NS
        order = np.flatnonzero(~is_blocked)
        waiting = np.bincount(graph.target[order], minlength=graph.nodes)
        order = order[np.argsort(graph.source[order], kind="stable")]
        first = np.searchsorted(graph.source[order], np.arange(graph.nodes + 1))
        front = np.flatnonzero(waiting == 0)
        while len(front):
            starts_at, counts = first[front], first[front + 1] - first[front]
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            edges = order[np.repeat(starts_at, counts) + within]
            self._relax(graph, tables, edges)
            targets = graph.target[edges]
            np.subtract.at(waiting, targets, 1)
            front = np.unique(targets[waiting[targets] == 0])
        looped = np.flatnonzero(waiting > 0)
        if len(looped):
            edge = np.flatnonzero(np.isin(graph.target, looped))[0]
            path, net = graph.driven(int(edge))
            raise UserError(f"net {net!r} is on or behind a combinational loop", file=path)

    def _relax(self, graph: TimingGraph, tables: TableStack, edges: Ints) -> None:
        source, target = graph.source[edges], graph.target[edges]
        slew, load = self.slew[source], graph.load[target >> 1]
        is_reached = np.isfinite(self.arrival[source])
        edges, source, target = edges[is_reached], source[is_reached], target[is_reached]
        slew, load = slew[is_reached], load[is_reached]
        arrival = self.arrival[source] + tables.lookup(graph.delay[edges], slew, load)
        np.maximum.at(self.arrival, target, arrival)
        np.maximum.at(self.slew, target, tables.lookup(graph.slew[edges], slew, load))
        is_latest = arrival == self.arrival[target]
        self.last[target[is_latest]] = edges[is_latest]


def critical_path(
    design: Design,
    netlists: Mapping[str, Netlist],
    macros: Mapping[str, float],
    library: Library,
) -> CriticalPath:
    """Find the longest register-to-register, input or output path of a hierarchical design.

    Delays and transitions come from the library's tables, by input transition and load; rising and
    falling edges are kept apart; the slowest transition of a net is used for all its paths; loads
    include the default wire-load estimate. The clock is ideal, and clock gates have no delay.
    There is no placement: real wires are longer. Top inputs switch at time 0; ports ``clk`` and
    ``rst`` start no path, and gates whose inputs are tied to constants pass none that they block.

    Parameters
    ----------
    design : Design
        The instance tree.
    netlists : mapping of str to Netlist
        The mapped netlist of every module but the macros.
    macros : mapping of str to float
        Access time [ns] of every memory macro.
    library : Library
        The cells.

    Raises
    ------
    UserError
        If the design has a combinational loop.
    """
    tables = TableStack(library)
    modules = {
        name: ModuleTiming(netlist, library, tables, macros) for name, netlist in netlists.items()
    }
    graph = TimingGraph(design, modules, library)
    ports = netlists[design.top].ports
    inputs = {
        int(graph.net[bit]): f"{name}[{i}]" if len(port.bits) > 1 else name
        for name, port in ports.items()
        if port.direction == "input" and name not in CLOCKLESS
        for i, bit in enumerate(port.bits)
        if bit >= 0
    }
    nets = np.array(sorted(inputs), dtype=np.int64)
    starts = np.concatenate([2 * nets, 2 * nets + 1])
    sweep = _Propagation(graph, tables, starts, blocked_edges(graph, library))

    reached = sweep.arrival[graph.setup_node]
    no_slew = np.zeros(len(reached))
    setup = tables.lookup(graph.setup_table, sweep.slew[graph.setup_node], no_slew)
    outputs = {
        2 * int(graph.net[bit]) + edge: f"{name}[{i}]" if len(port.bits) > 1 else name
        for name, port in ports.items()
        if port.direction == "output"
        for i, bit in enumerate(port.bits)
        if bit >= 0
        for edge in (0, 1)
    }
    ends = np.concatenate([graph.setup_node, np.array(list(outputs), dtype=np.int64)])
    delays = np.concatenate([reached + setup, sweep.arrival[list(outputs)]])
    if not len(delays) or not np.isfinite(delays.max()):
        nowhere = Endpoint(design.top, "")
        return CriticalPath(0.0, nowhere, nowhere, 0)
    worst = int(delays.argmax())
    node = int(ends[worst])
    if worst < len(reached):
        end = Endpoint(*graph.end(worst))
    else:
        end = Endpoint(design.top, outputs[node])

    edge, cells = -1, 0
    while sweep.last[node] >= 0:
        edge = int(sweep.last[node])
        node, cells = int(graph.source[edge]), cells + 1
    if node >> 1 in inputs:
        start = Endpoint(design.top, inputs[node >> 1])
    else:
        start = Endpoint(*graph.start(edge))
    return CriticalPath(round(float(delays[worst]), 4), start, end, cells)
