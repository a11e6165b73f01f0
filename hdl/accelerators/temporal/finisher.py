"""What becomes of the array's sums: pool, requantizer, shortcut, and where the map is written."""

from typing import Any, ClassVar

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.model.parameters.parameters import OFFSET_BITS

from .address import address_layout
from .bank_port import BankPort
from .code_adder import CodeAdder
from .code_writer import CodeWriter
from .finisher_shape import FinisherShape
from .pool_maxima import PoolMaxima
from .program import DIGIT
from .scale_lanes import ScaleLanes, scales_layout
from .shortcut_reader import ShortcutReader
from .target import target_layout
from .target_walks import TargetWalks

__all__ = ["Finisher"]


class Finisher(wiring.Component):
    """From sums of positions to words of the next map, or to logits.

    y = clamp(((max(sums of a pool)·M + B) >> S) + shortcut, 0, 2^bits − 1), bit-equal to
    :func:`kakure.model.reference.stages.requantize`. It counts what comes by itself.

    Parameters
    ----------
    outputs, word : int
        Sums that come at once; channels of a word.
    banks, rows : int
        Of a memory of activations.
    sum_bits : int
        Width of a sum [bit].
    depth : int
        Channel passes, of all layers, that scales are kept for.
    sets : int
        Scales of a channel, one after the other ``depth``, of which one is used.

    Members
    -------
    layer : ``In(target_layout(...))``
        Stays until ``is_done``.
    scales : ``In(scales_layout(...))``
        In a cycle with ``valid`` they are kept.
    start : ``In(1)``
        Begin a layer.
    set : ``In(range(sets))``, of several
        The set in use; stays as ``layer``.
    i : ``In(struct)``
        In a cycle with ``valid``, ``sums`` of a position.
    read_enable, read_row : Out
        What is read of each bank for a shortcut, at the end of the cycle.
    read : In
        What was read last.
    write_enable, write_row, write : Out
        What is written into each bank.
    logits : ``Out(struct)``
        In a cycle with ``valid``, ``values`` of a channel pass.
    is_done : ``Out(1)``
        From the cycle after the last word of a layer was written, until ``start``.

    Timing
    ------
    A position may come every n cycles, n the number of words that are written, or of those that are
    read, whichever is more.
    """

    unnamed: ClassVar = {"sets": 1}

    layer: Any
    scales: Any
    start: Signal
    set: Signal
    i: Any
    read_enable: Signal
    read_row: Any
    read: Any
    write_enable: Signal
    write_row: Any
    write: Any
    logits: Any
    is_done: Signal

    def __init__(
        self,
        *,
        outputs: int,
        word: int,
        banks: int,
        rows: int,
        sum_bits: int,
        depth: int,
        sets: int = 1,
    ) -> None:
        self.sets = sets
        self.outputs = outputs
        self.word = word
        self.banks = banks
        self.rows = rows
        self.sum_bits = sum_bits
        self.depth = depth
        self.shape = FinisherShape(outputs, word, banks, rows, sum_bits, depth)
        self.parts = self.shape.parts
        sums = data.ArrayLayout(signed(sum_bits), outputs)
        logits = data.ArrayLayout(signed(OFFSET_BITS), outputs)
        row = data.ArrayLayout(range(max(rows, 2)), banks)
        words = data.ArrayLayout(word * DIGIT, banks)
        super().__init__({
            "layer": In(target_layout(rows, banks)),
            "scales": In(scales_layout(outputs, sets * depth)),
            "start": In(1),
            **({"set": In(range(sets))} if sets > 1 else {}),
            "i": In(data.StructLayout({"valid": 1, "sums": sums})),
            "read_enable": Out(banks),
            "read_row": Out(row),
            "read": In(words),
            "write_enable": Out(banks),
            "write_row": Out(row),
            "write": Out(words),
            "logits": Out(data.StructLayout({"valid": 1, "values": logits})),
            "is_done": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        layer, start, outputs = self.layer, self.start, self.outputs
        channels = {"outputs": outputs, "word": self.word, "rows": self.rows}
        read = BankPort(self.read_enable, self.read_row, self.read)
        write = BankPort(self.write_enable, self.write_row, self.write)
        parts = Signal(range(self.parts + 1))
        depth = self.sets * self.depth

        pools = PoolMaxima(layer=layer, outputs=outputs, sum_bits=self.sum_bits)
        walks = TargetWalks(layer=layer, parts=self.parts, banks=self.banks, rows=self.rows)
        shortcut = ShortcutReader(layer=layer, port=read, **channels)
        lanes = ScaleLanes(outputs=outputs, sum_bits=self.sum_bits, depth=depth)
        address = address_layout(self.rows, self.banks)
        adder = CodeAdder(layer=layer, outputs=outputs, address=address, many=parts.shape())
        writer = CodeWriter(layer=layer, port=write, **channels)

        goes = pools.goes
        pools.build(m, start=start, i=self.i, first_scales=self._first_scales())
        walks.build(m, start=start, goes=goes)
        m.d.comb += parts.eq(Mux(pools.is_last_pass, layer.last_words, self.parts))
        adder.take(m, goes=goes, is_last=pools.is_last, at=walks.target, many=parts)
        shortcut.build(m, goes=goes, at=walks.added, many=parts)
        lanes.build(
            m,
            platform,
            scales=self.scales,
            start=start,
            reads=self.i.valid,
            at=pools.scales,
            multiply=adder.going,
            values=pools.largest,
        )
        adder.build(m, has_read=shortcut.is_ready, shortcuts=shortcut.values, scaled=lanes.scaled)
        m.d.comb += self.logits.valid.eq(adder.has_product & layer.is_logits)
        for o, logit in enumerate(lanes.logits):
            m.d.comb += self.logits.values[o].eq(logit)
        writer.build(m, writes=adder.writes, where=adder.written, codes=adder.codes)

        with m.If(self.logits.valid & adder.multiplied.is_last):
            m.d.sync += writer.has_written.eq(1)
        with m.If(start):
            m.d.sync += [writer.has_written.eq(0), pools.has_all.eq(0)]
        m.d.comb += self.is_done.eq(writer.has_written & pools.has_all)
        return m

    def _first_scales(self) -> Value:
        """Where the scales of the layer's first channels are."""
        first = self.layer.scales
        return first if self.sets == 1 else first + self.set * self.depth
