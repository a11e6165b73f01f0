"""Sliding window that leaves windows out: a convolution with a stride."""

from amaranth.hdl import Signal, Value

from .sliding_window import SlidingWindow
from .strided_window_shape import StridedWindowShape

__all__ = ["StridedWindow"]


class StridedWindow(SlidingWindow):
    """Every ``stride``-th window of a :class:`SlidingWindow`, down and across, the first included.

    Bit-equal to :func:`kakure.model.reference.stages.windows`.

    Parameters
    ----------
    height, width, channels, bits, kernel_height, kernel_width, padding : int
        As :class:`SlidingWindow`.
    stride : int, a power of two, at least 2
        Distance of windows; rows and columns left over complete none.

    Members
    -------
    i, o : stream, In and Out
        As :class:`SlidingWindow`.

    Timing
    ------
    As :class:`SlidingWindow`: a step for each position of the padded map, whether or not it
    completes a window.

    Raises
    ------
    ValueError
        As :class:`SlidingWindow`, and if ``stride`` is no such power.
    """

    shape: StridedWindowShape

    def __init__(
        self,
        *,
        height: int,
        width: int,
        channels: int,
        bits: int,
        kernel_height: int,
        kernel_width: int,
        padding: int,
        stride: int,
    ) -> None:
        if stride < 2 or stride & (stride - 1):
            raise ValueError(f"stride must be a power of two, at least 2, not {stride!r}")
        super().__init__(
            height=height,
            width=width,
            channels=channels,
            bits=bits,
            kernel_height=kernel_height,
            kernel_width=kernel_width,
            padding=padding,
        )
        self.stride = stride
        self.shape = StridedWindowShape.of(self.shape, stride)

    def _is_complete(self, x: Signal, y: Signal) -> Value:
        low = self.stride.bit_length() - 1  # bits of a position that tell its place in a stride
        is_in_column = x[:low] == (self.kernel_width - 1) % self.stride
        is_in_row = y[:low] == (self.kernel_height - 1) % self.stride
        return super()._is_complete(x, y) & is_in_column & is_in_row
