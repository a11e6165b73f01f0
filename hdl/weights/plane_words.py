"""Planes of bitwise weights: bits of a coded stream, a word of 32 outputs of a row at a time."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring

from kakure.hdl.emission.hierarchy import place

from .coded_words import CodedWords
from .mask_decoder import MaskDecoder
from .weight_order import WeightOrder

__all__ = ["PlaneWords"]


class PlaneWords(CodedWords):
    """One plane of one layer after the other, 32 consecutive outputs of a row at a time.

    Row by row, block by block, as :func:`kakure.model.reference.signs.weight_order` says for
    ``xorshift32``.

    Parameters
    ----------
    max_rows, max_blocks : int, at least 1
        Largest number of rows, and of words in a row.

    Members
    -------
    As those of :class:`kakure.hdl.weights.coded_words.CodedWords`, a plane a layer: ``jobs`` are
    ``rows`` 1 .. max_rows and ``blocks`` 1 .. max_blocks, and of a word there is ``bits``.

    Timing
    ------
    As :class:`kakure.hdl.weights.coded_words.CodedWords`, from the cycle after the job is accepted
    on.

    Raises
    ------
    ValueError
        If a maximum is below 1.
    """

    def __init__(self, *, max_rows: int, max_blocks: int) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows must be at least 1, not {max_rows!r}")
        if max_blocks < 1:
            raise ValueError(f"max_blocks must be at least 1, not {max_blocks!r}")
        self.max_rows = max_rows
        self.max_blocks = max_blocks
        job = data.StructLayout({"rows": range(max_rows + 1), "blocks": range(max_blocks + 1)})
        super().__init__(job=job, rows=max_rows, blocks=max_blocks, values=("bits",))

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
        ]
        self.decode(m, mask, is_walking=is_busy, ends_row=order.last_block)
        bits = mask.o.payload
        self.offer(m, mask, row=order.row, block=order.block, bits=bits, last=order.is_last)
        with m.If(starts):
            m.d.sync += [job.eq(self.jobs.p), is_busy.eq(1)]
        with m.Elif(steps & order.is_last):
            m.d.sync += is_busy.eq(0)
        return m
