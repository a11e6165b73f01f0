"""Block diagram of an accelerator of any kind: what lies in its core, without an order."""

from collections.abc import Iterable

from kakure.hdl.emission.design import Design
from kakure.hdl.synthesis.report import SynthesisReport
from kakure.model.config.config import Config

from .diagram import area_lines, areas_of, block_lines
from .svg import box, document, label

__all__ = ["plain_diagram"]

WIDTH, LEFT, TOP = 990, 20, 66
BLOCK, BLOCK_WIDTH, GAP = 74, 220, 23
ROW = 4
"""Blocks beside each other."""


def plain_diagram(config: Config, design: Design, report: SynthesisReport | None = None) -> str:
    """Draw the blocks beside the core and in it as SVG, with their areas where they are known.

    It is for kinds of accelerators that have no picture of their own. The same design and report
    give the same bytes.
    """
    areas = areas_of(report)
    modules = dict(design.instances())
    inner = f"{design.top}.core"
    while len(blocks := _children(modules, inner)) == 1:
        [inner] = blocks  # a wrapper tells nothing
    paths = [path for path in _children(modules, design.top) if path != f"{design.top}.core"]
    paths += blocks or [inner]
    head = f"{config.accelerator.description}, configuration {config.digest[:16]}"
    parts = [
        label(LEFT, 34, config.name, "title", "start"),
        label(WIDTH - LEFT, 34, head, "quiet", "end"),
    ]
    for number, path in enumerate(paths):
        x = LEFT + number % ROW * (BLOCK_WIDTH + GAP)
        y = TOP + number // ROW * (BLOCK + GAP)
        name = path.removeprefix(f"{design.top}.")
        lines = [name, *block_lines(modules[path], modules, path)[:2], *area_lines(areas, path)]
        look = "engine" if name.startswith("core") else "bus"
        parts.append(box(x, y, BLOCK_WIDTH, BLOCK, look, lines))
    bottom = TOP + -(-len(paths) // ROW) * (BLOCK + GAP)
    return document(WIDTH, bottom, parts, f"Accelerator {config.name}, its blocks")


def _children(modules: Iterable[str], path: str) -> list[str]:
    """Instances right below one."""
    return [name for name in modules if name.rpartition(".")[0] == path]
