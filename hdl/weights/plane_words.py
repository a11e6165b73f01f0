"""Planes of bitwise weights: bits of a coded stream, a word of 32 outputs of a row at a time."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .mask_decoder import MAX_TOKEN, MaskDecoder
from .weight_generator_shape import WORD
from .weight_order import WeightOrder

__all__ = ["PlaneWords"]


class PlaneWords(wiring.Component):
    """One plane of one layer after the other, 32 consecutive outputs of a row at a time.

    Row by row, block by block, as :func:`kakure.model.reference.signs.weight_order` says for
    ``xorshift32``.

    Parameters
    ----------
    max_rows, max_blocks : int, at least 1
        Largest number of rows, and of words in a row.

    Members
    -------
    jobs : ``In(stream)``
        Planes: ``rows`` 1 .. max_rows, ``blocks`` 1 .. max_blocks.
    token : ``In(range(6))``
        Coding of the plane, as :class:`kakure.hdl.weights.mask_decoder.MaskDecoder` has it; hold
        until its last word is taken.
    tail : ``In(range(33))``
        Outputs in the last block of a row, 1 .. 32; hold as ``token``.
    i : ``In(stream.Signature(32))``
        Coded plane. A word is taken only when one of its bits is needed, so that exactly the words
        of the plane are. ``i.ready`` says so, whether or not there is a word.
    o : ``Out(stream)``
        ``row``, ``block``, ``bits`` (bit b is output 32·block + b; 0 where there is no such
        output), ``last`` with the plane's last word.

    Timing
    ------
    Combinational from ``i`` to ``o``, from the cycle after the job is accepted on; cycles as in
    :class:`kakure.hdl.weights.mask_decoder.MaskDecoder`.

    Raises
    ------
    ValueError
        If a maximum is below 1.
    """

    jobs: stream.Interface
    token: Signal
    tail: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, max_rows: int, max_blocks: int) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows must be at least 1, not {max_rows!r}")
        if max_blocks < 1:
            raise ValueError(f"max_blocks must be at least 1, not {max_blocks!r}")
        self.max_rows = max_rows
        self.max_blocks = max_blocks
        job = data.StructLayout({"rows": range(max_rows + 1), "blocks": range(max_blocks + 1)})
        word = data.StructLayout({
            "row": range(max_rows),
            "block": range(max_blocks),
            "bits": WORD,
            "last": 1,
        })
        super().__init__({
            "jobs": In(stream.Signature(job)),
            "token": In(range(MAX_TOKEN + 1)),
            "tail": In(range(WORD + 1)),
            "i": In(stream.Signature(WORD)),
            "o": Out(stream.Signature(word)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        order = WeightOrder(
            generator="xorshift32",
            max_channels=self.max_rows,
            max_window=1,
            max_blocks=self.max_blocks,
        )
        mask = MaskDecoder()
        m.submodules.order = place(order, platform)
        m.submodules.mask = place(mask, platform)
        wiring.connect(m, wiring.flipped(self.i), mask.i)
        is_busy = Signal()
        job: Any = Signal(self.jobs.p.shape(), reset_less=True)  # a View
        starts, steps = Signal(), Signal()
        m.d.comb += [
            self.jobs.ready.eq(~is_busy),
            starts.eq(self.jobs.valid & self.jobs.ready),
            steps.eq(self.o.valid & self.o.ready),
            order.start.eq(starts),
            order.step.eq(steps),
            order.channels.eq(job.rows),
            order.window.eq(1),
            order.blocks.eq(job.blocks),
            mask.flush.eq(~is_busy),
            mask.token.eq(self.token),
            mask.width.eq(Mux(order.last_block, self.tail, WORD)),
            mask.o.ready.eq(self.o.ready),
            self.o.valid.eq(mask.o.valid),
            self.o.p.row.eq(order.row),
            self.o.p.block.eq(order.block),
            self.o.p.bits.eq(mask.o.payload),
            self.o.p.last.eq(order.is_last),
        ]
        with m.If(starts):
            m.d.sync += [job.eq(self.jobs.p), is_busy.eq(1)]
        with m.Elif(steps & order.is_last):
            m.d.sync += is_busy.eq(0)
        return m
