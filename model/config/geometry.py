"""What a configuration implies for each layer: map sizes, row groups, tiles and value ranges."""

from dataclasses import dataclass

__all__ = ["LayerGeometry", "SummedMap"]


@dataclass(frozen=True)
class SummedMap:
    """A map whose channels are summed over all positions.

    Attributes
    ----------
    height, width : int
        Its positions.
    bits : int
        Width of its activations [bit].
    shift : int
        Bits dropped from a sum before it saturates.
    """

    height: int
    width: int
    bits: int
    shift: int

    @property
    def positions(self) -> int:
        """Values that are summed."""
        return self.height * self.width

    @property
    def peak(self) -> int:
        """Largest sum."""
        return self.positions * ((1 << self.bits) - 1)


@dataclass(frozen=True)
class LayerGeometry:
    """Sizes of one layer. Maps are (height, width, channels), before padding.

    Attributes
    ----------
    index : int
        Position of the layer, from 0.
    in_height, in_width, in_channels : int
        The map that the windows lie in: what the layer reads, or one pixel of its sums.
    kernel_height, kernel_width, padding, stride : int
        The window, and the distance of windows; a linear layer's window is the whole map.
    out_height, out_width : int
        Window positions, before the pool.
    pool, pooled_height, pooled_width : int
        Max-pool side, and the map that leaves the layer.
    outputs : int
        Output channels.
    input_bits : int
        Width of the activations that the engine reads [bit].
    output_bits : int or None
        Width of the activations written: what their reader reads; None for the last layer.
    groups : tuple of int
        Rows that are added up at once, their sum is the fan-in; one group where sums are exact.
    peak : int
        Largest magnitude that an accumulator can hold; its range is −peak .. peak.
    reads : int
        The map that the layer reads: 0 is the image, n what layer n − 1 wrote.
    adds : int or None
        The map that is added to the one written; they have the same size.
    added_bits : int
        Its width; 0 without one [bit].
    summed : SummedMap or None
        The map that is summed before the windows; None where the layer reads its map as it is.
    """

    index: int
    in_height: int
    in_width: int
    in_channels: int
    kernel_height: int
    kernel_width: int
    padding: int
    stride: int
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
    reads: int
    adds: int | None
    added_bits: int
    summed: SummedMap | None

    @property
    def read_height(self) -> int:
        """Height of the map that the layer reads, before it sums it."""
        return self.in_height if self.summed is None else self.summed.height

    @property
    def read_width(self) -> int:
        """Width of the map that the layer reads, before it sums it."""
        return self.in_width if self.summed is None else self.summed.width

    @property
    def residual(self) -> bool:
        """Whether a map is added to the one written."""
        return self.adds is not None

    @property
    def shortcut_bits(self) -> int:
        """Width of a value on the shortcut: no more than is read, or written; 0 without one."""
        return min(self.added_bits, self.output_bits or 0)

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
