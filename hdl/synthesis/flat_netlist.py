"""All cells of a mapped design in one net numbering: what a simulation and its power need."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kakure.hdl.emission.design import Design
from kakure.model.errors import UserError

from .liberty import Cell, Library
from .memory_macro import MemoryMacro
from .module_timing import DATA_CELL, DATA_PIN
from .netlist import Netlist
from .nldm import Floats, Ints

__all__ = ["CellGroup", "FlatNetlist", "MacroInstance", "flatten"]

OUTPUT_LOAD_FF = 7.0
"""Load on the top's output ports, as in static timing."""


@dataclass(frozen=True)
class CellGroup:
    """All cells of one type.

    Attributes
    ----------
    cell : Cell
    pins : dict of str to int array
        Net of each cell on each pin; -1 where nothing is connected.
    owner : int array
        Instance of the design that holds each cell.
    """

    cell: Cell
    pins: dict[str, Ints]
    owner: Ints


@dataclass(frozen=True)
class MacroInstance:
    """A memory macro, the nets on its ports (-1: unconnected), and its instance."""

    macro: MemoryMacro
    pins: dict[str, Ints]
    owner: int


@dataclass(frozen=True)
class FlatNetlist:
    """A design as cells and nets.

    Attributes
    ----------
    design : Design
    nets : int
    groups : dict of str to CellGroup
        By cell type.
    macros : tuple of MacroInstance
    ports : dict of str to int array
        Nets of the top's ports, least significant first.
    inputs : frozenset of str
        Which of them are inputs.
    paths, modules : tuple of str
        Path and module of every instance of the design.
    load : float array (nets,)
        Capacitance of every net: input pins, estimated wire, 7 fF at top outputs [fF].
    """

    design: Design
    nets: int
    groups: dict[str, CellGroup]
    macros: tuple[MacroInstance, ...]
    ports: dict[str, Ints]
    inputs: frozenset[str]
    paths: tuple[str, ...]
    modules: tuple[str, ...]
    load: Floats


class _Tree:
    """Numbers the nets of all instances and joins those that ports connect."""

    def __init__(self, design: Design, netlists: Mapping[str, Netlist]) -> None:
        self.design = design
        self.netlists = netlists
        self.nets = 0
        self.paths: list[str] = []
        self.modules: list[str] = []
        self.bases: dict[str, list[int]] = defaultdict(list)
        self.owners: dict[str, list[int]] = defaultdict(list)
        self.macros: dict[tuple[int, str], int] = {}
        self._joints: list[tuple[int, int]] = []
        self._place(design.top, design.top)

    def _place(self, path: str, name: str) -> int:
        netlist, base, owner = self.netlists[name], self.nets, len(self.paths)
        self.nets += len(netlist.names)
        self.paths.append(path)
        self.modules.append(name)
        self.bases[name].append(base)
        self.owners[name].append(owner)
        children = set(self.design.modules[name].instances.values())
        for instance in netlist.instances:
            if instance.kind not in children:
                continue
            if instance.kind not in self.netlists:
                self.macros[owner, instance.name] = len(self.paths)
                self.paths.append(f"{path}.{instance.name}")
                self.modules.append(instance.kind)
                continue
            below = self._place(f"{path}.{instance.name}", instance.kind)
            ports = self.netlists[instance.kind].ports
            for port, nets in instance.pins.items():
                for outer, inner in zip(nets, ports[port].bits, strict=False):
                    if outer >= 0 and inner >= 0:
                        self._joints.append((outer + base, inner + below))
        return base

    def label(self) -> Ints:
        """Give nets that ports join one number, and number them without holes."""
        label = np.arange(self.nets)
        outer, inner = np.array(self._joints, np.int64).reshape(-1, 2).T
        while True:
            least = np.minimum(label[outer], label[inner])
            if np.array_equal(least, label[outer]) and np.array_equal(least, label[inner]):
                return np.unique(label, return_inverse=True)[1].astype(np.int64)
            np.minimum.at(label, outer, least)
            np.minimum.at(label, inner, least)
            label = label[label]


