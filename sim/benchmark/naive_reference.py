"""The integer network as plain loops over numbers: what the reference is compared with."""

from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.stages import quantize_image

__all__ = ["naive_network"]


def naive_network(config: Config, parameters: Parameters, image) -> list[int]:
    """Logits of one 8-bit image (height, width, channels), one weight at a time."""
    x = quantize_image(image, config.layers[0].input_bits).tolist()
    for geometry, trained in zip(config.geometry, parameters.layers, strict=True):
        layer = config.layers[geometry.index]
        weights = trained.weights(config, geometry).tolist()
        pooled: dict[tuple[int, int, int], int] = {}
        for y in range(geometry.pooled_height * geometry.pool):
            for x_out in range(geometry.pooled_width * geometry.pool):
                window = _window(geometry, x, y, x_out)
                for c in range(geometry.outputs):
                    column = [row[c] for row in weights]
                    acc = layer.plain_sum(geometry.groups, window, column)
                    place = (y // geometry.pool, x_out // geometry.pool, c)
                    pooled[place] = max(acc, pooled.get(place, acc))
        x = [
            [
                [_scale(geometry, trained, pooled[y, x_out, c], c) for c in range(geometry.outputs)]
                for x_out in range(geometry.pooled_width)
            ]
            for y in range(geometry.pooled_height)
        ]
    return x[0][0]


def _window(geometry, x, y, x_out) -> list[int]:
    """Unrolled window at one position, rows (channel, ky, kx)."""
    values = []
    for channel in range(geometry.in_channels):
        for ky in range(geometry.kernel_height):
            for kx in range(geometry.kernel_width):
                row, column = y + ky - geometry.padding, x_out + kx - geometry.padding
                inside = 0 <= row < geometry.in_height and 0 <= column < geometry.in_width
                values.append(x[row][column][channel] if inside else 0)
    return values


def _scale(geometry, trained, acc: int, channel: int) -> int:
    """Requantize one accumulator."""
    y = acc * int(trained.multiplier[channel]) + int(trained.offset[channel])
    if geometry.output_bits is None:
        return y
    return min(max(y >> int(trained.shift[channel]), 0), (1 << geometry.output_bits) - 1)
