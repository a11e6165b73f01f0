"""Buffer trees for the nets that one module sends to many children, which ABC does not see."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kakure.hdl.emission.design import Design

from .liberty import Library
from .module_timing import DATA_CELL, DATA_PIN
from .netlist import Instance, Netlist

__all__ = ["buffered"]

BUFFER = "BUF_X4"
DRIVER_LIMIT_FF = 20.0
"""What a net may load its driver with through children's pins before it gets a buffer tree."""
BUFFER_LIMIT_FF = 60.0
"""What one buffer of a tree drives."""


@dataclass(frozen=True)
class _Sink:
    """A child's or buffer's input: instance, pin, bit of the pin, and load with its wire [fF]."""

    instance: int
    pin: str
    bit: int
    load: float


@dataclass(frozen=True)
class _Inputs:
    """Load of every bit of a module's input ports [fF]; ``clocks`` are the nets left alone."""

    loads: dict[str, tuple[float, ...]]
    clocks: frozenset[str]


class _Trees:
    """Inserts the trees of one module."""

    def __init__(self, netlist: Netlist, children: Mapping[str, _Inputs], library: Library) -> None:
        self.netlist = netlist
        self.names = list(netlist.names)
        self.instances = [
            (i.name, i.kind, {pin: list(nets) for pin, nets in i.pins.items()})
            for i in netlist.instances
        ]
        self.input_ff = library.cells[BUFFER].pins["A"].capacitance
        self.wire_ff = library.wire_load.capacitance * library.wire_load.slope
        self.loads: dict[int, float] = defaultdict(float)
        self.clocks: set[int] = set()
        self.constants: set[int] = set()
        sinks: dict[int, list[_Sink]] = defaultdict(list)
        for index, instance in enumerate(netlist.instances):
            if instance.kind in children:
                self._add_child(index, instance, children[instance.kind], sinks)
                continue
            cell = library.cells[instance.kind]
            if cell.name.startswith("LOGIC"):
                self.constants.update(instance.pins["Z"])
            for pin, nets in instance.pins.items():
                if cell.pins[pin].direction == "input" and nets and nets[0] >= 0:
                    self.loads[nets[0]] += cell.pins[pin].capacitance
                    if cell.pins[pin].is_clock:
                        self.clocks.add(nets[0])
        for net, ends in sinks.items():
            if net not in self.clocks and net not in self.constants:
                self._tree(net, ends)
            self.loads[net] += sum(end.load for end in ends)

    def _add_child(
        self, index: int, instance: Instance, inputs: _Inputs, sinks: dict[int, list[_Sink]]
    ) -> None:
        for pin, loads in inputs.loads.items():
            for bit, net in enumerate(instance.pins.get(pin, ())):
                if net >= 0:
                    sinks[net].append(_Sink(index, pin, bit, loads[bit] + self.wire_ff))
                    if pin in inputs.clocks:
                        self.clocks.add(net)

    def _tree(self, net: int, sinks: list[_Sink]) -> None:
        """Group neighbours under buffers, and those again, until the driver's load is small."""
        while sum(sink.load for sink in sinks) > DRIVER_LIMIT_FF:
            groups: list[list[_Sink]] = [[]]
            for sink in sinks:
                if groups[-1] and sum(s.load for s in groups[-1]) + sink.load > BUFFER_LIMIT_FF:
                    groups.append([])
                groups[-1].append(sink)
            sinks[:] = [self._buffer(net, group) for group in groups]

    def _buffer(self, net: int, group: list[_Sink]) -> _Sink:
        behind = len(self.names)
        index = len(self.instances)
        self.names.append(f"{self.netlist.names[net]}$buffer{behind}")
        for sink in group:
            self.instances[sink.instance][2][sink.pin][sink.bit] = behind
        self.instances.append((f"$buffer{behind}", BUFFER, {"A": [net], "Z": [behind]}))
        return _Sink(index, "A", 0, self.input_ff + self.wire_ff)

    def result(self) -> tuple[Netlist, _Inputs]:
        """Return the module with its trees, and what its inputs load."""
        instances = tuple(
            Instance(name, kind, {pin: tuple(nets) for pin, nets in pins.items()})
            for name, kind, pins in self.instances
        )
        ports = {n: p.bits for n, p in self.netlist.ports.items() if p.direction == "input"}
        inputs = _Inputs(
            {name: tuple(self.loads[bit] for bit in bits) for name, bits in ports.items()},
            frozenset(name for name, bits in ports.items() if self.clocks.intersection(bits)),
        )
        outputs = self.netlist.outputs | {BUFFER: ("Z",)}
        changed = {"instances": instances, "names": tuple(self.names), "outputs": outputs}
        return replace(self.netlist, **changed), inputs


def buffered(
    design: Design, netlists: Mapping[str, Netlist], library: Library
) -> dict[str, Netlist]:
    """Insert buffers where a module drives its children's inputs with more than a gate can.

    ABC buffers what lies inside one module, and takes the load of a port as 7 fF; the true load of
    a child's input is known once the child is mapped. Children come first, so that a parent sees
    the loads behind their ports. Clocks and constants are left alone.

    Parameters
    ----------
    design : Design
        Its modules are in order, children before parents.
    netlists : mapping of str to Netlist
        The mapped modules; those that are missing are memory macros.
    library : Library
        The cells.
    """
    macro_ff = library.cells[DATA_CELL].pins[DATA_PIN].capacitance
    inputs: dict[str, _Inputs] = {}
    done: dict[str, Netlist] = {}
    for name, module in design.modules.items():
        if name not in netlists:
            continue
        netlist = netlists[name]
        for instance in netlist.instances:
            if instance.kind in module.instances.values() and instance.kind not in netlists:
                outputs = netlist.outputs[instance.kind]
                loads = {
                    pin: (macro_ff,) * len(nets)
                    for pin, nets in instance.pins.items()
                    if pin not in outputs
                }
                inputs[instance.kind] = _Inputs(loads, frozenset({"clk"}))
        done[name], inputs[name] = _Trees(netlist, inputs, library).result()
    return done
