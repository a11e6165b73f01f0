"""The integer network as plain loops over numbers: what the reference is compared with."""

from kakure.model.config.config import Config
from kakure.model.parameters.parameters import Parameters
from kakure.model.reference.stages import quantize_image

__all__ = ["naive_network"]


def naive_network(config: Config, parameters: Parameters, image) -> list[int]:
    """Logits of one 8-bit image (height, width, channels), one weight at a time."""
    x = quantize_image(image, config.layers[0].input_bits).tolist()
    for geometry, trained in zip(config.geometry, parameters.layers, strict=True):
        weights = trained.weights(config, geometry).tolist()
        pooled: dict[tuple[int, int, int], int] = {}
        for y in range(geometry.pooled_height * geometry.pool):
            for x_out in range(geometry.pooled_width * geometry.pool):
                window = _window(geometry, x, y, x_out)
                for c in range(geometry.outputs):
                    column = [row[c] for row in weights]
                    acc = _sum(config, geometry, window, column)
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


def _sum(config, geometry, window, column) -> int:
    """Sum of one output, through the readouts of a crossbar or exact."""
    layer = config.layers[geometry.index]
    if layer.engine == "pe_array":
        return sum(v * w for v, w in zip(window, column, strict=True))
    largest = (1 << layer.adc_bits) - 1
    half = (1 << layer.adc_shift) >> 1
    total = start = 0
    for rows in geometry.groups:
        for plane in range(layer.input_bits):
            counts = [0, 0]
            for r in range(start, start + rows):
                if window[r] >> plane & 1 and column[r]:
                    counts[column[r] < 0] += 1
            up, down = (min((n + half) >> layer.adc_shift, largest) for n in counts)
            total += (up - down) << (plane + layer.adc_shift)
        start += rows
    return total


def _scale(geometry, trained, acc: int, channel: int) -> int:
    """Requantize one accumulator."""
    y = acc * int(trained.multiplier[channel]) + int(trained.offset[channel])
    if geometry.output_bits is None:
        return y
    return min(max(y >> int(trained.shift[channel]), 0), (1 << geometry.output_bits) - 1)
