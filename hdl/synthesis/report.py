"""What synthesis found out about a design: the file ``synth.json`` and its table."""

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically

from .static_timing import CriticalPath

__all__ = ["InstanceReport", "ModuleReport", "SynthesisReport", "Tools", "Totals"]


@dataclass(frozen=True)
class Tools:
    """What made the numbers: ``engine`` is native or yowasp, ``yosys`` its package and version.

    ``sources`` is the digest of the sources of the flow; empty in reports from before it was kept.
    """

    engine: str
    yosys: str
    library: str
    library_sha256: str
    memory_model: str
    sources: str = ""


@dataclass(frozen=True)
class ModuleReport:
    """One distinct module by itself, its children not counted.

    Attributes
    ----------
    name, kind, parameters
        As in the design.
    instances : int
        How often it is in the design.
    candidate : str
        Which way of mapping won; ``macro`` for a memory macro.
    area_um2 : float
        ``sequential_um2`` + ``combinational_um2`` + ``memory_um2``. Flip-flops, latches and clock
        gates are sequential; macros are memory.
    gate_equivalents : float
        Area of the cells in NAND2_X1.
    leakage_uw : float
        Mean over the cells' states at 25 °C; of a macro, at 77 °C.
    cells, flops : int
        Standard cells; flip-flops and latches among them.
    cell_counts : dict of str to int
        By cell type.
    """

    name: str
    kind: str
    parameters: dict[str, int | str]
    instances: int
    candidate: str
    area_um2: float
    sequential_um2: float
    combinational_um2: float
    memory_um2: float
    gate_equivalents: float
    leakage_uw: float
    cells: int
    flops: int
    cell_counts: dict[str, int]


@dataclass(frozen=True)
class InstanceReport:
    """One place in the tree: area of the module itself, and with all that is below it [µm²]."""

    path: str
    module: str
    area_um2: float
    total_um2: float


@dataclass(frozen=True)
class Totals:
    """Sums over all instances, units as in :class:`ModuleReport`."""

    area_um2: float
    sequential_um2: float
    combinational_um2: float
    memory_um2: float
    gate_equivalents: float
    leakage_uw: float
    cells: int
    flops: int


@dataclass(frozen=True)
class SynthesisReport:
    """Area and critical path of one design, with all that they depend on.

    Equal designs, tools and scripts give equal bytes: there are no times or dates in it.
    """

    config_digest: str
    top: str
    tools: Tools
    script: str
    totals: Totals
    critical_path: CriticalPath
    fmax_mhz: float
    modules: tuple[ModuleReport, ...]
    instances: tuple[InstanceReport, ...]

    def area_of(self, path: str) -> float:
        """Area of an instance with all that is below it [µm²]; 0 where there is none.

        A path with * at its end stands for all of one parent whose names begin so.
        """
        parent, _, name = path.rpartition(".")
        begins = name.removesuffix("*")
        found = 0.0
        for item in self.instances:
            above, _, own = item.path.rpartition(".")
            if above == parent and (own == name or (begins != name and own.startswith(begins))):
                found += item.total_um2
        return found

    def to_json(self) -> str:
        """Return the text of ``synth.json``."""
        return json.dumps(asdict(self), sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "SynthesisReport":
        """Read the text of ``synth.json``.

        Raises
        ------
        UserError
            If it is not one.
        """
        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UserError(f"not a synthesis report: {where}: {first['msg']}") from None

    def write(self, path: Path) -> None:
        """Write ``synth.json`` under a temporary name, then rename it."""
        write_atomically(path, self.to_json().encode())

    @classmethod
    def read(cls, path: Path) -> "SynthesisReport":
        """Read ``synth.json``."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"{error.strerror}", file=path) from None
        return cls.from_json(text)

    def table(self, top: int = 15) -> str:
        """Return a plain table: totals, area by kind, the ``top`` biggest modules, the path."""
        t, path = self.totals, self.critical_path
        kinds: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
        for module in self.modules:
            kinds[module.kind][0] += module.instances
            kinds[module.kind][1] += module.instances * module.area_um2
        biggest = sorted(self.modules, key=lambda m: (-m.instances * m.area_um2, m.name))[:top]
        names = ["module", *(m.name for m in biggest), *kinds]
        width = max(len(name) for name in names)

        def row(name: str, count: float, area: float, tail: str = "") -> str:
            share = area / t.area_um2 if t.area_um2 else 0
            return f"{name:<{width}} {count:>6.0f} {area:>14,.1f} {share:>7.1%}{tail}"

        def head(name: str, tail: str = "") -> str:
            return f"{name:<{width}} {'count':>6} {'area um2':>14} {'share':>7}{tail}"

        lines = [f"{self.top}: {t.area_um2:,.1f} um2, of this sequential {t.sequential_um2:,.1f}"]
        lines[0] += f", combinational {t.combinational_um2:,.1f}, memory {t.memory_um2:,.1f}"
        lines.append(f"{t.gate_equivalents:,.0f} gate equivalents (NAND2), {t.cells:,} cells, ")
        lines[-1] += f"{t.flops:,} flip-flops; leakage {t.leakage_uw:,.1f} uW"
        lines.append(f"critical path {path.delay_ns:.3f} ns ({self.fmax_mhz:,.0f} MHz), ")
        lines[-1] += f"{path.cells} cells; wires are estimates, there is no placement"
        lines.append(f"  from {path.start.instance} {path.start.net}")
        lines.append(f"  to   {path.end.instance} {path.end.net}")
        lines += ["", head("kind")]
        ordered = sorted(kinds.items(), key=lambda item: (-item[1][1], item[0]))
        lines += [row(kind, count, area) for kind, (count, area) in ordered]
        lines += ["", head("module", f" {'each um2':>12} {'cells':>8} {'flops':>7}")]
        for m in biggest:
            tail = f" {m.area_um2:>12,.1f} {m.cells:>8,} {m.flops:>7,}"
            lines.append(row(m.name, m.instances, m.instances * m.area_um2, tail))
        lines += ["", f"{self.tools.yosys} ({self.tools.engine}), {self.tools.library}"]
        return "\n".join(lines)
