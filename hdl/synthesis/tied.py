"""Transitions that cannot happen, because an input that is tied to a constant blocks them."""

from functools import cache
from itertools import product
from types import CodeType

import numpy as np
from numpy.typing import NDArray

from .liberty import Library, library
from .module_timing import ModuleTiming
from .timing_graph import TimingGraph

__all__ = ["blocked_edges"]

TIES = {"LOGIC0_X1": False, "LOGIC1_X1": True}

Place = tuple[str, int, int]
"""A cell of the design: its module, which instance of that module, and its place in there."""


@cache
def _code(function: str) -> CodeType:
    """Compile a Liberty function for the values False and True."""
    text = function.replace("!", " not ").replace("&", " and ").replace("|", " or ")
    return compile(text.replace("^", " != ").strip(), "<liberty>", "eval")


@cache
def _reduced(
    kind: str, output: str, known: tuple[tuple[str, bool], ...]
) -> tuple[bool | None, frozenset[str]]:
    """Value of an output where the known inputs decide it, and the inputs that still matter."""
    cell = library().cells[kind]
    function = cell.pins[output].function
    assert function is not None
    fixed = dict(known)
    names = [n for n, p in cell.pins.items() if p.direction == "input" and n not in fixed]
    values: dict[tuple[bool, ...], bool] = {}
    for choice in product((False, True), repeat=len(names)):
        inputs = fixed | dict(zip(names, choice, strict=True))
        values[choice] = bool(eval(_code(function), {}, inputs))
    if len(set(values.values())) == 1:
        return next(iter(values.values())), frozenset()
    matter = {
        name
        for i, name in enumerate(names)
        for choice, value in values.items()
        if values[(*choice[:i], not choice[i], *choice[i + 1 :])] != value
    }
    return None, frozenset(matter)


class _Ties:
    """Spreads the constants of a design through its gates, but not through its registers."""

    def __init__(self, graph: TimingGraph, cells: Library) -> None:
        self.graph = graph
        self.cells = cells
        self.value: dict[int, bool] = {}
        self.touched: set[Place] = set()
        self.starts = np.searchsorted(np.sort(graph.source >> 1), np.arange(graph.nets + 1))
        self.by_source = np.argsort(graph.source >> 1, kind="stable")
        waiting = list(self._tied())
        while waiting:
            net, value = waiting.pop()
            if net in self.value:
                continue
            self.value[net] = value
            rows = self.by_source[self.starts[net] : self.starts[net + 1]]
            for place in {graph.place(int(row)) for row in rows}:
                if self._is_gate(place):
                    self.touched.add(place)
                    waiting += self._decided(place)

    def _tied(self) -> list[tuple[int, bool]]:
        return [
            (net, TIES[instance.kind])
            for name, module in self.graph.modules.items()
            for instance in module.netlist.instances
            if instance.kind in TIES
            for net in self.graph.copies(name, instance.pins["Z"][0])
        ]

    def _is_gate(self, place: Place) -> bool:
        return self._module(place).netlist.instances[place[2]].kind in self.cells.cells

    def _module(self, place: Place) -> ModuleTiming:
        return self.graph.modules[place[0]]

    def _pins(self, place: Place) -> tuple[str, dict[str, int]]:
        """Return the cell's type and the flat net on each of its pins."""
        instance = self._module(place).netlist.instances[place[2]]
        nets = {pin: bits[0] for pin, bits in instance.pins.items() if bits and bits[0] >= 0}
        return instance.kind, {p: self.graph.flat(place[0], place[1], n) for p, n in nets.items()}

    def _known(self, kind: str, pins: dict[str, int]) -> tuple[tuple[str, bool], ...]:
        inputs = self.cells.cells[kind].pins
        return tuple(
            (pin, self.value[net])
            for pin, net in sorted(pins.items())
            if net in self.value and inputs[pin].direction == "input"
        )

    def _decided(self, place: Place) -> list[tuple[int, bool]]:
        kind, pins = self._pins(place)
        known = self._known(kind, pins)
        outputs = ((pin, net) for pin, net in pins.items() if self._is_output(kind, pin))
        decided = ((net, _reduced(kind, pin, known)[0]) for pin, net in outputs)
        return [(net, value) for net, value in decided if value is not None]

    def _is_output(self, kind: str, pin: str) -> bool:
        return self.cells.cells[kind].pins[pin].direction == "output"

    def blocked(self) -> NDArray[np.bool_]:
        is_blocked = np.zeros(len(self.graph.source), dtype=bool)
        for place in self.touched:
            kind, pins = self._pins(place)
            known = self._known(kind, pins)
            open_: set[tuple[int, int]] = set()
            for output in (pin for pin in pins if self._is_output(kind, pin)):
                matter = _reduced(kind, output, known)[1]
                open_ |= {(pins[pin], pins[output]) for pin in matter if pin in pins}
            for row in self.graph.rows(place):
                ends = int(self.graph.source[row]) >> 1, int(self.graph.target[row]) >> 1
                is_blocked[row] = ends not in open_
        return is_blocked


def blocked_edges(graph: TimingGraph, cells: Library) -> NDArray[np.bool_]:
    """Return which transitions of a design constants make impossible.

    Modules are mapped apart, so that an input that a parent ties to a constant leaves gates in the
    child that never switch. Paths through them are not real: a multiplexer whose select is tied
    passes one input only.
    """
    return _Ties(graph, cells).blocked()
