"""Energy of a run, instance by instance."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from kakure.model.files.atomic import write_atomically

__all__ = ["EnergyReport", "InstanceEnergy"]


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
