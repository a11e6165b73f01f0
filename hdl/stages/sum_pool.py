"""Sum pool: the sums of a map's channels, in front of a linear layer."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .sum_pool_shape import SumPoolShape

__all__ = ["SumPool"]


class SumPool(wiring.Component):
    """Sum of each channel over a map, shifted and saturated: one pixel for each map.

    y = min(Σ x >> ``shift``, 2^``output_bits`` − 1), in one accumulator and one adder per channel.
    Exact: no sum overflows before the shift.

    Bit-equal to :func:`kakure.model.reference.stages.sum_pool`.

    Parameters
    ----------
    positions : int, at least 1
        Pixels of a map.
    channels : int, at least 1
        Values of a pixel.
    bits : int, at least 1
        Width of a value, unsigned [bit].
    shift : int, at least 0
        Bits dropped from a sum; the largest sum has more.
    output_bits : int, at least 1
        Width of a result, unsigned [bit].

    Members
    -------
    i : ``In(stream.Signature(data.ArrayLayout(unsigned(bits), channels)))``
        Pixels, map after map, without gaps or framing.
    o : ``Out(stream.Signature(data.ArrayLayout(unsigned(output_bits), channels)))``
        One pixel for each map.

    Timing
    ------
    Takes a pixel in every cycle in which no result waits (``~o.valid | o.ready``). The last pixel
    of a map makes ``o`` valid in the next cycle.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Source
    ------
    Ours; a mean over the map but for its scale, which the next layer's requantizer takes in: Lin
    et al., Network in Network, ICLR 2014, arXiv:1312.4400.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self, *, positions: int, channels: int, bits: int, shift: int, output_bits: int
    ) -> None:
        sizes = {
            "positions": positions,
            "channels": channels,
            "bits": bits,
            "output_bits": output_bits,
        }
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, not {size!r}")
        shape = SumPoolShape(positions, channels, bits, shift, output_bits)
        if not 0 <= shift < shape.sum_bits:
            raise ValueError(f"shift must be 0 to {shape.sum_bits - 1}, not {shift!r}")
        self.positions = positions
        self.channels = channels
        self.bits = bits
        self.shift = shift
        self.output_bits = output_bits
        self.shape = shape
        super().__init__({
            "i": In(stream.Signature(data.ArrayLayout(unsigned(bits), channels))),
            "o": Out(stream.Signature(data.ArrayLayout(unsigned(output_bits), channels))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        position = Signal(range(self.positions))
        is_first = position == 0
        is_last = position == self.positions - 1
        step = Signal()
        with m.If(~self.o.valid | self.o.ready):
            m.d.comb += self.i.ready.eq(1)
            m.d.comb += step.eq(self.i.valid)
            m.d.sync += self.o.valid.eq(step & is_last)
        with m.If(step):
            m.d.sync += position.eq(Mux(is_last, 0, position + 1))

        # Data registers go without a reset, which would cost a gate for each of their bits.
        most = (1 << self.output_bits) - 1
        for channel in range(self.channels):
            total = Signal(self.shape.sum_bits, name=f"total_{channel}", reset_less=True)
            with m.If(step):
                m.d.sync += total.eq(Mux(is_first, 0, total) + self.i.payload[channel])
            left = total >> self.shift
            m.d.comb += self.o.payload[channel].eq(Mux(left > most, most, left))

        return m
