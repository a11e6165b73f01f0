"""One page about a generated accelerator: its layers, their hardware, area and cycles."""

from collections.abc import Sequence
from pathlib import Path

from kakure.hdl.accelerators.table import architecture_of
from kakure.hdl.emission.artifacts import top_name
from kakure.hdl.synthesis.report import SynthesisReport

from .plan import plan
from .project import Project

__all__ = ["summary"]


def table(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Align columns, the first ``left`` of them to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if n < left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def number(value: float) -> str:
    """``12 345``: thousands apart."""
    return f"{value:,.0f}".replace(",", " ")


def summary(project: Project, folder: Path, report: SynthesisReport | None) -> str:
    """Describe what lies in ``folder``, with the areas of ``report`` where there is one."""
    config = project.config
    architecture = architecture_of(config)
    core = f"{top_name(config)}.core"
    parts = {
        part: report.area_of(f"{core}.{part.path}") if report else None
        for part in architecture.parts
    }
    rows = [["layer", "engine", "map out", "tiles", "cells", "mask bits", "cycles", "area um2"]]
    for index, layer in enumerate(plan(config, project.parameters)):
        area = sum(area or 0.0 for part, area in parts.items() if part.layer == index)
        rows.append([
            str(index),
            layer.engine,
            layer.writes,
            number(layer.tiles),
            number(layer.cells),
            number(layer.mask_bits),
            number(layer.engine_cycles),
            number(area) if area else "-",
        ])
    for part, area in parts.items():
        if part.layer is None:
            rows.append(["", part.label, *[""] * 5, number(area) if area else "-"])
    if report:
        rest = report.totals.area_um2 - sum(area or 0.0 for area in parts.values())
        rows.append(["", "streams, registers, counters", *[""] * 5, number(rest)])
    total = number(report.totals.area_um2) if report else "-"
    rows.append(["", "whole", "", "", "", "", "", total])
    timing = architecture.timing(3)
    lines = [
        f"{config.name}  {config.digest}",
        "",
        *table(rows, 3),
        "",
    ]
    interval = number(timing.interval)
    lines.append(f"cycles      {number(timing.latency)} for one image, then one every {interval}")
    if report:
        path = report.critical_path
        lines.append(
            f"clock       {report.fmax_mhz:.0f} MHz estimated, no placement "
            f"(critical path {path.delay_ns:.2f} ns)"
        )
        lines.append(f"tools       {report.tools.yosys}, {report.tools.library}")
    if not project.is_trained:
        lines.append("parameters  random, for no parameters are named: the network is untrained")
    lines.append(f"folder      {folder}")
    return "\n".join(lines) + "\n"
