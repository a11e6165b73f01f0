"""Measured energy of whole accelerators on real images, and the file that keeps it."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.shape.block_shape import instance_name
from kakure.hdl.synthesis.energy_report import EnergyReport
from kakure.hdl.synthesis.flat_netlist import FlatNetlist
from kakure.hdl.synthesis.liberty import library
from kakure.hdl.synthesis.mapping import SCRIPT
from kakure.hdl.synthesis.memory_macro import source_of
from kakure.hdl.synthesis.power import measure_energy
from kakure.hdl.synthesis.yosys import find_engine
from kakure.model.config.config import Config, parse_config
from kakure.model.parameters.parameters import Parameters
from kakure.model.provenance import sources

from .energy_run import mapped_accelerator, run_accelerator
from .line_file import append_lines, read_lines
from .tree import role_of

__all__ = [
    "ENERGY_MEASURED",
    "EnergyPoint",
    "Row",
    "append",
    "measure_point",
    "read_points",
    "roles",
]

ENERGY_MEASURED = Path(__file__).with_name("energy_measured.jsonl")

SHARED = -1
"""The layer of what an accelerator has once."""


@dataclasses.dataclass(frozen=True)
class Row:
    """All blocks of one role in one layer.

    Attributes
    ----------
    layer : int
        -1 for what there is once.
    role : str
        The kind of block; memories by what they are for, ``pe_`` before what a PE engine shares
        with others.
    instances, flops, gates : int
        Blocks; flip-flops and clock gates in all of them.
    logic_um2, macro_um2 : float
        Area of the other cells, and of macros.
    switching_pj, clock_pj, memory_pj : float
        Energy per image, as :class:`kakure.hdl.synthesis.energy_report.InstanceEnergy`.
    leakage_uw : float
    """

    layer: int
    role: str
    instances: int
    flops: int
    gates: int
    logic_um2: float
    macro_um2: float
    switching_pj: float
    clock_pj: float
    memory_pj: float
    leakage_uw: float


@dataclasses.dataclass(frozen=True)
class EnergyPoint:
    """One accelerator, measured.

    Attributes
    ----------
    config : dict
        The configuration, complete.
    digest : str
        Of the configuration.
    training : dict
        Seed and epochs, or the file of the parameters; validation images classified right.
    images : dict
        Data set, how many distinct images count, lanes, and images of each lane that count; planes
        of bitwise weights where not all are used.
    tools : dict
    cycles : float
        From one result to the next.
    loading_pj : float
        Dynamic energy of loading the supermask, once.
    rows : tuple of Row
    sources : str
        Digest of the sources that measured; empty in lines from before it was kept.
    """

    config: dict[str, Any]
    digest: str
    training: dict[str, Any]
    images: dict[str, Any]
    tools: dict[str, str]
    cycles: float
    loading_pj: float
    rows: tuple[Row, ...]
    sources: str = ""

    @property
    def parsed(self) -> Config:
        """The configuration."""
        return parse_config(json.dumps(self.config), f"energy point {self.digest[:8]}")

    @property
    def dynamic_pj(self) -> float:
        """Energy per image without leakage."""
        return sum(row.switching_pj + row.clock_pj + row.memory_pj for row in self.rows)

    @property
    def leakage_uw(self) -> float:
        """Leakage of everything."""
        return sum(row.leakage_uw for row in self.rows)

    def energy_pj(self, clock_ns: float) -> float:
        """Energy per image, with leakage over the interval between two results."""
        return self.dynamic_pj + self.leakage_uw * self.cycles * clock_ns / 1000

    def to_json(self) -> str:
        """One line."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> "EnergyPoint":
        """Read a line."""
        values = json.loads(line)
        values["rows"] = tuple(Row(**row) for row in values["rows"])
        return cls(**values)


def roles(flat: FlatNetlist) -> list[tuple[int, str]]:
    """Layer and role of every instance."""
    kind_of = {
        path: flat.design.modules[module].kind
        for path, module in zip(flat.paths, flat.modules, strict=True)
    }
    found = []
    for path, kind in kind_of.items():
        parts = path.split(".")
        layers = [p for p in parts if p.startswith("layer_")]
        layer = int(layers[0].removeprefix("layer_")) if layers else SHARED
        above = tuple(kind_of[".".join(parts[:n])] for n in range(1, len(parts)))
        found.append((layer, role_of(kind, instance_name(parts[-1]), above)))
    return found


