"""The timing graph of a whole design: its modules' timing, stitched along the instance tree."""

from collections.abc import Mapping

import numpy as np

from kakure.hdl.emission.design import Design

from .liberty import Library
from .module_timing import ModuleTiming
from .nldm import Floats, Ints

__all__ = ["TimingGraph"]

OUTPUT_LOAD_FF = 7.0
"""Load on the top's output ports: about four inverter inputs."""


class TimingGraph:
    """Flat arrays over all instances. A node is 2 × net, + 1 for its falling edge.

    The last two nodes are the ideal clock. Nets that ports join are one net, with the number that
    it has in the highest module.

    Parameters
    ----------
    design : Design
        The instance tree.
    modules : mapping of str to ModuleTiming
        By module name, macros left out.
    library : Library
        For its wire-load table.

    Attributes
    ----------
    source, target, delay, slew : arrays of int
        Every transition: its nodes and its tables.
    setup_node, setup_table : arrays of int
        Every end point: its node and its table.
    core_node, access_ns : arrays
        Nodes that switch at a given time.
    load : array of float
        Capacitance of every net, with that of its estimated wire [fF].
    """

    def __init__(
        self, design: Design, modules: Mapping[str, ModuleTiming], library: Library
    ) -> None:
        self.modules = modules
        self.nets = 0
        self._paths: dict[str, list[str]] = {name: [] for name in modules}
        self._bases: dict[str, list[int]] = {name: [] for name in modules}
        self._joints: list[Ints] = [np.zeros((0, 2), dtype=np.int64)]
        self._place(design.top, design.top)
        self.net = self._join()
        self.clock = 2 * self.nets
        self.nodes = self.clock + 2
        self._flatten()
        self.load = self._loads(modules[design.top], library)

    def _place(self, path: str, name: str) -> int:
        """Number the nets of an instance and of all below it; note where ports join them."""
        module, base = self.modules[name], self.nets
        self.nets += module.nets
        self._paths[name].append(path)
        self._bases[name].append(base)
        for instance in module.netlist.instances:
            child = self.modules.get(instance.kind)
            if child is None:
                continue
            below = self._place(f"{path}.{instance.name}", instance.kind)
            pairs = [
                (outer + base, inner + below)
                for port, nets in instance.pins.items()
                for outer, inner in zip(nets, child.netlist.ports[port].bits, strict=False)
                if outer >= 0 and inner >= 0
            ]
            self._joints.append(np.array(pairs, dtype=np.int64).reshape(-1, 2))
        return base

    def _join(self) -> Ints:
        """Give nets that ports join the smallest of their numbers."""
        label = np.arange(self.nets)
        outer, inner = np.concatenate(self._joints).T
        while True:
            least = np.minimum(label[outer], label[inner])
            if np.array_equal(least, label[outer]) and np.array_equal(least, label[inner]):
                return label
            np.minimum.at(label, outer, least)
            np.minimum.at(label, inner, least)
            label = label[label]

    def _flatten(self) -> None:
        edges, setups, cores, times = [], [], [], []
        for name, module in self.modules.items():
            bases = np.array(self._bases[name], dtype=np.int64)[:, None]
            source, target, source_falls, target_falls, delay, slew, _ = module.edges.T
            shape = (len(bases), len(module.edges))
            from_net = 2 * self.net[bases + np.maximum(source, 0)] + source_falls
            columns = (
                np.where(source < 0, self.clock, from_net),
                2 * self.net[bases + target] + target_falls,
                np.broadcast_to(delay, shape),
                np.broadcast_to(slew, shape),
            )
            edges.append(np.stack([column.ravel() for column in columns]))
            ends = 2 * self.net[bases + module.setups[:, 0]][:, :, None] + np.arange(2)
            tables = np.broadcast_to(module.setups[:, 1:3], ends.shape)
            setups.append(np.stack([ends.ravel(), tables.ravel()]))
            switching = 2 * self.net[bases + module.cores][:, :, None] + np.arange(2)
            cores.append(switching.ravel())
            times.append(np.broadcast_to(module.access_ns[:, None], switching.shape).ravel())
        self.source, self.target, self.delay, self.slew = np.concatenate(edges, axis=1)
        self.setup_node, self.setup_table = np.concatenate(setups, axis=1)
        self.core_node, self.access_ns = np.concatenate(cores), np.concatenate(times)

    def _loads(self, top: ModuleTiming, library: Library) -> Floats:
        outside = [b for p in top.netlist.ports.values() if p.direction == "output" for b in p.bits]
        pins = [self.net[[bit for bit in outside if bit >= 0]]]
        farads = [np.full(len(pins[0]), OUTPUT_LOAD_FF)]
        for name, module in self.modules.items():
            bases = np.array(self._bases[name], dtype=np.int64)[:, None]
            pins.append(self.net[bases + module.pins].ravel())
            farads.append(np.tile(module.farads, len(bases)))
        nets = np.concatenate(pins)
        fanout = np.bincount(nets, minlength=self.nets)
        wire = library.wire_load
        lengths = np.array([wire.length(n) for n in range(int(fanout.max(initial=0)) + 1)])
        pin_load = np.bincount(nets, weights=np.concatenate(farads), minlength=self.nets)
        return pin_load + wire.capacitance * lengths[fanout]

    def _find(self, position: int, sizes: Mapping[str, int]) -> tuple[str, int, int]:
        """Find the module, which of its instances, and the row, of an element of flat arrays."""
        for name, size in sizes.items():
            count = size * len(self._paths[name])
            if position < count:
                return name, position // size, position % size
            position -= count
        raise AssertionError("the position lies within the arrays")

    def _edge(self, position: int) -> tuple[str, int, int]:
        return self._find(position, {name: len(m.edges) for name, m in self.modules.items()})

    def place(self, position: int) -> tuple[str, int, int]:
        """Find the cell of a transition: module, which of its instances, place in the netlist."""
        name, copy, row = self._edge(position)
        return name, copy, int(self.modules[name].edges[row, 6])

    def rows(self, place: tuple[str, int, int]) -> range:
        """Find the transitions of a cell. They lie together, in the order of the netlist."""
        name, copy, index = place
        start = 0
        for other, module in self.modules.items():
            if other == name:
                break
            start += len(module.edges) * len(self._paths[other])
        column = self.modules[name].edges[:, 6]
        first, last = np.searchsorted(column, [index, index + 1])
        start += copy * len(column)
        return range(start + int(first), start + int(last))

    def flat(self, name: str, copy: int, net: int) -> int:
        """Return the number of a net of one instance of a module among all nets."""
        return int(self.net[self._bases[name][copy] + net])

    def copies(self, name: str, net: int) -> list[int]:
        """Return the numbers of a net of a module in all of its instances."""
        return [int(self.net[base + net]) for base in self._bases[name]]

    def driven(self, position: int) -> tuple[str, str]:
        """Name a transition: the instance path, and the net that it drives."""
        name, copy, row = self._edge(position)
        module = self.modules[name]
        return self._paths[name][copy], module.netlist.names[module.edges[row, 1]]

    def start(self, position: int) -> tuple[str, str]:
        """Name a transition that starts a path: the instance path, and the register or macro."""
        name, copy, index = self.place(position)
        return self._paths[name][copy], self.modules[name].register(index)

    def end(self, position: int) -> tuple[str, str]:
        """Name an end point: the instance path, and the register or macro there."""
        sizes = {name: 2 * len(module.setups) for name, module in self.modules.items()}
        name, copy, row = self._find(position, sizes)
        module = self.modules[name]
        return self._paths[name][copy], module.register(int(module.setups[row // 2, 3]))
