"""Cells of crossbar tiles as registers and as memories: area, period, energy of one accelerator.

All is measured in one run: areas and periods by synthesis, energy with real images on the mapped
netlist, whose logits and cycles are held against the reference. What the cost model says stands
beside it.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import design_of
from kakure.hdl.engines.crossbar.engine_shape import has_memory
from kakure.hdl.synthesis.flow import synthesize
from kakure.model.commands.command import positive
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import Cells, CrossbarLayer
from kakure.model.errors import UserError
from kakure.search.cost.digital.energy import measure_project, open_trained, trained_images
from kakure.search.cost.digital.energy_measured import EnergyPoint
from kakure.search.cost.digital.model import DigitalModel
from kakure.search.cost.metrics import Metrics
from kakure.sim.generation.project import Project

from .page import check_page, write_page

__all__ = ["Variant", "measure", "options", "run", "table"]

OPENRAM = 3.9
"""Area of OpenRAM's FreePDK45 memories in that of CACTI's: 14,870 µm² instead of 3,821 for 256
words of 32 bits (docs/synthesis.md)."""


@dataclass(frozen=True)
class Variant:
    """An accelerator with one kind of cells.

    Attributes
    ----------
    cells : str
    area_um2, memory_um2 : float
        All, and macros, by CACTI.
    period_ns : float
        Of the critical path, at which energy is told.
    loading : int
        Cycles of the supermask.
    point : EnergyPoint
    predicted : Metrics
        By the digital model.
    """

    cells: str
    area_um2: float
    memory_um2: float
    period_ns: float
    loading: int
    point: EnergyPoint
    predicted: Metrics

    @property
    def openram_um2(self) -> float:
        """Area with memories as large as OpenRAM's."""
        return self.area_um2 + (OPENRAM - 1) * self.memory_um2


def measure(project: Project, config: Config, images: NDArray[np.uint8]) -> Variant:
    """Synthesize a configuration, and send images through it."""
    report = synthesize(design_of(config, str(project.path)), progress=False)
    return Variant(
        cells=config.crossbar.cells,
        area_um2=report.totals.area_um2,
        memory_um2=report.totals.memory_um2,
        period_ns=report.critical_path.delay_ns,
        loading=architecture_of(config).loading_cycles(project.parameters),
        point=measure_project(config, project, images),
        predicted=DigitalModel().metrics(config, extrapolate=True),
    )


def table(variants: list[Variant]) -> str:
    """All variants in Markdown."""
    names = (
        "cells", "µm²", "of these macros", "with OpenRAM's macros", "model's µm²", "ns",
        "nJ an image", "model's nJ", "cycles to load",
    )  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for one in variants:
        energy = one.point.energy_pj(one.period_ns) / 1000
        values: list[Any] = [
            one.cells, f"{one.area_um2:,.0f}", f"{one.memory_um2:,.0f}", f"{one.openram_um2:,.0f}",
            f"{one.predicted.area_um2:,.0f}", f"{one.period_ns:.2f}", f"{energy:.1f}",
            f"{one.predicted.energy_pj / 1000:.1f}", f"{one.loading:,}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(values)} |")
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="trained, with a layer on crossbars (.json)")
    add("--images", type=positive, default=256, metavar="N", help="of the test set (%(default)s)")
    add("--page", type=Path, metavar="FILE", help="whose table is written anew")


def run(args: argparse.Namespace) -> None:
    """Print a line for each kind of cells."""
    project = open_trained(args.config)
    kinds = {
        cells: project.config.changed(crossbar=project.config.crossbar.changed(cells=cells))
        for cells in get_args(Cells)
    }
    crossbars = [
        n for n, layer in enumerate(project.config.layers) if isinstance(layer, CrossbarLayer)
    ]
    if not any(has_memory(kinds["memory"], index) for index in crossbars):
        raise UserError(
            "must have a layer on crossbars whose cells are words enough for a memory",
            where=("layers",),
            file=args.config,
        )
    mark = f"cells {project.config.name}"
    if args.page is not None:
        check_page(args.page, mark)
    images = trained_images(project, args.images)
    found = [
        measure(project, config, images)
        for config in tqdm(kinds.values(), desc="cells", unit="accelerator")
    ]
    text = table(found)
    print(text)
    if args.page is not None:
        write_page(args.page, mark, text)
