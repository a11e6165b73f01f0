"""The integer network as plain loops over numbers: what the reference is compared with."""

from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.stages import quantize_image

__all__ = ["naive_network"]


def naive_network(config: Config, parameters: Parameters, image) -> list[int]:
    """Logits of one 8-bit image (height, width, channels), one weight at a time."""
    maps = [quantize_image(image, config.image_bits).tolist()]
    for geometry, trained in zip(config.geometry, parameters.layers, strict=True):
        layer = config.layers[geometry.index]
        x = maps[geometry.reads]
        if geometry.summed is not None:
            x = _sums(x, geometry.summed.shift, (1 << geometry.input_bits) - 1)
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
        added = None if geometry.adds is None else maps[geometry.adds]
        rows = []
        for y in range(geometry.pooled_height):
            rows.append([])
            for x_out in range(geometry.pooled_width):
                more = [0] * geometry.outputs if added is None else added[y][x_out]
                sums = [pooled[y, x_out, c] for c in range(geometry.outputs)]
                rows[-1].append([
                    _scale(geometry, trained, acc, c, more[c]) for c, acc in enumerate(sums)
                ])
        maps.append(rows)
    return maps[-1][0][0]


def _sums(x, shift: int, most: int) -> list[list[list[int]]]:
    """A map summed over its positions, as a map of one pixel."""
    columns = zip(*(pixel for row in x for pixel in row), strict=True)
    return [[[min(sum(column) >> shift, most) for column in columns]]]


def _window(geometry, x, y, x_out) -> list[int]:
    """Unrolled window at one position, rows (channel, ky, kx)."""
    values = []
    for channel in range(geometry.in_channels):
        for ky in range(geometry.kernel_height):
            for kx in range(geometry.kernel_width):
                row = y * geometry.stride + ky - geometry.padding
                column = x_out * geometry.stride + kx - geometry.padding
                inside = 0 <= row < geometry.in_height and 0 <= column < geometry.in_width
                values.append(x[row][column][channel] if inside else 0)
    return values


def _scale(geometry, trained, acc: int, channel: int, added: int) -> int:
    """Requantize one accumulator, and add what comes over a shortcut."""
    y = acc * int(trained.multiplier[channel]) + int(trained.offset[channel])
    if geometry.output_bits is None:
        return y
    if geometry.output_bits < geometry.added_bits:
        added >>= geometry.added_bits - geometry.output_bits
    elif geometry.adds is not None:
        added <<= geometry.output_bits - geometry.added_bits
    y = (y >> int(trained.shift[channel])) + added
    return min(max(y, 0), (1 << geometry.output_bits) - 1)
