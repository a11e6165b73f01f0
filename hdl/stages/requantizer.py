"""Requantizer: from accumulators to the activations of the next layer."""

from typing import ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.memory.ram import Ram
from kakure.hdl.shape.numbers import signed_bits

from .requantizer_shape import (
    MULTIPLIER_BITS,
    OFFSET_BITS,
    SHIFT_BITS,
    RequantizerLaneShape,
    RequantizerShape,
)

__all__ = ["Requantizer"]


def scales_layout(count: int, index: str, sets: int = 1) -> data.StructLayout:
    """The write port of ``count`` sets of M, B and S, ``index`` says which.

    Where each has several ``sets``, ``set`` says which of those.
    """
    return data.StructLayout({
        "valid": 1,
        **({"set": range(sets)} if sets > 1 else {}),
        index: range(max(count, 2)),  # Verilog has no port of width 0
        "multiplier": signed(MULTIPLIER_BITS),
        "offset": signed(OFFSET_BITS),
        "shift": unsigned(SHIFT_BITS),
    })


def output_shape(output_bits: int | None) -> Shape:
    """Shape of a result: an activation, or a logit where ``output_bits`` is None."""
    return signed(OFFSET_BITS) if output_bits is None else unsigned(output_bits)


def vector_layout(peak: int, channels: int, shortcut_bits: int) -> data.Layout:
    """Shape of a vector to requantize: the sums, and beside them what a shortcut brings."""
    sums = data.ArrayLayout(Shape.cast(range(-peak, peak + 1)), channels)
    if not shortcut_bits:
        return sums
    added = data.ArrayLayout(unsigned(shortcut_bits), channels)
    return data.StructLayout({"sums": sums, "shortcut": added})


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


