"""Where in their memory the masks of a layer's blocks are read."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from .block_passes import BlockPasses

__all__ = ["MaskWalk"]


class MaskWalk:
    """Word after word; those of a pass of channels again for each pass over positions.

    Parameters
    ----------
    window : View of :func:`.window_layout`
        Stays while a layer is worked on.
    mask_words : int
        Of the memory.
    planes : int
        Planes of bitwise weights, of which those that are not used are passed over; else 0.

    Attributes
    ----------
    address : Signal
        The word that is read next.
    """

    def __init__(self, *, window: Any, mask_words: int, planes: int) -> None:
        self.window = window
        self.planes = planes
        self.address = Signal(range(max(mask_words, 2)), reset_less=True)
        self._start = Signal.like(self.address, name="start")  # of these channels

    def build(self, m: Module, *, start: Signal, reads: Value, passes: BlockPasses) -> None:
        """Walk in ``m``: from ``start`` on, a word further after each cycle with ``reads``."""
        address, first = self.address, self._start
        with m.If(reads | passes.begins_pass):
            m.d.sync += address.eq(Mux(passes.begins_pass, first, address + 1))
        with m.If(passes.begins_channels):
            following = first + self.window.pass_words if self.planes else address
            m.d.sync += [first.eq(following), address.eq(following)]
        with m.If(start):
            m.d.sync += [address.eq(self.window.mask), first.eq(self.window.mask)]
