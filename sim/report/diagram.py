"""Block diagram of a generated accelerator, drawn from its instance tree."""

from collections.abc import Mapping

from kakure.hdl.emission.design import Design, ModuleSource
from kakure.hdl.synthesis.report import SynthesisReport
from kakure.model.config.config import Config

from .svg import arrow, box, document, grouped, label

__all__ = ["area_lines", "areas_of", "block_lines", "diagram"]

WIDTH = 990
LEFT, COLUMN = 20, 168
"""Of the weight generator, beside all layers."""
FRAME, FRAME_WIDTH = 226, 744
"""Of a layer; its blocks lie 14 inside."""
BLOCK, GAP = 74, 24
"""Height of a block, and room for an arrow."""
WIDTHS = {"window": 150, "requantizer": 140}
STAGE = 116
"""Width of whatever stands between engine and requantizer."""
INLET = 34
"""Where pixels come into a frame, left of its title."""
BYPASS = 50
"""Height of a shortcut, under the engine."""


def areas_of(report: SynthesisReport | None) -> dict[str, float]:
    """Area of every instance with all that is below it [µm²]; empty without a synthesis."""
    return {item.path: item.total_um2 for item in report.instances} if report else {}


def diagram(config: Config, design: Design, report: SynthesisReport | None = None) -> str:
    """Draw the accelerator as SVG: streams, registers, weight generator and the layers' blocks.

    The same design and report give the same bytes. Areas stand in the blocks where there is a
    ``report``.
    """
    modules = dict(design.instances())
    areas = areas_of(report)
    core = f"{design.top}.core"
    layers = sorted(
        (path for path in modules if path.startswith(f"{core}.layer_") and path.count(".") == 2),
        key=lambda path: int(path.rpartition("_")[2]),
    )
    top, first = 66, 196
    parts = [
        label(LEFT, 34, config.name, "title", "start"),
        label(WIDTH - LEFT, 34, _totals(config, report), "quiet", "end"),
    ]
    parts += _ports(modules, areas, design.top, top)
    y, entry = float(first), (FRAME + 284 + 75.0, top + BLOCK)
    for index, path in enumerate(layers):
        height = _frame_height(modules[path])
        parts += _layer(config, index, path, modules, areas, y)
        inlet = FRAME + INLET
        middle = y - 20
        parts.append(arrow(entry, (entry[0], middle), (inlet, middle), (inlet, y + 30)))
        g = config.geometry[index]
        bits = config.layers[index].read_bits
        stream = f"{g.read_height}×{g.read_width} pixels of {g.in_channels} × {bits} bit"
        parts.append(label((entry[0] + inlet) / 2, middle - 6, stream, "quiet"))
        parts.append(arrow((LEFT + COLUMN, y + height / 2), (FRAME, y + height / 2)))
        entry = (FRAME + FRAME_WIDTH - 14 - WIDTHS["requantizer"] / 2, y + 30 + BLOCK)
        y += height + 44
    last = y - 44
    generator = block_lines(modules[f"{core}.generator"], modules, f"{core}.generator")
    parts.append(
        box(
            LEFT, first, COLUMN, last - first, "weights",
            [*generator, *area_lines(areas, f"{core}.generator")],
        )
    )  # fmt: skip
    parts.append(arrow((LEFT + COLUMN / 2, top + BLOCK), (LEFT + COLUMN / 2, first)))
    has_planes = modules[f"{core}.generator"].kind == "plane_loader"
    loaded = "planes" if has_planes else "supermask"
    parts.append(label(LEFT + COLUMN / 2 + 8, first - 14, loaded, "quiet", "start"))
    sender = f"{core}.sender"
    x = entry[0] - 75
    lines = [*block_lines(modules[sender], modules, sender), *area_lines(areas, sender)]
    parts.append(arrow(entry, (entry[0], last + 30)))
    parts.append(box(x, last + 30, 150, BLOCK - 12, "bus", lines))
    parts.append(arrow((x, last + 61), (x - 70, last + 61)))
    parts.append(label(x - 78, last + 59, "m_axis, 32 bit", "strong", "end"))
    parts.append(label(x - 78, last + 75, "logits or class", "quiet", "end"))
    return document(WIDTH, last + 112, parts, f"Accelerator {config.name}, its blocks and streams")


