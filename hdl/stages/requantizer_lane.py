"""Lane of a requantizer: one multiplier, and the scales of the channels that share it."""

from typing import ClassVar

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.hdl.shape.numbers import signed_bits

from .requantizer_ports import output_shape, scales_layout
from .requantizer_shape import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS, RequantizerLaneShape

__all__ = ["RequantizerLane"]


class RequantizerLane(wiring.Component):
    """One multiplier with the scales of its channels.

    Members
    -------
    scales : ``In(scales_layout(chunks, "chunk", sets))``
        In a cycle with ``valid``, M, B and S of ``chunk`` are written. Logits have no S.
    set : ``In(range(sets))``, of several
        The set of scales in use.
    select, chunk, accumulator : ``In``
        In a cycle with ``select``, ``accumulator`` is taken, to be scaled for ``chunk``.
    shortcut : ``In(shortcut_bits)``
        Taken with ``accumulator``, to be added to the scaled value; of no bits without shortcut.
    multiply : ``In(1)``
        In a cycle with it, what was selected last is multiplied.
    o : ``Out``
        The scaled value, from the cycle after ``multiply`` on.
    """

    unnamed: ClassVar = {"sets": 1}

    scales: data.View
    set: Signal
    select: Signal
    chunk: Signal
    accumulator: Signal
    shortcut: Signal
    multiply: Signal
    o: Signal

    def __init__(
        self,
        *,
        chunks: int,
        peak: int,
        output_bits: int | None,
        shortcut_bits: int,
        sets: int = 1,
    ) -> None:
        self.chunks = chunks
        self.sets = sets
        self.peak = peak
        self.output_bits = output_bits
        self.shortcut_bits = shortcut_bits
        self.shape = RequantizerLaneShape(
            chunks, signed_bits(peak), output_bits or 0, shortcut_bits, sets
        )
        super().__init__({
            "scales": In(scales_layout(chunks, "chunk", sets)),
            **({"set": In(range(sets))} if sets > 1 else {}),
            "select": In(1),
            "chunk": In(range(max(chunks, 2))),
            "accumulator": In(Shape.cast(range(-peak, peak + 1))),
            "shortcut": In(shortcut_bits),
            "multiply": In(1),
            "o": Out(output_shape(output_bits)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        # Data registers go without a reset, which would cost a gate for each of their bits.
        selected = Signal(self.accumulator.shape(), reset_less=True)
        product = Signal(
            range(-self.peak << MULTIPLIER_BITS - 1, (self.peak << MULTIPLIER_BITS - 1) + 1),
            reset_less=True,
        )
        multiplier, offset, shift = self._scales(m, platform)
        with m.If(self.select):
            m.d.sync += selected.eq(self.accumulator)
        with m.If(self.multiply):
            m.d.sync += product.eq(selected * multiplier)

        total = product + offset
        if self.output_bits is None:
            m.d.comb += self.o.eq(total)
        else:
            shifted = Signal(total.shape())
            m.d.comb += shifted.eq(total >> shift)
            if self.shortcut_bits:
                shifted = self._with_shortcut(m, shifted, self.output_bits)
            is_negative = shifted[-1]
            is_above = shifted[self.output_bits :].any()
            with m.If(~is_negative):
                m.d.comb += self.o.eq(Mux(is_above, -1, shifted))

        return m

    def _with_shortcut(self, m: Module, scaled: Signal, bits: int) -> Signal:
        """Add the shortcut, of the same channel, to the scaled value.

        What is added is 0 .. 2^bits − 1, so a value beyond −2^bits .. 2^bits − 1 is clamped
        whatever that is: the value is cut to that range first, for a narrow adder.
        """
        selected = Signal(self.shortcut_bits, reset_less=True)
        multiplied = Signal(self.shortcut_bits, reset_less=True)
        with m.If(self.select):
            m.d.sync += selected.eq(self.shortcut)
        with m.If(self.multiply):
            m.d.sync += multiplied.eq(selected)

        sign, above = scaled[-1], scaled[bits:-1]
        cut = Signal(signed(bits + 1))
        m.d.comb += cut.eq(scaled)
        with m.If(sign & ~above.all()):
            m.d.comb += cut.eq(-1 << bits)
        with m.Elif(~sign & above.any()):
            m.d.comb += cut.eq((1 << bits) - 1)
        added = Signal(signed(bits + 2))
        m.d.comb += added.eq(cut + (multiplied << (bits - self.shortcut_bits)))
        return added

    def _scales(self, m: Module, platform: Platform | None) -> tuple[Value, Value, Value]:
        """M of the channel selected last, B and S of the one multiplied last."""
        scales = self.scales
        offset = Signal(signed(OFFSET_BITS), reset_less=True)
        shift = Signal(SHIFT_BITS if self.output_bits else 0, reset_less=True)
        if self.chunks * self.sets == 1:
            multiplier = Signal(signed(MULTIPLIER_BITS), reset_less=True)
            with m.If(scales.valid):
                m.d.sync += multiplier.eq(scales.multiplier)
                m.d.sync += offset.eq(scales.offset)
                m.d.sync += shift.eq(scales.shift)
            return multiplier, offset, shift

        table = Ram(depth=self.chunks * self.sets, width=self.shape.scale_bits)
        written: Value = scales.chunk
        read: Value = self.chunk
        if self.sets > 1:
            written = scales.set * self.chunks + scales.chunk
            read = self.set * self.chunks + self.chunk
        m.submodules.table = place(table, platform)
        m.d.comb += [
            table.write_address.eq(written),
            table.write_data.eq(Cat(scales.multiplier, scales.offset, scales.shift)),
            table.write_enable.eq(scales.valid),
            table.read_address.eq(read),
            table.read_enable.eq(self.select),
        ]
        with m.If(self.multiply):
            m.d.sync += Cat(offset, shift).eq(table.read_data[MULTIPLIER_BITS:])
        return table.read_data[:MULTIPLIER_BITS].as_signed(), offset, shift
