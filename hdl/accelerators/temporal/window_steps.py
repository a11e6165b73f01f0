"""Steps of the array, put together from the positions that are read."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream

from kakure.hdl.emission.field import field

from .window_walk import WindowWalk
from .window_words import WindowWords

__all__ = ["WindowSteps"]


class WindowSteps:
    """Keeps the words of ``pixels`` positions, and offers them as one step, with what it is.

    Parameters
    ----------
    layer : View of :func:`.positions_layout`
        Stays while there are steps of it.
    walk : WindowWalk
        Where the walk is; it is told when to go on.
    words : WindowWords
        What is read.
    """

    def __init__(self, *, layer: Any, walk: WindowWalk, words: WindowWords) -> None:
        self.layer = layer
        self.walk = walk
        self.words = words

    def build(self, m: Module, o: stream.Interface) -> None:
        """Offer in ``m`` steps on ``o``."""
        walk = self.walk
        valid, is_last = Signal(), Signal()
        pixel = Signal.like(walk.pixel)
        step: Any = o.payload
        tags = self._tags()
        m.d.comb += [
            o.valid.eq(valid & is_last),
            walk.advance.eq(~valid | ~is_last | o.ready),
            walk.is_held.eq(valid),
        ]
        with m.If(walk.advance):
            m.d.sync += valid.eq(walk.reads | walk.drains_only)
            m.d.sync += is_last.eq(walk.drains_only | (walk.pixel == walk.pixels - 1))
            m.d.sync += [pixel.eq(walk.pixel), *self.words.follow()]
        positions = Signal(range(walk.pixels + 1), reset_less=True)
        left = walk.now.left
        with m.If(walk.advance & (walk.pixel == 0)):
            m.d.sync += positions.eq(Mux(left > walk.pixels, walk.pixels, left))
        m.d.comb += step.positions.eq(positions)
        for name, tag in tags.items():
            held = Signal(step[name].shape(), name=f"step_{name}")
            with m.If(walk.advance):
                m.d.sync += held.eq(tag)
            m.d.comb += step[name].eq(held)
        self._keep(m, step, valid, pixel)

    def _tags(self) -> dict[str, Any]:
        """What the step is that a position, or a batch that is only drained, belongs to."""
        layer, walk = self.layer, self.walk
        drains = walk.is_first_block & (walk.digit == 0) & (walk.batch < walk.drained)
        tags = {
            "last_plane": layer.last_plane[walk.digit],
            "digit": walk.digit,
            "batch": walk.batch,
            "computes": walk.reads,
            "begins_block": walk.reads & (walk.batch == 0) & (walk.digit == 0),
            "begins_sums": walk.is_first_block,
            "drains": walk.drains_only | drains,
        }
        if walk.planes:
            tags["doubles"] = (walk.block == 0) & (walk.plane != 0)
        return tags

    def _keep(self, m: Module, step: Any, valid: Signal, pixel: Signal) -> None:
        """Keep the words of all positions of a step but the last, whose words are there with it."""
        lanes = self.words.came()
        last = self.walk.pixels - 1
        for p in range(last):
            held = Signal(len(lanes), name=f"x_{p}", reset_less=True)
            with m.If(valid & (pixel == p)):
                m.d.sync += held.eq(lanes)
            m.d.comb += Value.cast(field(step, "x", p)).eq(held)
        m.d.comb += Value.cast(field(step, "x", last)).eq(lanes)
