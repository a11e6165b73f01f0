"""What a configuration implies for each layer: map sizes, row groups, tiles and value ranges."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kakure.model.errors import FieldError

if TYPE_CHECKING:
    from kakure.model.config.config import Config
    from kakure.model.config.engines.layer import LayerConfig

__all__ = ["LayerGeometry", "chain"]


@dataclass(frozen=True)
class LayerGeometry:
    """Sizes of one layer. Maps are (height, width, channels), before padding.

    Attributes
    ----------
    index : int
        Position of the layer, from 0.
    in_height, in_width, in_channels : int
        The map that the layer reads.
    kernel_height, kernel_width, padding : int
        The window; a linear layer's is the whole map.
    out_height, out_width : int
        Window positions, before the pool.
    pool, pooled_height, pooled_width : int
        Max-pool side, and the map that leaves the layer.
    outputs : int
        Output channels.
    input_bits : int
        Width of the activations read [bit].
    output_bits : int or None
        Width of the activations written: the next layer's ``input_bits``; None for the last.
    groups : tuple of int
        Rows that are added up at once, their sum is the fan-in; one group where sums are exact.
    peak : int
        Largest magnitude that an accumulator can hold; its range is −peak .. peak.
    residual : bool
        Whether the map read is added to the map written; they have the same size.
    """

    index: int
    in_height: int
    in_width: int
    in_channels: int
    kernel_height: int
    kernel_width: int
    padding: int
    out_height: int
    out_width: int
    pool: int
    pooled_height: int
    pooled_width: int
    outputs: int
    input_bits: int
    output_bits: int | None
    groups: tuple[int, ...]
    peak: int
    residual: bool

    @property
    def shortcut_bits(self) -> int:
        """Width of a value on the shortcut: no more than is read, or written; 0 without one."""
        return min(self.input_bits, self.output_bits or 0) if self.residual else 0

    @property
    def window(self) -> int:
        """Positions of one window, kernel_height · kernel_width."""
        return self.kernel_height * self.kernel_width

    @property
    def fan_in(self) -> int:
        """Unrolled rows: in_channels · window."""
        return self.in_channels * self.window

    @property
    def positions(self) -> int:
        """Window positions of one image, before the pool."""
        return self.out_height * self.out_width

    @property
    def weights(self) -> int:
        """Weights of the layer."""
        return self.fan_in * self.outputs

    @property
    def padded_height(self) -> int:
        """Height of the map with its zeros."""
        return self.in_height + 2 * self.padding

    @property
    def padded_width(self) -> int:
        """Width of the map with its zeros."""
        return self.in_width + 2 * self.padding


def chain(config: "Config") -> tuple[LayerGeometry, ...]:
    """Follow an image through the layers.

    Raises
    ------
    ValueError
        If a window does not fit its map, a pool leaves nothing, a shortcut joins maps that do not
        have the same channels, or the last layer leaves more than one position.
    """
    height, width, channels = config.shape
    result = []
    for index, layer in enumerate(config.layers):
        is_last = index == len(config.layers) - 1
        output_bits = None if is_last else config.layers[index + 1].input_bits
        geometry = _layer(config, index, layer, (height, width, channels), output_bits)
        result.append(geometry)
        height, width = geometry.pooled_height, geometry.pooled_width
        channels = geometry.outputs
    if height * width != 1:
        raise FieldError(
            ("layers", len(config.layers) - 1),
            f"must leave a map of 1 x 1, not {height} x {width}: end with a linear layer",
        )
    return tuple(result)


def _layer(
    config: "Config",
    index: int,
    layer: "LayerConfig",
    shape: tuple[int, int, int],
    output_bits: int | None,
) -> LayerGeometry:
    height, width, channels = shape
    if layer.kind == "linear":
        kernel_height, kernel_width, padding = height, width, 0
    else:
        assert layer.kernel is not None
        kernel_height = kernel_width = layer.kernel
        padding = (layer.kernel - 1) // 2 if layer.padding is None else layer.padding
    out_height = height + 2 * padding - kernel_height + 1
    out_width = width + 2 * padding - kernel_width + 1
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
    if layer.residual and output_bits is None:
        raise FieldError(("layers", index, "residual"), "must be false in the last layer")
    if layer.residual and layer.channels != channels:
        raise FieldError(
            ("layers", index, "channels"),
            f"must be the {channels} that are read with residual, not {layer.channels}",
        )
    fan_in = channels * kernel_height * kernel_width
    groups = layer.groups(config, fan_in)
    layer.check_groups(index, groups)
    peak = config.weights.peak(layer.peak(groups), fan_in, layer.rounding(groups))
    return LayerGeometry(
        index=index,
        in_height=height,
        in_width=width,
        in_channels=channels,
        kernel_height=kernel_height,
        kernel_width=kernel_width,
        padding=padding,
        out_height=out_height,
        out_width=out_width,
        pool=layer.pool,
        pooled_height=out_height // layer.pool,
        pooled_width=out_width // layer.pool,
        outputs=layer.channels,
        input_bits=layer.input_bits,
        output_bits=output_bits,
        groups=groups,
        peak=peak * ((1 << layer.input_bits) - 1),
        residual=layer.residual,
    )