def _totals(config: Config, report: SynthesisReport | None) -> str:
    height, width, channels = config.shape
    text = f"{height}×{width}×{channels} images to {config.geometry[-1].outputs} classes"
    area = f", {grouped(report.totals.area_um2)} µm² in all" if report else ""
    return f"{text}{area}, configuration {config.digest[:16]}"


def area_lines(areas: Mapping[str, float], path: str) -> list[str]:
    """A line with the area of an instance, where it is known."""
    return [f"{grouped(areas[path])} µm²"] if path in areas else []


def _ports(
    modules: Mapping[str, ModuleSource], areas: Mapping[str, float], top: str, y: float
) -> list[str]:
    """What words pass before the layers, and the registers."""
    core = f"{top}.core"

    def block(x: float, width: float, path: str, kind: str = "bus") -> str:
        lines = [*block_lines(modules[path], modules, path), *area_lines(areas, path)]
        return box(x, y, width, BLOCK, kind, lines)

    middle = y + BLOCK / 2
    gate, unpacker = FRAME + 44, FRAME + 284
    return [
        label(LEFT + COLUMN / 2 + 8, y - 8, "s_axis, 32 bit", "strong", "start"),
        arrow((LEFT + COLUMN / 2, y - 22), (LEFT + COLUMN / 2, y)),
        block(LEFT, COLUMN, f"{core}.front"),
        arrow((LEFT + COLUMN, middle), (gate, middle)),
        label((LEFT + COLUMN + gate) / 2 - 2, middle - 6, "images", "quiet"),
        block(gate, 190, f"{core}.gate"),
        arrow((gate + 190, middle), (unpacker, middle)),
        block(unpacker, 150, f"{core}.unpacker"),
        block(FRAME + FRAME_WIDTH - 264, 124, f"{top}.registers"),
        block(FRAME + FRAME_WIDTH - 124, 124, f"{top}.counters"),
        arrow((FRAME + FRAME_WIDTH - 202, y - 22), (FRAME + FRAME_WIDTH - 202, y)),
        label(FRAME + FRAME_WIDTH - 194, y - 8, "s_axi, AXI4-Lite", "strong", "start"),
        arrow(
            (FRAME + FRAME_WIDTH - 124, middle), (FRAME + FRAME_WIDTH - 140, middle)
        ),
    ]  # fmt: skip


def _frame_height(layer: ModuleSource) -> float:
    return 44 + BLOCK + (BYPASS + 12 if "shortcut" in layer.instances else 0)


def _layer(
    config: Config,
    index: int,
    path: str,
    modules: Mapping[str, ModuleSource],
    areas: Mapping[str, float],
    y: float,
) -> list[str]:
    """One layer: its frame, its blocks from left to right, its shortcut below them."""
    g, layer = config.geometry[index], config.layers[index]
    height = _frame_height(modules[path])
    form = f"{g.kernel_height}×{g.kernel_width}" if layer.kind == "conv" else "whole map"
    if g.stride > 1:
        form += f", stride {g.stride}"
    if g.summed is not None:
        form = "sums of the map"
    head = f"layer {index}: {layer.kind}, {form}, to {g.pooled_height}×{g.pooled_width}×{g.outputs}"
    parts = [
        box(FRAME, y, FRAME_WIDTH, height, "frame"),
        label(FRAME + INLET + 12, y + 20, head, "strong", "start"),
        *(
            label(FRAME + FRAME_WIDTH - 14, y + 20, area, "strong", "end")
            for area in area_lines(areas, path)
        ),
    ]
    front = [name for name in ("sum_pool", "window") if name in modules[path].instances]
    named = (*front, "requantizer", "shortcut")
    names = [name for name in modules[path].instances if name not in named]
    names.sort(key=lambda name: name != "engine")
    row = [*front, *names, "requantizer"]
    widths = {name: WIDTHS.get(name, STAGE) for name in row}
    rest = sum(width for name, width in widths.items() if name != "engine")
    widths["engine"] = FRAME_WIDTH - 28 - GAP * (len(row) - 1) - rest
    x, level = FRAME + 14.0, y + 30
    starts = {}
    for name in row:
        lines = block_lines(modules[f"{path}.{name}"], modules, f"{path}.{name}")
        lines += area_lines(areas, f"{path}.{name}")
        kind = name if name in ("window", "engine", "requantizer") else "stage"
        parts.append(box(x, level, widths[name], BLOCK, kind, lines))
        if name != "requantizer":
            right = x + widths[name]
            parts.append(arrow((right, level + BLOCK / 2), (right + GAP, level + BLOCK / 2)))
        starts[name] = x
        x += widths[name] + GAP
    if "shortcut" in modules[path].instances:
        where = f"{path}.shortcut"
        lines = [*block_lines(modules[where], modules, where), *area_lines(areas, where)]
        low = level + BLOCK + 12
        left, right = starts["engine"], starts["requantizer"]
        parts.append(box(left, low, widths["engine"], BYPASS, "stage", lines))
        begin, end = starts["window"] + 75, right + 30
        middle = low + BYPASS / 2
        parts.append(arrow((begin, level + BLOCK), (begin, middle), (left, middle)))
        parts.append(arrow((left + widths["engine"], middle), (end, middle), (end, level + BLOCK)))
    return parts


