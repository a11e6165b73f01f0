"""Max-pool over a stream of accumulators."""

from amaranth.hdl import Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram
from kakure.hdl.shape.numbers import signed_bits

from .max_pool_shape import MaxPoolShape

__all__ = ["MaxPool"]


class MaxPool(wiring.Component):
    """Maximum over blocks of ``size`` x ``size`` pixels, channel by channel.

    One register and one comparator per channel follow a row of a block; where blocks lie side by
    side, their maxima so far wait in a memory for the next row. Exact.

    Bit-equal to :func:`kakure.model.reference.stages.max_pool`.

    Parameters
    ----------
    height, width : int, at least ``size``
        Map [pixel].
    channels : int, at least 1
        Values of a pixel.
    peak : int, at least 1
        Values are −``peak`` .. ``peak``.
    size : int, at least 2
        Side and stride of a block [pixel]; rows and columns left over are dropped.

    Members
    -------
    i, o : stream of ``data.ArrayLayout(range(-peak, peak + 1), channels)``, In and Out
        Pixels, row by row, map after map, without gaps or framing.

    Timing
    ------
    Takes a pixel in every cycle in which no maximum waits (``~o.valid | o.ready``). The pixel
    that completes a block makes ``o`` valid in the next cycle.

    Raises
    ------
    ValueError
        If a parameter is out of range. A layer without a pool has no ``MaxPool``.

    Source
    ------
    Ours.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, height: int, width: int, channels: int, peak: int, size: int) -> None:
        if size < 2:
            raise ValueError(f"size must be at least 2, not {size!r}")
        if height < size:
            raise ValueError(f"height must be at least size = {size}, not {height!r}")
        if width < size:
            raise ValueError(f"width must be at least size = {size}, not {width!r}")
        if channels < 1:
            raise ValueError(f"channels must be at least 1, not {channels!r}")
        if peak < 1:
            raise ValueError(f"peak must be at least 1, not {peak!r}")
        self.height = height
        self.width = width
        self.channels = channels
        self.peak = peak
        self.size = size
        self.shape = MaxPoolShape(height, width, channels, signed_bits(peak), size)
        pixel = data.ArrayLayout(Shape.cast(range(-peak, peak + 1)), channels)
        super().__init__({
            "i": In(stream.Signature(pixel)),
            "o": Out(stream.Signature(pixel)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        blocks = self.shape.blocks
        last = self.size - 1

        step = Signal()
        column, x, next_column, is_line_end = self._walk(m, "x", self.width, step)
        _, y, _, _ = self._walk(m, "y", self.height, step & is_line_end)

        layout = self.i.payload.shape()
        best = Signal(layout, reset_less=True)  # a reset would cost a gate for each bit
        before = Signal(layout)
        after = Signal(layout)
        for channel in range(self.channels):
            new = self.i.payload[channel]
            old = before[channel]
            is_better = (new > old) | ((x == 0) & (y == 0))
            m.d.comb += after[channel].eq(Mux(is_better, new, old))
        m.d.comb += before.eq(best)
        if blocks > 1:
            partial = Ram(depth=blocks, width=self.shape.pixel_bits)
            m.submodules.partial = place(partial, platform)
            m.d.comb += [
                partial.write_address.eq(column),
                partial.write_data.eq(after),
                partial.write_enable.eq(step & (x == last) & (y != last)),
                partial.read_address.eq(next_column),
                partial.read_enable.eq(step & (next_column != column)),
            ]
            with m.If(x == 0):
                m.d.comb += before.eq(partial.read_data)

        with m.If(~self.o.valid | self.o.ready):
            m.d.comb += self.i.ready.eq(1)
            m.d.comb += step.eq(self.i.valid)
            m.d.sync += self.o.valid.eq(step & (x == last) & (y == last))
        with m.If(step & (column < blocks)):  # what is left over must not replace a lone block's
            m.d.sync += best.eq(after)
        m.d.comb += self.o.payload.eq(best)

        return m

    def _walk(
        self, m: Module, name: str, length: int, step: Value
    ) -> tuple[Value, Value, Value, Value]:
        """Block and offset in it of one coordinate, the block after ``step``, whether at the end.

        Two counters instead of one, as a division by ``size`` is no bit slice in general.
        """
        last_block, last_offset = divmod(length - 1, self.size)
        block = Signal(range(last_block + 1), name=f"{name}_block")
        offset = Signal(range(self.size), name=f"{name}_offset")
        is_end = (block == last_block) & (offset == last_offset)
        is_block_end = offset == self.size - 1
        next_block = Mux(is_end, 0, block + is_block_end)
        with m.If(step):
            m.d.sync += block.eq(next_block)
            m.d.sync += offset.eq(Mux(is_end | is_block_end, 0, offset + 1))
        return block, offset, next_block, is_end