def _cell_sums(flat: FlatNetlist) -> tuple[NDArray[Any], ...]:
    """Flip-flops, clock gates and area of the other cells, of every instance."""
    many = len(flat.paths)
    flops, gates, area = np.zeros(many, np.int64), np.zeros(many, np.int64), np.zeros(many)
    for group in flat.groups.values():
        count = np.bincount(group.owner, minlength=many)
        if group.cell.is_clock_gate:
            gates += count
        elif group.cell.is_sequential:
            flops += count
        else:
            area += count * group.cell.area
    return flops, gates, area


def _rows(flat: FlatNetlist, report: EnergyReport, images: int) -> tuple[Row, ...]:
    flops, gates, logic = _cell_sums(flat)
    macros = {macro.owner: macro.macro.area_um2 for macro in flat.macros}
    sums: dict[tuple[int, str], list[float]] = {}
    for n, (place, one) in enumerate(zip(roles(flat), report.instances, strict=True)):
        values = (
            1,
            flops[n],
            gates[n],
            logic[n],
            macros.get(n, 0.0),
            one.switching_pj / images,
            one.clock_pj / images,
            one.memory_pj / images,
            one.leakage_uw,
        )
        before = sums.setdefault(place, [0.0] * len(values))
        sums[place] = [a + float(b) for a, b in zip(before, values, strict=True)]
    return tuple(
        Row(layer, role, *map(int, values[:3]), *(float(f"{v:.7g}") for v in values[3:]))
        for (layer, role), values in sorted(sums.items())
    )


def measure_point(
    config: Config,
    parameters: Parameters,
    images: NDArray[np.uint8],
    *,
    training: dict[str, Any],
    lanes: int = 64,
    measured: int = 2,
    planes: int | None = None,
    flat: FlatNetlist | None = None,
) -> EnergyPoint:
    """Map an accelerator, send images through its netlist, and sum up its energy per image.

    Parameters
    ----------
    config, parameters, images, lanes, measured, planes
        As of :func:`kakure.search.cost.digital.energy_run.run_accelerator`.
    training : dict
        What :class:`EnergyPoint` keeps of it.
    flat : FlatNetlist, optional
        Of :func:`~kakure.search.cost.digital.energy_run.mapped_accelerator`, where it is there.
    """
    flat = mapped_accelerator(config) if flat is None else flat
    run = run_accelerator(
        flat, config, parameters, images, lanes=lanes, measured=measured, planes=planes
    )
    inference = measure_energy(flat, run.inference)
    cells = library()
    return EnergyPoint(
        config=json.loads(config.model_dump_json()),
        digest=config.digest,
        training=training,
        images={
            "dataset": config.dataset,
            "distinct": run.distinct,
            "lanes": lanes,
            "measured": measured,
        }
        | ({} if planes is None else {"planes": planes}),
        tools={
            "yosys": find_engine().version,
            "library": cells.package,
            "library_sha256": cells.sha256[:16],
            "memory_model": source_of(macro.macro for macro in flat.macros),
            "script": hashlib.sha256(SCRIPT.encode()).hexdigest()[:16],
        },
        cycles=inference.cycles / run.images,
        loading_pj=float(f"{measure_energy(flat, run.loading).dynamic_pj:.7g}"),
        rows=_rows(flat, inference, run.images),
        sources=sources(__name__),
    )


def read_points(path: Path = ENERGY_MEASURED, *, is_mended: bool = False) -> list[EnergyPoint]:
    """All that was measured, in order of their digests; the last line of a configuration counts.

    A last line that was cut off by a crash is left out.

    Raises
    ------
    UserError
        If the file is missing, or any other line is not a point.
    """
    return read_lines(
        path,
        EnergyPoint.from_json,
        lambda point: point.digest,
        what="an energy point",
        command="kakure study energy",
        is_mended=is_mended,
    )


def append(path: Path, points: Sequence[EnergyPoint]) -> None:
    """Add points, after cutting a line off that a crash left unfinished."""
    append_lines(path, [point.to_json() for point in points])
