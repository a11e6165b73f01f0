"""Synthesis of a whole design: each distinct module once, then sums and timing over the tree."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.model.provenance import sources

from .buffering import buffered
from .liberty import Library, library
from .mapping import SCRIPT, MappedModule, Mapper
from .memory_macro import MemoryMacro, is_macro, memory_macro, source_of
from .netlist import Netlist
from .report import InstanceReport, ModuleReport, SynthesisReport, Tools, Totals
from .static_timing import critical_path
from .yosys import EngineName, find_engine

__all__ = ["CACHE", "macros_of", "map_modules", "synthesize"]

CACHE = Path("build/cache/synthesis")


def macros_of(design: Design) -> dict[str, MemoryMacro]:
    """Return the memory macros among the design's modules, by name."""
    memories = {
        name: module.parameters
        for name, module in design.modules.items()
        if module.kind == "ram" and name != design.top
    }
    sizes = {name: (int(p["depth"]), int(p["width"])) for name, p in memories.items()}
    return {
        name: memory_macro(*size, str(memories[name].get("cells", "lop")))
        for name, size in sizes.items()
        if is_macro(*size)
    }


def map_modules(
    design: Design,
    *,
    engine: EngineName = "auto",
    cache: Path = CACHE,
    jobs: int = 2,
    progress: bool | None = None,
) -> dict[str, MappedModule]:
    """Map every distinct module of a design that is not a memory macro.

    Parameters
    ----------
    design : Design
        What to map.
    engine : str
        Which Yosys: :func:`~kakure.hdl.synthesis.yosys.find_engine`.
    cache : Path
        Folder of earlier results; a stopped run goes on from there.
    jobs : int
        Modules at a time.
    progress : bool, optional
        Whether to show a bar with the time left; by default where stderr is a terminal.
    """
    cells = library()
    mapper = Mapper(find_engine(engine), cells, cache)
    macros = macros_of(design)
    wanted = [module for name, module in design.modules.items() if name not in macros]
    wanted.sort(key=lambda module: (-len(module.verilog), module.name))
    mapped: dict[str, MappedModule] = {}
    hidden = None if progress is None else not progress
    with (
        ThreadPoolExecutor(max_workers=max(1, jobs)) as workers,
        tqdm(total=len(wanted), desc="synthesis", unit="module", disable=hidden) as bar,
    ):
        tasks = {workers.submit(mapper.map, design, module): module for module in wanted}
        try:
            for task in as_completed(tasks):
                module = tasks[task]
                mapped[module.name] = task.result()
                bar.set_postfix_str(module.name)
                bar.update()
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise
    return {name: mapped[name] for name in design.modules if name in mapped}


def _module_report(
    module: ModuleSource, count: int, candidate: str, netlist: Netlist, cells: Library
) -> ModuleReport:
    counts = netlist.cells(cells)
    types = [(cells.cells[name], n) for name, n in counts.items()]
    area = sum(n * cell.area for cell, n in types)
    sequential = sum(n * cell.area for cell, n in types if cell.is_sequential)
    return ModuleReport(
        name=module.name,
        kind=module.kind,
        parameters=dict(module.parameters),
        instances=count,
        candidate=candidate,
        area_um2=round(area, 3),
        sequential_um2=round(sequential, 3),
        combinational_um2=round(area - sequential, 3),
        memory_um2=0.0,
        gate_equivalents=round(area / cells.nand2_area, 3),
        leakage_uw=round(sum(n * cell.leakage for cell, n in types) / 1000, 6),
        cells=sum(counts.values()),
        flops=sum(n for cell, n in types if cell.is_sequential and not cell.is_clock_gate),
        cell_counts=counts,
    )


def _macro_report(module: ModuleSource, count: int, macro: MemoryMacro) -> ModuleReport:
    return ModuleReport(
        name=module.name,
        kind=module.kind,
        parameters=dict(module.parameters),
        instances=count,
        candidate="macro",
        area_um2=round(macro.area_um2, 3),
        sequential_um2=0.0,
        combinational_um2=0.0,
        memory_um2=round(macro.area_um2, 3),
        gate_equivalents=0.0,
        leakage_uw=round(1000 * macro.leakage_mw, 6),
        cells=0,
        flops=0,
        cell_counts={},
    )


def _instance_reports(
    design: Design, areas: dict[str, float], path: str, name: str
) -> Iterator[InstanceReport]:
    below: list[InstanceReport] = []
    total = areas[name]
    for instance, child in design.modules[name].instances.items():
        reports = list(_instance_reports(design, areas, f"{path}.{instance}", child))
        total += reports[0].total_um2
        below += reports
    yield InstanceReport(path, name, areas[name], round(total, 3))
    yield from below


def synthesize(
    design: Design,
    *,
    engine: EngineName = "auto",
    cache: Path = CACHE,
    jobs: int = 2,
    progress: bool | None = None,
    config_digest: str = "",
) -> SynthesisReport:
    """Map a design to 45 nm cells and memory macros, and report its area and critical path.

    Every distinct module is mapped once with its children as black boxes, then nets that go to
    many children get buffer trees; the area of the design is the sum over all instances. A module
    of kind ``ram`` is a macro where it is big enough
    (:func:`~kakure.hdl.synthesis.memory_macro.is_macro`), and flip-flops like any other module
    where not.

    Parameters
    ----------
    design, engine, cache, jobs, progress
        As for :func:`map_modules`.
    config_digest : str
        Kept in the report.

    Raises
    ------
    UserError
        If a tool or the cell library is missing, or Yosys refuses a module.
    """
    cells = library()
    mapped = map_modules(design, engine=engine, cache=cache, jobs=jobs, progress=progress)
    netlists = buffered(design, {name: m.netlist for name, m in mapped.items()}, cells)
    macros = macros_of(design)
    counts = Counter(module.name for _, module in design.instances())
    modules = tuple(
        _macro_report(module, counts[name], macros[name])
        if name in macros
        else _module_report(module, counts[name], mapped[name].candidate, netlists[name], cells)
        for name, module in design.modules.items()
    )
    path = critical_path(
        design,
        netlists,
        {name: macro.access_ns for name, macro in macros.items()},
        cells,
    )

    def total(field: str) -> float:
        return round(sum(m.instances * getattr(m, field) for m in modules), 3)

    used, memories = find_engine(engine), source_of(macros.values())
    return SynthesisReport(
        config_digest=config_digest,
        top=design.top,
        tools=Tools(
            used.name, used.version, cells.package, cells.sha256, memories, sources(__name__)
        ),
        script=SCRIPT,
        totals=Totals(
            area_um2=total("area_um2"),
            sequential_um2=total("sequential_um2"),
            combinational_um2=total("combinational_um2"),
            memory_um2=total("memory_um2"),
            gate_equivalents=total("gate_equivalents"),
            leakage_uw=total("leakage_uw"),
            cells=int(total("cells")),
            flops=int(total("flops")),
        ),
        critical_path=path,
        fmax_mhz=round(path.fmax_mhz, 2),
        modules=modules,
        instances=tuple(
            _instance_reports(design, {m.name: m.area_um2 for m in modules}, design.top, design.top)
        ),
    )
