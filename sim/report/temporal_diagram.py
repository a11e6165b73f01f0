"""Block diagram of a generated temporal accelerator."""

from kakure.hdl.accelerators.temporal.architecture import Temporal
from kakure.hdl.accelerators.temporal.program import LayerOperation
from kakure.hdl.emission.design import Design
from kakure.hdl.synthesis.report import SynthesisReport
from kakure.model.config.config import Config

from .diagram import area_lines, areas_of
from .svg import arrow, box, document, grouped, label

__all__ = ["temporal_diagram"]

WIDTH, LEFT = 990, 20
BLOCK = 74


def _table(config: Config, y: float) -> list[str]:
    """The operations, a line each, below the blocks."""
    parts = [label(LEFT, y, "operations, one after the other", "strong", "start")]
    for number, operation in enumerate(Temporal(config).program.operations):
        source, target = operation.source, operation.target
        to = "logits" if target is None else f"memory {target.memory}"
        if isinstance(operation, LayerOperation):
            g = operation.geometry
            form = f"{g.kernel_height}×{g.kernel_width}, stride {g.stride}, pool {g.pool}"
            text = f"layer {g.index}: {form}, {g.in_channels} to {g.outputs} channels"
            text += f", {operation.blocks} blocks"
        else:
            text = f"sums of {source.height}×{source.width} positions"
        line = f"{text}; memory {source.memory} to {to}"
        parts.append(label(LEFT, y + 20 * (number + 1), line, "quiet", "start"))
    return parts


def temporal_diagram(config: Config, design: Design, report: SynthesisReport | None = None) -> str:
    """Draw the accelerator as SVG: words in, weights, windows, array, and the two memories.

    The same design and report give the same bytes.
    """
    areas = areas_of(report)
    architecture = Temporal(config)
    array, sizes = architecture.array, architecture.sizes
    core = f"{design.top}.core"
    height, width, channels = config.shape
    head = f"{height}×{width}×{channels} images to {config.geometry[-1].outputs} classes"
    if report:
        head += f", {grouped(report.totals.area_um2)} µm² in all"

    def block(x: float, y: float, wide: float, kind: str, path: str, *lines: str) -> str:
        return box(x, y, wide, BLOCK, kind, [*lines, *area_lines(areas, path)])

    words = sizes.rows * array.slots
    memory = f"{grouped(words)} words of {array.word} × 4 bit"
    inner = f"{core}.processor"
    kept, made = "masks", "signs by xorshift32"
    if sizes.planes:
        kept, made = f"{sizes.planes} planes", "plane after plane"
    bits = sizes.mask_words * array.many * array.outputs
    top, middle, low = 66.0, 196.0, 326.0
    parts = [
        label(LEFT, 34, config.name, "title", "start"),
        label(WIDTH - LEFT, 34, f"{head}, configuration {config.digest[:16]}", "quiet", "end"),
        label(LEFT + 92, top - 8, "s_axis, 32 bit", "strong", "start"),
        arrow((LEFT + 84, top - 22), (LEFT + 84, top)),
        block(LEFT, top, 168, "bus", f"{core}.front", "stream register"),
        arrow((LEFT + 168, top + 37), (250, top + 37)),
        block(250, top, 168, "bus", f"{core}.gate", "frame gate"),
        arrow((418, top + 37), (480, top + 37)),
        label(449, top + 30, "images", "quiet"),
        block(480, top, 168, "bus", f"{core}.writer", "image writer"),
        block(700, top, 124, "bus", f"{design.top}.registers", "registers", "s_axi, AXI4-Lite"),
        block(846, top, 124, "bus", f"{design.top}.counters", "counters"),
        arrow((LEFT + 84, top + BLOCK), (LEFT + 84, middle)),
        label(LEFT + 92, middle - 14, "network", "quiet", "start"),
        block(LEFT, middle, 168, "bus", f"{core}.reader", "program reader",
              f"{sizes.operations} operations"),
        arrow((LEFT + 168, middle + 37), (250, middle + 37)),
        block(250, middle, 168, "weights", f"{inner}.masks", kept, f"{grouped(bits)} bit"),
        arrow((418, middle + 37), (480, middle + 37)),
        block(480, middle, 168, "weights", f"{inner}.maker", "block maker", made,
              f"{array.many} rows a cycle"),
        arrow((564, top + BLOCK), (564, top + BLOCK + 16), (LEFT + 200, top + BLOCK + 16),
              (LEFT + 200, low - 20), (LEFT + 84, low - 20), (LEFT + 84, low)),
        block(LEFT, low, 168, "stage", f"{inner}.memories", "two memories", memory,
              f"{array.slots} banks each"),
        arrow((LEFT + 168, low + 37), (250, low + 37)),
        block(250, low, 168, "window", f"{inner}.reader", "window reader",
              f"{array.slots} words a cycle"),
        arrow((418, low + 37), (480, low + 37)),
        block(480, low, 168, "engine", f"{inner}.array", "array",
              f"{array.inputs} × {array.outputs} × {array.pixels}",
              f"{array.batches} sums an element"),
        arrow((564, middle + BLOCK), (564, low)),
        label(572, low - 14, "weights, by block", "quiet", "start")
        if sizes.planes
        else label(572, low - 14, "weights, made anew", "quiet", "start"),
        arrow((648, low + 37), (700, low + 37)),
        block(700, low, 168, "requantizer", f"{inner}.finisher", "finisher",
              "pool, requantizer, shortcut"),
        arrow((784, low + BLOCK), (784, low + BLOCK + 22), (LEFT + 84, low + BLOCK + 22),
              (LEFT + 84, low + BLOCK)),
        label(434, low + BLOCK + 16, "maps", "quiet"),
        arrow((770, low), (770, middle + BLOCK)),
        block(700, middle, 140, "bus", f"{core}.sender", "logit sender"),
        arrow((840, middle + 37), (950, middle + 37)),
        label(950, middle + 30, "m_axis, 32 bit", "strong", "end"),
    ]  # fmt: skip
    y = low + BLOCK + 56
    parts += _table(config, y)
    bottom = y + 20 * (len(architecture.program.operations) + 1)
    return document(WIDTH, bottom, parts, f"Accelerator {config.name}, its blocks and streams")