class Requantizer(wiring.Component):
    """Scale, offset and clamp of one vector, a chunk of ``lanes`` channels per cycle.

    Computes y = clamp((acc·M + B) >> S, 0, 2^output_bits − 1) per channel, with an arithmetic
    shift; where ``output_bits`` is None, y = acc·M + B. Exact: no overflow; the latter modulo
    2^32, which the parameters of a network keep clear of. With a shortcut, of values x,
    y = clamp(((acc·M + B) >> S) + x·2^(output_bits − shortcut_bits), 0, 2^output_bits − 1).

    Bit-equal to :func:`kakure.model.reference.stages.requantize`.

    Parameters
    ----------
    channels : int, at least 1
        Values of a vector.
    lanes : int, at least 1, at most ``channels``
        Multipliers. A power of two saves a divider in the write port.
    peak : int, at least 1
        Accumulators are −``peak`` .. ``peak``.
    output_bits : int, at least 1, or None
        Width of an activation, unsigned [bit]; None for the last layer's logits, signed 32 bit.
    shortcut_bits : int, 0 to ``output_bits``
        Width of what a shortcut adds, unsigned [bit]; 0 without one.
    sets : int, at least 1
        Scales of a channel, of which one at a time is used.

    Members
    -------
    scales : ``In(scales_layout(channels, "channel", sets))``
        In a cycle with ``valid``, ``channel`` takes M (signed 16 bit), B (signed 32 bit) and S
        (5 bit, which logits ignore). Not while a vector is in flight.
    set : ``In(range(sets))``, of several
        The set of scales in use; vectors that are in flight while it changes may take either.
    i : ``In(stream.Signature(data.ArrayLayout(range(-peak, peak + 1), channels)))``
        Accumulators; read in place, taken with their last chunk. With a shortcut, a struct of
        them, ``sums``, and ``shortcut``, ``data.ArrayLayout(unsigned(shortcut_bits), channels)``.
    o : ``Out(stream.Signature(data.ArrayLayout(unsigned(output_bits) or signed(32), channels)))``
        Activations, or logits.

    Timing
    ------
    One vector per n = ⌈channels / lanes⌉ cycles, back to back; ``o`` is valid 3 cycles after the
    cycle that takes ``i``. While an untaken ``o`` is offered nothing advances.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Source
    ------
    Integer requantization: Jacob et al., CVPR 2018, arXiv:1712.05877.
    """

    unnamed: ClassVar = {"sets": 1}

    scales: data.View
    set: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        channels: int,
        lanes: int,
        peak: int,
        output_bits: int | None,
        shortcut_bits: int = 0,
        sets: int = 1,
    ) -> None:
        if sets < 1:
            raise ValueError(f"sets must be at least 1, not {sets!r}")
        if channels < 1:
            raise ValueError(f"channels must be at least 1, not {channels!r}")
        if not 1 <= lanes <= channels:
            raise ValueError(f"lanes must be 1 to channels = {channels}, not {lanes!r}")
        if peak < 1:
            raise ValueError(f"peak must be at least 1, not {peak!r}")
        if output_bits is not None and output_bits < 1:
            raise ValueError(f"output_bits must be at least 1, not {output_bits!r}")
        most = output_bits or 0
        if not 0 <= shortcut_bits <= most:
            raise ValueError(f"shortcut_bits must be 0 to {most}, not {shortcut_bits!r}")
        self.channels = channels
        self.lanes = lanes
        self.peak = peak
        self.output_bits = output_bits
        self.shortcut_bits = shortcut_bits
        self.sets = sets
        self.shape = RequantizerShape(
            channels, lanes, signed_bits(peak), output_bits or 0, shortcut_bits, sets
        )
        self.chunks = self.shape.chunks
        output = output_shape(output_bits)
        super().__init__({
            "scales": In(scales_layout(channels, "channel", sets)),
            **({"set": In(range(sets))} if sets > 1 else {}),
            "i": In(stream.Signature(vector_layout(peak, channels, shortcut_bits))),
            "o": Out(stream.Signature(data.ArrayLayout(output, channels))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()

        chunk = Signal(range(self.chunks))
        is_last = chunk == self.chunks - 1
        select_valid = self.i.valid
        multiply_valid = Signal()
        multiply_is_last = Signal()
        finish_valid = Signal()
        finish_is_last = Signal()

        advance = Signal()
        m.d.comb += advance.eq(~self.o.valid | self.o.ready)
        m.d.comb += self.i.ready.eq(advance & is_last)
        with m.If(advance):
            with m.If(select_valid):
                m.d.sync += chunk.eq(Mux(is_last, 0, chunk + 1))
            m.d.sync += multiply_valid.eq(select_valid)
            m.d.sync += multiply_is_last.eq(is_last)
            m.d.sync += finish_valid.eq(multiply_valid)
            m.d.sync += finish_is_last.eq(multiply_is_last)
            m.d.sync += self.o.valid.eq(finish_valid & finish_is_last)

        sums = self.i.payload.sums if self.shortcut_bits else self.i.payload
        results = []
        for index in range(self.lanes):
            lane = RequantizerLane(
                chunks=self.chunks,
                peak=self.peak,
                output_bits=self.output_bits,
                shortcut_bits=self.shortcut_bits,
                sets=self.sets,
            )
            m.submodules[f"lane_{index}"] = place(lane, platform)
            mine = range(index, self.channels, self.lanes)
            if self.sets > 1:
                m.d.comb += [lane.set.eq(self.set), lane.scales.set.eq(self.scales.set)]
            if self.shortcut_bits:
                added = self.i.payload.shortcut
                m.d.comb += lane.shortcut.eq(Array(added[c] for c in mine)[chunk])
            m.d.comb += [
                lane.scales.valid.eq(
                    self.scales.valid & (self.scales.channel % self.lanes == index)
                ),
                lane.scales.chunk.eq(self.scales.channel // self.lanes),
                lane.scales.multiplier.eq(self.scales.multiplier),
                lane.scales.offset.eq(self.scales.offset),
                lane.scales.shift.eq(self.scales.shift),
                lane.select.eq(advance & select_valid),
                lane.chunk.eq(chunk),
                lane.accumulator.eq(Array(sums[c] for c in mine)[chunk]),
                lane.multiply.eq(advance & multiply_valid),
            ]
            results.append(lane.o)

        # The output shifts: when the last chunk comes in at the top, the first is at the bottom.
        outputs = Signal(self.shape.held_bits, reset_less=True)
        with m.If(advance & finish_valid):
            m.d.sync += outputs.eq(Cat(outputs, results)[len(Cat(results)) :])
        m.d.comb += self.o.payload.as_value().eq(outputs)

        return m
