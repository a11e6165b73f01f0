"""Where the walk over the windows of a layer is, and what follows what in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data

from .widths import COUNT_BITS, DIGITS
from .window_place import WindowPlace, place_after

__all__ = ["WindowWalk"]


class WindowWalk:
    """Counters and places of the walk: positions of a step, digits, batches, blocks, passes.

    Parameters
    ----------
    layer : View of :func:`.positions_layout`
        Stays while it is walked over.
    used : Signal or None
        Planes in use of layers that have as many, with planes.
    pixels, batches : int
        Positions of a step; steps of a pass for each digit.
    planes : int
        Planes of bitwise weights, for each of which all blocks are gone through; else 0.
    address : Layout
        Of an address, as :func:`.address_layout` has it.

    Attributes
    ----------
    pixel, digit, batch, block, plane, channel_pass : Signal
        What is read, or, of the batch, drained.
    following : Signal
        The number of the next batch.
    many : Signal
        Batches of this pass, once they are counted.
    drained : Signal
        Batches whose sums wait to be drained.
    reads, drains_only : Signal
        A position is read in this cycle; or a batch's sums are to be drained, and nothing else.
    advance : Signal
        What is read, or drained, goes on in this cycle.
    is_held : Signal
        A step waits to be taken.
    now, after : WindowPlace
        The position that is read, and the one after it.
    is_end : Value
        No pass follows this one.
    is_last_block : Value
        No block of this pass follows this one.
    """

    def __init__(
        self,
        *,
        layer: Any,
        used: Signal | None,
        pixels: int,
        batches: int,
        planes: int,
        address: data.Layout,
    ) -> None:
        self.layer = layer
        self.pixels = pixels
        self.batches = batches
        self.planes = planes
        self.pixel = Signal(range(pixels))
        self.digit = Signal(range(DIGITS))
        self.batch = Signal(range(batches + 1))
        self.block = Signal(COUNT_BITS, reset_less=True)
        self.plane = Signal(range(max(planes, 2)), name="plane_number", reset_less=True)
        self.channel_pass = Signal(COUNT_BITS, reset_less=True)
        self.following = Signal(range(batches + 1), name="many")
        self.many = Signal(range(batches + 1))
        self.drained = Signal(range(batches + 1))
        self.reads = Signal()
        self.drains_only = Signal()
        self.advance = Signal()
        self.is_held = Signal()
        names = "now", "after", "first", "pass_begin", "batch_begin"
        self.places = {name: WindowPlace(address, name) for name in names}
        self.now, self.after = self.places["now"], self.places["after"]

        is_last_pass = self.channel_pass == layer.channel_passes - 1
        self.is_end = (self.now.left == 0) & is_last_pass
        self._ends_plane = self.block == layer.blocks - 1
        self.is_last_block: Value = self._ends_plane
        if used is not None:
            following = self.plane + 1
            ends = (following == used) | (following == layer.weight_planes)
            self.is_last_block = self._ends_plane & ends

    @property
    def is_first_block(self) -> Value:
        """Sums begin: the first block, of the first plane."""
        is_first = self.block == 0
        return is_first & (self.plane == 0) if self.planes else is_first

    def build(self, m: Module, banks: int) -> None:
        """Say in ``m`` what the first position is, and what the next one."""
        m.d.comb += self.places["first"].begin(self.layer)
        place_after(m, self.layer, self.now, self.after, banks)

    def clear(self, m: Module) -> None:
        """Begin a layer."""
        self._begin(m, "first", "pass_begin")
        counters = self.pixel, self.digit, self.batch, self.block, self.channel_pass, self.drained
        m.d.sync += [counter.eq(0) for counter in counters]
        if self.planes:
            m.d.sync += self.plane.eq(0)

    @contextmanager
    def read(self, m: Module) -> Iterator[None]:
        """Read a position; what is done in this context ends a block."""
        m.d.comb += self.reads.eq(1)
        with m.If(self.advance):
            m.d.sync += self.now.follow(self.after)
            m.d.sync += self.pixel.eq(self.pixel + 1)
        ends_step = self.advance & (self.pixel == self.pixels - 1)
        with m.If(ends_step):  # the batch again, with its next digit
            m.d.sync += [self.pixel.eq(0), self.digit.eq(self.digit + 1)]
            m.d.sync += self.now.follow(self.places["batch_begin"])
        ends_batch = ends_step & (self.digit == self.layer.has_two_digits)
        with m.If(ends_batch):
            m.d.sync += [self.digit.eq(0), self.batch.eq(self.following)]
            self._begin(m, "after")
        is_last_batch = (self.following == self.batches) | (self.after.left == 0)
        with m.If(ends_batch & is_last_batch):
            m.d.sync += self.many.eq(self.following)
            yield

    @contextmanager
    def drain(self, m: Module) -> Iterator[None]:
        """Drain a batch, and nothing else; what is done in this context follows the last one."""
        m.d.comb += self.drains_only.eq(1)
        with m.If(self.advance):
            m.d.sync += self.batch.eq(self.following)
            with m.If(self.following == self.drained):
                m.d.sync += self.batch.eq(0)
                yield

    def next_block(self, m: Module) -> None:
        """Begin the pass anew, with its next block, or plane."""
        m.d.sync += self.block.eq(self.block + 1)
        if self.planes:
            with m.If(self._ends_plane):
                m.d.sync += [self.block.eq(0), self.plane.eq(self.plane + 1)]
        self._begin(m, "pass_begin")

    def end_pass(self, m: Module) -> None:
        """Leave the sums of this pass to be drained."""
        m.d.sync += [self.drained.eq(self.many), self.block.eq(0)]
        if self.planes:
            m.d.sync += self.plane.eq(0)

    def next_pass(self, m: Module) -> None:
        """Begin a pass with this position, or, without any left, the next channels."""
        self._begin(m, "now", "pass_begin")
        with m.If(self.now.left == 0):
            self._begin(m, "first", "pass_begin")
            m.d.sync += self.channel_pass.eq(self.channel_pass + 1)

    def _begin(self, m: Module, at: str, *others: str) -> None:
        """Begin a batch, and others, at a place."""
        for name in ("now", "batch_begin", *others):
            m.d.sync += self.places[name].follow(self.places[at])
