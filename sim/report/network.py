"""Picture of a network: its maps, and what is between them."""

import math

from kakure.model.config.config import Config

from .svg import arrow, document, label

__all__ = ["network_picture"]

CELL, ROW = 158, 168
"""Room for a map and the layer behind it."""
IN_A_ROW = 5


def network_picture(config: Config) -> str:
    """Draw every map as a stack of squares, larger and deeper as it is, and every layer between."""
    maps = [config.shape]
    maps += [(g.pooled_height, g.pooled_width, g.outputs) for g in config.geometry]
    drawn = []
    for n, (height, width, channels) in enumerate(maps):
        row, column = divmod(n, IN_A_ROW)
        x, middle = 20.0 + CELL * column, ROW * row + 66.0
        drawn += _stack(x, middle, height, width, channels)
        name = "image" if n == 0 else "logits" if n == len(maps) - 1 else "map"
        drawn.append(label(x + 38, ROW * row + 126, f"{height}×{width}×{channels}", "strong"))
        drawn.append(label(x + 38, ROW * row + 142, name, "quiet"))
        if n < len(config.layers):
            end = x + 148
            for line, text in enumerate(_between(config, n)):
                drawn.append(label(x + 115, middle - 12 - 14 * line, text, "quiet"))
            drawn.append(arrow((x + 84, middle), (end, middle)))
            drawn.append(label(x + 115, middle + 18, f"layer {n}", "quiet"))
    rows = -(-len(maps) // IN_A_ROW)
    columns = min(len(maps), IN_A_ROW)
    return document(CELL * columns + 24, ROW * rows, drawn, f"The network of {config.name}")


def _stack(x: float, middle: float, height: int, width: int, channels: int) -> list[str]:
    """A map, its squares one behind the other."""
    sheets = 1 + min(5, math.ceil(math.log2(channels)))
    tall, wide = (14 + 7 * math.log2(side) for side in (height, width))
    tall, wide = min(tall, 56.0), min(wide, 56.0)
    left = x + 38 - (wide + 4 * (sheets - 1)) / 2
    top = middle - (tall + 4 * (sheets - 1)) / 2
    return [
        f'<rect class="k-engine" x="{left + 4 * n:.1f}" y="{top + 4 * n:.1f}" width="{wide:.1f}" '
        f'height="{tall:.1f}" rx="2"/>'
        for n in range(sheets)
    ]


def _between(config: Config, index: int) -> list[str]:
    """What a layer does, from the lowest line up."""
    layer, g = config.layers[index], config.geometry[index]
    lines = [f"{layer.read_bits} bit in"]
    if g.summed is not None:
        lines.append(f"sums of {g.input_bits} bit")
    if g.stride > 1:
        lines.append(f"stride {g.stride}")
    if g.pool > 1:
        lines.append(f"pool {g.pool}×{g.pool}")
    if g.residual:
        lines.append("+ shortcut")
    form = f" {g.kernel_height}×{g.kernel_width}" if layer.kind == "conv" else ""
    return [*lines, f"{layer.kind}{form}"]
