"""The shortcut of a residual layer: what it read waits here for what it computes."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram

from .shortcut_shape import ShortcutShape

__all__ = ["Shortcut"]


class Shortcut(wiring.Component):
    """A queue that never has to say that it is full or empty: its user knows.

    Parameters
    ----------
    depth : int, at least 1
        Pixels that it holds at most.
    channels : int, at least 1
        Values of a pixel.
    bits : int, at least 1
        Width of a value, unsigned [bit].

    Members
    -------
    push : ``In(1)``
        ``i`` is appended in this cycle. Never with ``depth`` pixels in the queue, unless ``pop``.
    i : ``In(data.ArrayLayout(unsigned(bits), channels))``
    pop : ``In(1)``
        ``o`` is dropped in this cycle. Never with the queue empty.
    o : ``Out(data.ArrayLayout(unsigned(bits), channels))``
        The oldest pixel, from the cycle after its ``push`` on.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Source
    ------
    He et al., CVPR 2016, arXiv:1512.03385; over one layer: Ding et al., RepVGG, CVPR 2021,
    arXiv:2101.03697.
    """

    push: Signal
    i: data.View
    pop: Signal
    o: data.View

    def __init__(self, *, depth: int, channels: int, bits: int) -> None:
        for name, value in {"depth": depth, "channels": channels, "bits": bits}.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value!r}")
        self.depth = depth
        self.channels = channels
        self.bits = bits
        self.shape = ShortcutShape(depth, channels, bits)
        pixel = data.ArrayLayout(unsigned(bits), channels)
        super().__init__({"push": In(1), "i": In(pixel), "pop": In(1), "o": Out(pixel)})

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.depth == 1:
            # Data registers go without a reset, which would cost a gate for each of their bits.
            held = Signal(self.i.as_value().shape(), reset_less=True)
            with m.If(self.push):
                m.d.sync += held.eq(self.i.as_value())
            m.d.comb += self.o.as_value().eq(held)
            return m

        newest = Signal(range(self.depth))
        oldest = Signal(range(self.depth))
        after = Mux(oldest == self.depth - 1, 0, oldest + 1)
        with m.If(self.push):
            m.d.sync += newest.eq(Mux(newest == self.depth - 1, 0, newest + 1))
        with m.If(self.pop):
            m.d.sync += oldest.eq(after)
        queue = Ram(depth=self.depth, width=self.shape.pixel_bits)
        m.submodules.queue = place(queue, platform)
        m.d.comb += [
            queue.write_address.eq(newest),
            queue.write_data.eq(self.i.as_value()),
            queue.write_enable.eq(self.push),
            queue.read_address.eq(Mux(self.pop, after, oldest)),
            queue.read_enable.eq(self.push | self.pop),
            self.o.as_value().eq(queue.read_data),
        ]
        return m