def _groups(tree: _Tree, label: Ints, library: Library) -> dict[str, CellGroup]:
    found: dict[str, list[tuple[dict[str, Ints], Ints]]] = defaultdict(list)
    for name, netlist in tree.netlists.items():
        if not tree.bases[name]:
            continue
        by_kind = defaultdict(list)
        for instance in netlist.instances:
            if instance.kind in library.cells:
                by_kind[instance.kind].append(instance)
        bases = np.array(tree.bases[name], np.int64)[:, None]
        owners = np.array(tree.owners[name], np.int64)[:, None]
        for kind, instances in by_kind.items():
            pins = {}
            for pin in library.cells[kind].pins:
                nets = np.array([(i.pins.get(pin) or (-1,))[0] for i in instances], np.int64)
                pins[pin] = np.where(nets < 0, -1, label[bases + np.maximum(nets, 0)]).ravel()
            owner = np.broadcast_to(owners, (len(bases), len(instances))).ravel()
            found[kind].append((pins, owner))
    groups = {}
    for kind in sorted(found):
        parts = found[kind]
        pins = {p: np.concatenate([part[0][p] for part in parts]) for p in parts[0][0]}
        groups[kind] = CellGroup(library.cells[kind], pins, np.concatenate([o for _, o in parts]))
    return groups


def _macros(
    tree: _Tree, label: Ints, macros: Mapping[str, MemoryMacro]
) -> tuple[MacroInstance, ...]:
    found = []
    for name, netlist in tree.netlists.items():
        for instance in netlist.instances:
            if instance.kind not in macros:
                continue
            for base, owner in zip(tree.bases[name], tree.owners[name], strict=True):
                pins = {
                    pin: np.array([label[base + n] if n >= 0 else -1 for n in nets], np.int64)
                    for pin, nets in instance.pins.items()
                }
                place = tree.macros[owner, instance.name]
                found.append(MacroInstance(macros[instance.kind], pins, place))
    return tuple(found)


def _loads(
    nets: int,
    groups: Mapping[str, CellGroup],
    macros: tuple[MacroInstance, ...],
    outputs: Ints,
    library: Library,
) -> Floats:
    ends = [outputs[outputs >= 0]]
    farads = [np.full(len(ends[0]), OUTPUT_LOAD_FF)]
    for group in groups.values():
        for pin, entry in group.cell.pins.items():
            if entry.direction == "input":
                connected = group.pins[pin][group.pins[pin] >= 0]
                ends.append(connected)
                farads.append(np.full(len(connected), entry.capacitance))
    data_ff = library.cells[DATA_CELL].pins[DATA_PIN].capacitance
    for macro in macros:
        for pin, bits in macro.pins.items():
            if pin != "read_data":
                ends.append(bits[bits >= 0])
                farads.append(np.full(len(ends[-1]), data_ff))
    pins = np.concatenate(ends)
    fanout = np.bincount(pins, minlength=nets)
    wire = library.wire_load
    lengths = np.array([wire.length(n) for n in range(int(fanout.max(initial=0)) + 1)])
    load = np.bincount(pins, weights=np.concatenate(farads), minlength=nets)
    return load + wire.capacitance * lengths[fanout]


def flatten(
    design: Design,
    netlists: Mapping[str, Netlist],
    macros: Mapping[str, MemoryMacro],
    library: Library,
) -> FlatNetlist:
    """Stitch the mapped modules of a design together along its instance tree.

    Parameters
    ----------
    design : Design
    netlists : mapping of str to Netlist
        The mapped, buffered modules; those that are missing are macros.
    macros : mapping of str to MemoryMacro
        By module.
    library : Library

    Raises
    ------
    UserError
        If a module is neither mapped nor a macro.
    """
    missing = sorted(set(design.modules) - set(netlists) - set(macros))
    if missing:
        raise UserError(f"module {missing[0]} is neither mapped nor a memory macro")
    tree = _Tree(design, netlists)
    label = tree.label()
    nets = int(label.max(initial=-1)) + 1
    groups = _groups(tree, label, library)
    top = netlists[design.top]
    ports = {
        name: np.array([label[bit] if bit >= 0 else -1 for bit in port.bits], np.int64)
        for name, port in top.ports.items()
    }
    inputs = frozenset(name for name, port in top.ports.items() if port.direction == "input")
    outside = [bits for name, bits in ports.items() if name not in inputs]
    outputs = np.concatenate([np.zeros(0, np.int64), *outside])
    placed = _macros(tree, label, macros)
    return FlatNetlist(
        design=design,
        nets=nets,
        groups=groups,
        macros=placed,
        ports=ports,
        inputs=inputs,
        paths=tuple(tree.paths),
        modules=tuple(tree.modules),
        load=_loads(nets, groups, placed, outputs, library),
    )