def block_lines(module: ModuleSource, modules: Mapping[str, ModuleSource], path: str) -> list[str]:
    """Name and sizes of a block, a line each; a kind that is not known here is named alone."""
    p = module.parameters
    below = [other for name, other in modules.items() if name.startswith(f"{path}.")]
    if module.kind == "crossbar_engine":
        tiles = [other for other in below if other.kind in ("crossbar_tile", "memory_tile")]
        grids = sum(other.kind == "crossbar_grid" for other in below)
        t = tiles[0].parameters
        rows = max(int(other.parameters["rows"]) for other in tiles)
        copies = f" in {grids} copies" if grids > 1 else ""
        return [
            f"crossbar, {t['adc_type']} {t['adc_bits']} bit",
            f"{_count(len(tiles), 'tile')} of {rows}×{t['columns']}{copies}",
            f"{_count(int(t['sharing']), 'column')} a readout"
            + (", in memory" if tiles[0].kind == "memory_tile" else ""),
        ]
    if module.kind == "pe_engine":
        a = next(other for other in below if other.kind == "pe_array").parameters
        return [
            "PE array, bit-serial",
            f"{a['inputs']} × {a['outputs']} × {a['pixels']}",
            "inputs × outputs × pixels",
        ]
    if module.kind == "plane_engine":
        a = next(other for other in below if other.kind == "pe_array").parameters
        return [
            f"PE array, {p['planes']} planes",
            f"{a['inputs']} × {a['outputs']} × {a['pixels']}",
            "inputs × outputs × pixels",
        ]
    lines = {
        "stream_register": lambda: ["stream register", f"{p['width']} bit"],
        "frame_gate": lambda: ["frame gate", f"{_count(int(p['image_words']), 'word')} an image"],
        "pixel_unpacker": lambda: ["pixel unpacker", f"{p['channels']} × {p['bits']} bit"],
        "weight_generator": lambda: ["weight generator", str(p["generator"]), f"seed {p['seed']}"],
        "plane_loader": lambda: ["plane loader", _planes(modules, path)],
        "image_keeper": lambda: ["image keeper", f"{p['image_words']} words"],
        "register_bank": lambda: ["registers", "32 bit"],
        "sliding_window": lambda: [
            "sliding window",
            f"{p['kernel_height']}×{p['kernel_width']} of {p['channels']} × {p['bits']} bit",
        ],
        "strided_window": lambda: [
            "sliding window",
            f"{p['kernel_height']}×{p['kernel_width']} of {p['channels']} × {p['bits']} bit",
            f"stride {p['stride']}",
        ],
        "sum_pool": lambda: [
            "sum pool",
            _count(int(p["positions"]), "position"),
            f"to {p['output_bits']} bit",
        ],
        "max_pool": lambda: ["max pool", f"{p['size']}×{p['size']}"],
        "shortcut": lambda: ["shortcut", f"{p['channels']} × {p['bits']} bit, {p['depth']} deep"],
        "requantizer": lambda: [
            "requantizer",
            f"{_count(int(p['lanes']), 'lane')}, {p['channels']} channels",
            "to logits" if p["output_bits"] == "all" else f"to {p['output_bits']} bit",
        ],
        "result_sender": lambda: ["result sender", f"{p['classes']} classes"],
    }
    return lines.get(module.kind, lambda: [module.kind.replace("_", " ")])()


def _count(number: int, what: str) -> str:
    return f"{grouped(number)} {what}{'' if number == 1 else 's'}"


def _planes(modules: Mapping[str, ModuleSource], loader: str) -> str:
    """How many planes a core can use, which what chooses them beside the loader knows."""
    choice = modules[f"{loader.rpartition('.')[0]}.choice"]
    return _count(int(choice.parameters["planes"]), "plane")
