"""Requantizer: from accumulators to the activations of the next layer."""

from typing import ClassVar

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.shape.numbers import signed_bits

from .requantizer_lane import RequantizerLane
from .requantizer_ports import output_shape, scales_layout, vector_layout
from .requantizer_shape import RequantizerShape

__all__ = ["Requantizer"]


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
