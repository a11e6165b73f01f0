"""The mapped netlist of one module: standard cells, children and nets, from Yosys' JSON."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .liberty import Library

__all__ = ["Instance", "Netlist", "Port"]


@dataclass(frozen=True)
class Port:
    """A port; ``bits`` are net numbers, least significant first, -1 where a bit is a constant."""

    direction: str
    bits: tuple[int, ...]


@dataclass(frozen=True)
class Instance:
    """A standard cell or a child module, with the nets on its pins (-1 for a constant)."""

    name: str
    kind: str
    pins: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Netlist:
    """One module after mapping.

    Attributes
    ----------
    name : str
        Of the module.
    ports : dict of str to Port
        By name.
    instances : tuple of Instance
        Standard cells and children.
    outputs : dict of str to tuple of str
        By cell type or child module: its output pins.
    names : tuple of str
        Of the nets, which are numbered from 0.
    """

    name: str
    ports: dict[str, Port]
    instances: tuple[Instance, ...]
    outputs: dict[str, tuple[str, ...]]
    names: tuple[str, ...]

    @classmethod
    def read(cls, text: str, name: str) -> "Netlist":
        """Read module ``name`` from the text that Yosys' ``write_json`` wrote."""
        module = json.loads(text)["modules"][name]
        numbers: dict[int, int] = {}

        def nets(bits: list[int | str]) -> tuple[int, ...]:
            return tuple(
                -1 if isinstance(bit, str) else numbers.setdefault(bit, len(numbers))
                for bit in bits
            )

        ports = {
            port: Port(entry["direction"], nets(entry["bits"]))
            for port, entry in module["ports"].items()
        }
        instances = tuple(
            Instance(cell, entry["type"], {p: nets(b) for p, b in entry["connections"].items()})
            for cell, entry in module["cells"].items()
        )
        outputs = {
            entry["type"]: tuple(
                p for p, way in entry["port_directions"].items() if way == "output"
            )
            for entry in module["cells"].values()
        }
        names = [""] * len(numbers)
        ranks = [(2, 0)] * len(numbers)
        for net_name, entry in module["netnames"].items():
            first, width = entry.get("offset", 0), len(entry["bits"])
            rank = (entry["hide_name"], len(net_name))
            for i, bit in enumerate(entry["bits"]):
                net = -1 if isinstance(bit, str) else numbers.get(bit, -1)
                if net >= 0 and rank < ranks[net]:
                    ranks[net] = rank
                    names[net] = net_name if width == 1 else f"{net_name}[{first + i}]"
        return cls(name, ports, instances, outputs, tuple(names))

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> "Netlist":
        """Undo :meth:`to_dict`."""

        def nets(pins: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
            return {pin: tuple(bits) for pin, bits in pins.items()}

        return cls(
            name=entry["name"],
            ports={name: Port(way, tuple(bits)) for name, (way, bits) in entry["ports"].items()},
            instances=tuple(Instance(n, kind, nets(pins)) for n, kind, pins in entry["instances"]),
            outputs={kind: tuple(pins) for kind, pins in entry["outputs"].items()},
            names=tuple(entry["names"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the netlist as lists and dicts, for JSON."""
        return {
            "name": self.name,
            "ports": {name: (port.direction, port.bits) for name, port in self.ports.items()},
            "instances": [(i.name, i.kind, i.pins) for i in self.instances],
            "outputs": self.outputs,
            "names": self.names,
        }

    @cached_property
    def kinds(self) -> Counter[str]:
        """How many instances there are of each cell type and child module."""
        return Counter(instance.kind for instance in self.instances)

    def cells(self, library: Library) -> dict[str, int]:
        """How many standard cells there are of each type, by name, children left out."""
        return {k: n for k, n in sorted(self.kinds.items()) if k in library.cells}

    def area(self, library: Library) -> float:
        """Area of the standard cells [µm²], children left out."""
        return sum(n * library.cells[k].area for k, n in self.cells(library).items())
