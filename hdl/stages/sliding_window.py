"""Sliding window over a stream of pixels, what turns a convolution into dot products."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram

from .sliding_window_shape import SlidingWindowShape

__all__ = ["SlidingWindow"]


class SlidingWindow(wiring.Component):
    """Windows of a zero-padded map, unrolled, from its pixels in raster order.

    Walks the padded map, one position per step: the pixel of that position, or zeros outside the
    image, enters the window registers on the right, together with the pixels above it from a
    buffer of ``kernel_height`` − 1 lines. Where the window is as wide as the padded map (linear
    layers) its registers hold whole lines, and where it is one line high nothing lies above:
    neither has a buffer.

    Bit-equal to :func:`kakure.model.reference.stages.windows`.

    Parameters
    ----------
    height, width : int, at least 1
        Map, before padding [pixel].
    channels : int, at least 1
        Values of a pixel.
    bits : int, at least 1
        Width of a value, unsigned [bit].
    kernel_height, kernel_width : int, at least 1
        Window [pixel]; at most the padded map.
    padding : int, at least 0
        Zeros on each side of the map [pixel].

    Members
    -------
    i : ``In(stream.Signature(data.ArrayLayout(unsigned(bits), channels)))``
        Pixels, row by row, image after image, without gaps or framing.
    o : ``Out(stream.Signature(data.ArrayLayout(unsigned(bits), rows)))``
        Windows in the same order; ``rows`` = channels · kernel_height · kernel_width, row r
        counting through (channel, ky, kx), kx fastest.

    Timing
    ------
    A step happens in a cycle in which no window waits (``~o.valid | o.ready``) and, inside the
    image, a pixel is there; it takes that pixel. A step that completes a window makes it valid
    in the next cycle. So an image takes one cycle for each position of the padded map, and one
    for each cycle in which a window or a pixel is waited for.

    Raises
    ------
    ValueError
        If a number is below its least, or the kernel does not fit the padded map.

    Source
    ------
    Line buffers are common practice, e.g. Blott et al., FINN-R, ACM TRETS 2018, arXiv:1809.04570.
    """

    i: stream.Interface
    o: stream.Interface

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
    ) -> None:
        sizes = {
            "height": height,
            "width": width,
            "channels": channels,
            "bits": bits,
            "kernel_height": kernel_height,
            "kernel_width": kernel_width,
        }
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, not {size!r}")
        if padding < 0:
            raise ValueError(f"padding must be at least 0, not {padding!r}")
        shape = SlidingWindowShape(**sizes, padding=padding)
        if kernel_height > shape.padded_height:
            most = shape.padded_height
            raise ValueError(f"kernel_height must be at most {most}, not {kernel_height!r}")
        if kernel_width > shape.padded_width:
            most = shape.padded_width
            raise ValueError(f"kernel_width must be at most {most}, not {kernel_width!r}")
        self.shape = shape
        self.height = height
        self.width = width
        self.channels = channels
        self.bits = bits
        self.kernel_height = kernel_height
        self.kernel_width = kernel_width
        self.padding = padding
        super().__init__({
            "i": In(stream.Signature(data.ArrayLayout(unsigned(bits), channels))),
            "o": Out(stream.Signature(data.ArrayLayout(unsigned(bits), shape.fan_in))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        last_x = self.shape.padded_width - 1
        last_y = self.shape.padded_height - 1

        x = Signal(range(last_x + 1))
        y = Signal(range(last_y + 1))
        next_x = Mux(x == last_x, 0, x + 1)
        is_inside = self._is_inside(x, self.width) & self._is_inside(y, self.height)
        is_complete = self._is_complete(x, y)

        step = Signal()
        with m.If(~self.o.valid | self.o.ready):
            m.d.comb += self.i.ready.eq(is_inside)
            m.d.comb += step.eq(~is_inside | self.i.valid)
            m.d.sync += self.o.valid.eq(step & is_complete)
        with m.If(step):
            m.d.sync += x.eq(next_x)
            with m.If(x == last_x):
                m.d.sync += y.eq(Mux(y == last_y, 0, y + 1))

        # Data registers go without a reset, which would cost a gate for each of their bits.
        size = self.shape.pixel_bits
        lines = [
            Signal(self.kernel_width * size, name=f"line_{ky}", reset_less=True)
            for ky in range(self.kernel_height)
        ]  # lines[ky][kx·size:] is the pixel (ky, kx)
        column = Signal(self.kernel_height * size)  # enters on the right, from the top down
        above = self._above(m, platform, step=step, x=x, next_x=next_x, column=column, lines=lines)
        m.d.comb += column.eq(Cat(above, Mux(is_inside, self.i.payload.as_value(), 0)))
        with m.If(step):
            for ky, line in enumerate(lines):
                m.d.sync += line.eq(Cat(line, column.word_select(ky, size))[size:])

        window = [
            line.word_select(kx * self.channels + channel, self.bits)
            for channel in range(self.channels)
            for line in lines
            for kx in range(self.kernel_width)
        ]
        m.d.comb += self.o.payload.as_value().eq(Cat(window))

        return m

    def _is_complete(self, x: Signal, y: Signal) -> Value:
        """Whether the step at a position of the padded map completes a window that is wanted."""
        return (x >= self.kernel_width - 1) & (y >= self.kernel_height - 1)

    def _is_inside(self, position: Value, size: int) -> Value:
        """Whether a coordinate of the padded map lies inside the image."""
        if self.padding == 0:
            return Const(1, 1)
        return (position >= self.padding) & (position < self.padding + size)

    def _above(
        self,
        m: Module,
        platform: Platform | None,
        *,
        step: Value,
        x: Value,
        next_x: Value,
        column: Value,
        lines: list[Signal],
    ) -> Value:
        """The kernel_height − 1 pixels above position x, topmost first."""
        size = self.shape.pixel_bits
        if not self.shape.has_lines:
            return Cat(line[:size] for line in lines[1:])
        buffer = Ram(depth=self.shape.padded_width, width=self.shape.line_bits)
        m.submodules.buffer = place(buffer, platform)
        m.d.comb += [
            buffer.write_address.eq(x),
            buffer.write_data.eq(column[size:]),
            buffer.write_enable.eq(step),
            buffer.read_address.eq(next_x),
            buffer.read_enable.eq(step),
        ]
        return buffer.read_data
