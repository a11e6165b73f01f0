"""The usual flat Yosys flow, to compare with: ``synth; dfflibmap; abc; stat``."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from kakure.hdl.emission.design import Design
from kakure.model.files.work_folder import fresh_folder

from .black_box import black_box
from .flow import CACHE, macros_of
from .liberty import library
from .netlist import Netlist
from .yosys import Engine, EngineName, find_engine

__all__ = ["PlainResult", "plain_flow"]


@dataclass(frozen=True)
class PlainResult:
    """What the flat flow made of a design.

    Attributes
    ----------
    area_um2 : float
        Cells and memory macros.
    cells : int
        Standard cells.
    seconds, cpu_seconds : float
        Wall-clock time, and processor time, of the Yosys run.
    netlist : Netlist
        The flat netlist; macros are its only children.
    """

    area_um2: float
    cells: int
    seconds: float
    cpu_seconds: float
    netlist: Netlist


def plain_flow(design: Design, *, engine: EngineName = "auto", cache: Path = CACHE) -> PlainResult:
    """Synthesize a whole design flat, the way the manuals do it, without any cache.

    Memory macros are left out and counted by the same formula as in
    :func:`~kakure.hdl.synthesis.flow.synthesize`, so that the areas compare.
    """
    cells, macros = library(), macros_of(design)
    with fresh_folder(cache, "work.") as folder:
        netlist, seconds, cpu_seconds = _run(design, set(macros), find_engine(engine), folder)
    used = (macros[module.name] for _, module in design.instances() if module.name in macros)
    return PlainResult(
        area_um2=round(netlist.area(cells) + sum(macro.area_um2 for macro in used), 3),
        cells=sum(netlist.cells(cells).values()),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        netlist=netlist,
    )


def _run(
    design: Design, macros: set[str], yosys: Engine, folder: Path
) -> tuple[Netlist, float, float]:
    """The netlist, and seconds of the wall clock and the processor."""
    texts = (
        black_box(module.verilog) if name in macros else module.verilog
        for name, module in design.modules.items()
    )
    (folder / "design.v").write_text("\n".join(texts), encoding="utf-8")
    (folder / "cells.lib").write_bytes(library().path.read_bytes())
    liberty, source, mapped = (
        yosys.path(name) for name in ("cells.lib", "design.v", "mapped.json")
    )
    script = (
        f"read_verilog -sv -noassert -noassume -nodisplay {source}",
        f"synth -flatten -top {design.top}",
        "setattr -unset init w:*",
        f"dfflibmap -liberty {liberty}",
        f"abc -liberty {liberty}",
        "opt_clean -purge",
        f"stat -liberty {liberty}",
        f"read_liberty -lib -ignore_miss_func {liberty}",
        f"select -module {design.top}",
        f"write_json -selected {mapped}",
    )
    (folder / "script.ys").write_text("\n".join(script) + "\n", encoding="utf-8")
    yosys.prepare()
    before, start = os.times(), time.perf_counter()
    yosys.run("script.ys", folder)
    seconds = time.perf_counter() - start
    after = os.times()
    netlist = Netlist.read((folder / "mapped.json").read_text(encoding="utf-8"), design.top)
    cpu_seconds = after.children_user - before.children_user
    cpu_seconds += after.children_system - before.children_system
    return netlist, seconds, cpu_seconds
