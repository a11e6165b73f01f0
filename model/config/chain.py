"""An image followed through the layers: which map each reads, how large it is, how wide."""

from typing import TYPE_CHECKING

from kakure.model.config.geometry import LayerGeometry, SummedMap
from kakure.model.errors import FieldError

if TYPE_CHECKING:
    from kakure.model.config.config import Config
    from kakure.model.config.engines.layer import LayerConfig

__all__ = ["chain"]

MapShape = tuple[int, int, int]
"""(height, width, channels)"""


def chain(config: "Config") -> tuple[LayerGeometry, ...]:
    """Follow an image through the layers.

    Map 0 is the image, map n + 1 what layer n writes.

    Raises
    ------
    FieldError
        If a map is not there, or not read, or read at two widths; a window does not fit its map, a
        pool leaves nothing, a shortcut joins maps of other sizes, or the last layer leaves more
        than one position.
    """
    widths = _widths(config)
    maps: list[MapShape] = [config.shape]
    result = []
    for index in range(len(config.layers)):
        geometry = _layer(config, index, maps, widths)
        result.append(geometry)
        maps.append((geometry.pooled_height, geometry.pooled_width, geometry.outputs))
    height, width, _ = maps[-1]
    if height * width != 1:
        raise FieldError(
            ("layers", len(config.layers) - 1),
            f"must leave a map of 1 x 1, not {height} x {width}: end with a linear layer",
        )
    return tuple(result)


def _back(config: "Config", index: int, field: str) -> int | None:
    """The map that ``reads`` or ``residual`` of a layer means."""
    distance = int(getattr(config.layers[index], field))
    if distance > index + 1:
        rule = f"must be at most {index + 1} in layer {index}, not {distance}"
        raise FieldError(("layers", index, field), rule)
    return index + 1 - distance if distance else None


def _widths(config: "Config") -> list[int | None]:
    """Width of every map [bit]: what its readers read, or else what it is added to has."""
    last = len(config.layers)
    widths: list[int | None] = [None] * (last + 1)
    for index, layer in enumerate(config.layers):
        source = _back(config, index, "reads")
        assert source is not None
        if widths[source] not in (None, layer.read_bits):
            name = "map_bits" if layer.map_bits else "input_bits"
            raise FieldError(
                ("layers", index, name),
                f"must be {widths[source]}, as another layer reads that map, not {layer.read_bits}",
            )
        widths[source] = layer.read_bits
    for index in reversed(range(last)):
        added = _back(config, index, "residual")
        if added is not None and widths[added] is None:
            widths[added] = widths[index + 1]
    for index in range(1, last):
        if widths[index] is None:
            raise FieldError(
                ("layers", index, "reads"),
                f"must be 1, or another layer read what layer {index - 1} writes, "
                f"not {config.layers[index].reads}",
            )
    return widths


def _summed(index: int, layer: "LayerConfig", height: int, width: int) -> SummedMap:
    """The map that a layer sums."""
    exact = SummedMap(height, width, layer.read_bits, 0)
    most = (1 << layer.input_bits) - 1
    least = 0
    while (exact.peak >> least) > most:
        least += 1
    shift = least if layer.sum_shift is None else layer.sum_shift
    if exact.peak >> shift == 0:
        raise FieldError(
            ("layers", index, "sum_shift"),
            f"must leave something of a sum of at most {exact.peak}, not {shift}",
        )
    return SummedMap(height, width, layer.read_bits, shift)


def _layer(
    config: "Config", index: int, maps: list[MapShape], widths: list[int | None]
) -> LayerGeometry:
    layer = config.layers[index]
    reads, adds = _back(config, index, "reads"), _back(config, index, "residual")
    assert reads is not None
    output_bits = widths[index + 1]
    height, width, channels = maps[reads]
    summed = None
    if layer.sum_pool:
        summed = _summed(index, layer, height, width)
        height = width = 1
    if layer.kind == "linear":
        kernel_height, kernel_width, padding = height, width, 0
    else:
        assert layer.kernel is not None
        kernel_height = kernel_width = layer.kernel
        padding = (layer.kernel - 1) // 2 if layer.padding is None else layer.padding
    out_height = (height + 2 * padding - kernel_height) // layer.stride + 1
    out_width = (width + 2 * padding - kernel_width) // layer.stride + 1
    if out_height < 1 or out_width < 1:
        raise FieldError(
            ("layers", index, "kernel"),
            f"must fit the map of {height} x {width} with padding {padding}, not {layer.kernel}",
        )
    if layer.pool > min(out_height, out_width):
        raise FieldError(
            ("layers", index, "pool"),
            f"must fit the map of {out_height} x {out_width}, not {layer.pool}",
        )
    pooled = (out_height // layer.pool, out_width // layer.pool, layer.channels)
    if adds is not None:
        _check_shortcut(index, layer, maps[adds], pooled, output_bits)
    fan_in = channels * kernel_height * kernel_width
    groups = layer.groups(config, fan_in)
    layer.check_groups(index, groups)
    peak = config.weights_of(index).peak(layer.peak(groups), fan_in, layer.rounding(groups))
    return LayerGeometry(
        index=index,
        in_height=height,
        in_width=width,
        in_channels=channels,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        padding=padding,
        stride=layer.stride,
        out_height=out_height,
        out_width=out_width,
        pool=layer.pool,
        pooled_height=pooled[0],
        pooled_width=pooled[1],
        outputs=layer.channels,
        input_bits=layer.input_bits,
        output_bits=output_bits,
        groups=groups,
        peak=peak * ((1 << layer.input_bits) - 1),
        reads=reads,
        adds=adds,
        added_bits=0 if adds is None else widths[adds] or 0,
        summed=summed,
    )


def _check_shortcut(
    index: int,
    layer: "LayerConfig",
    added: MapShape,
    written: MapShape,
    output_bits: int | None,
) -> None:
    """See that the map that is added has the size of the one that is written."""
    if output_bits is None:
        raise FieldError(("layers", index, "residual"), "must be false in the last layer")
    if layer.channels != added[2]:
        raise FieldError(
            ("layers", index, "channels"),
            f"must be the {added[2]} that are {'read' if layer.residual is True else 'added'} "
            f"with residual, not {layer.channels}",
        )
    if added != written:
        raise FieldError(
            ("layers", index, "residual"),
            f"must add a map of {written[0]} x {written[1]}, as is written, "
            f"not {added[0]} x {added[1]}",
        )
