"""Signs of the hidden weights, made on chip, a word of 32 per cycle."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place

from .sign_generator_shape import SignGeneratorShape, Xorshift16Shape, Xorshift32Shape
from .weight_order import GENERATORS, WeightOrder
from .xorshift16 import Xorshift16
from .xorshift32 import Xorshift32

__all__ = ["LATENCY", "SignGenerator", "job_layout", "job_prefix"]

LATENCY = {"xorshift32": Xorshift32Shape.latency, "xorshift16": Xorshift16Shape.latency}
"""Cycles from the one that accepts a job to the one that offers its first word."""


def job_prefix(generator: str, *, seed: int, layer: int) -> int:
    """Return the ``prefix`` of a layer's job: what its start states have in common.

    ``xorshift32``: the Jenkins one-at-a-time state after the words (seed, layer), 32 bit.
    ``xorshift16``: (layer + seed) << 10, 16 bit.
    """
    if generator not in GENERATORS:
        raise ValueError(f"generator must be {' or '.join(GENERATORS)}, not {generator!r}")
    if generator == "xorshift16":
        return (layer + seed) << 10 & 0xFFFF
    h = 0
    for word in (seed, layer):
        h = (h + word) & 0xFFFFFFFF
        h = (h + (h << 10)) & 0xFFFFFFFF
        h ^= h >> 6
    return h


def job_layout(
    *, generator: str, max_channels: int, windows: tuple[int, ...], max_blocks: int
) -> data.StructLayout:
    """Shape of a job: ``prefix`` of :func:`job_prefix`, ``channels``, ``window``, ``blocks``."""
    return data.StructLayout({
        "prefix": 32 if generator == "xorshift32" else 16,
        "channels": range(max_channels + 1),
        "window": range(max(windows) + 1),
        "blocks": range(max_blocks + 1),
    })


def signs_shape(
    *, generator: str, max_channels: int, windows: tuple[int, ...], max_blocks: int
) -> SignGeneratorShape:
    """The shape of a :class:`SignGenerator`."""
    return SignGeneratorShape(
        max_channels=max_channels,
        max_window=max(windows),
        max_blocks=max_blocks,
        is_16=int(generator == "xorshift16"),
        windows=len(set(windows)),
    )


class SignGenerator(wiring.Component):
    """Signs of one layer after the other, 32 consecutive outputs of a row at a time.

    A job describes a layer; its words follow in the order of
    :func:`kakure.model.reference.signs.weight_order`, bit-equal to
    :func:`kakure.model.reference.signs.sign_matrix`. The signs past the last output are those that
    the generator makes there anyway.

    Parameters
    ----------
    generator : str
        ``xorshift32`` or ``xorshift16``.
    max_channels, max_blocks : int, at least 1
        Largest number of input channels, and of words in a row.
    windows : tuple of int, each at least 1
        The window sizes that occur. For ``xorshift32`` only the largest matters.

    Members
    -------
    jobs : ``In(stream)``
        ``prefix`` (see :func:`job_prefix`), ``channels`` 1 .. max_channels, ``window`` one of
        ``windows``, ``blocks`` 1 .. max_blocks.
    o : ``Out(stream)``
        ``row``, ``block``, ``signs`` (bit b is output 32·block + b, 1 means +1), ``ends_row``
        with the last block of a row, and ``last`` with the last word of the job.

    Timing
    ------
    First word offered 4 (``xorshift32``) or 2 (``xorshift16``) cycles after the job is accepted;
    then one word per cycle, without pause. The next job is accepted from the cycle after the last
    word was taken on.

    Raises
    ------
    ValueError
        If ``generator`` is unknown, a maximum is below 1, or ``windows`` is empty or holds a
        number below 1.
    """

    jobs: stream.Interface
    o: stream.Interface

    def __init__(
        self, *, generator: str, max_channels: int, windows: tuple[int, ...], max_blocks: int
    ) -> None:
        if generator not in GENERATORS:
            raise ValueError(f"generator must be {' or '.join(GENERATORS)}, not {generator!r}")
        if max_channels < 1:
            raise ValueError(f"max_channels must be at least 1, not {max_channels!r}")
        if not windows or min(windows) < 1:
            raise ValueError(f"windows must be numbers of at least 1, not {windows!r}")
        if max_blocks < 1:
            raise ValueError(f"max_blocks must be at least 1, not {max_blocks!r}")
        self.generator = generator
        self.max_channels = max_channels
        self.windows = windows
        self.max_blocks = max_blocks
        self.shape = signs_shape(
            generator=generator, max_channels=max_channels, windows=windows, max_blocks=max_blocks
        )
        job = job_layout(
            generator=generator, max_channels=max_channels, windows=windows, max_blocks=max_blocks
        )
        word = data.StructLayout({
            "row": range(max_channels * max(windows)),
            "block": range(max_blocks),
            "signs": 32,
            "ends_row": 1,
            "last": 1,
        })
        super().__init__({"jobs": In(stream.Signature(job)), "o": Out(stream.Signature(word))})

    def elaborate(self, platform) -> Module:
        m = Module()
        order = WeightOrder(
            generator=self.generator,
            max_channels=self.max_channels,
            max_window=max(self.windows),
            max_blocks=self.max_blocks,
        )
        m.submodules.order = place(order, platform)

        job: Any = Signal(self.jobs.p.shape(), reset_less=True)  # a View
        is_busy = Signal()
        starts = Signal()
        m.d.comb += self.jobs.ready.eq(~is_busy)
        m.d.comb += starts.eq(self.jobs.valid & self.jobs.ready)
        add_lanes = self._add_rows if self.generator == "xorshift32" else self._add_channels
        lanes, is_ready = add_lanes(m, platform, order, job, starts)
        step = Signal()
        is_free = ~self.o.valid | (self.o.ready & ~order.is_last)
        m.d.comb += step.eq(is_busy & is_ready & is_free)
        m.d.comb += lanes.step.eq(step)

        m.d.comb += [
            order.start.eq(starts),
            order.step.eq(step & self.o.valid),  # the first step makes the first word
            order.channels.eq(job.channels),
            order.window.eq(job.window),
            order.blocks.eq(job.blocks),
            self.o.p.row.eq(order.row),
            self.o.p.block.eq(order.block),
            self.o.p.signs.eq(lanes.signs),
            self.o.p.ends_row.eq(order.last_block),
            self.o.p.last.eq(order.is_last),
        ]
        with m.If(starts):
            m.d.sync += job.eq(self.jobs.p)
            m.d.sync += is_busy.eq(1)
        with m.If(step):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
            m.d.sync += is_busy.eq(0)

        return m

    def _add_rows(
        self, m: Module, platform, order: WeightOrder, job: data.View, starts: Signal
    ) -> tuple[Xorshift32, Value]:
        lanes = Xorshift32()
        m.submodules.lanes = place(lanes, platform)
        m.d.comb += [
            lanes.start.eq(starts),
            lanes.prefix.eq(self.jobs.p.prefix),
            lanes.new_row.eq(~self.o.valid | order.last_block),
        ]
        return lanes, lanes.ready

    def _add_channels(
        self, m: Module, platform, order: WeightOrder, job: data.View, starts: Signal
    ) -> tuple[Xorshift16, Value]:
        lanes = Xorshift16(windows=self.windows, max_channels=self.max_channels)
        m.submodules.lanes = place(lanes, platform)
        is_first = ~self.o.valid
        m.d.comb += [
            lanes.prefix.eq(job.prefix),
            lanes.window.eq(job.window),
            lanes.channel.eq(Mux(is_first, 0, order.channel + 1)),
            lanes.new_channel.eq(is_first | (order.last_position & order.last_block)),
            lanes.new_block.eq(is_first | order.last_position),
        ]
        return lanes, Const(1)
