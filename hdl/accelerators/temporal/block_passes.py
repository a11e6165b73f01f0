"""Which block of a layer is made, of which pass and plane, and when the next one is begun."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from .widths import COUNT_BITS

__all__ = ["BlockPasses"]


class BlockPasses:
    """Counts blocks, planes, passes over positions, and passes of channels.

    A block is made, then given: its weights, and its slots. Once both were taken, the next one is
    begun.

    Parameters
    ----------
    window : View of :func:`.window_layout`
        Stays while a layer is worked on.
    used : Signal or None
        Planes in use of layers that have as many, with planes.
    outputs : int
        Channels of a pass.
    planes : int
        Planes of bitwise weights, for each of which all blocks are gone through; else 0.

    Attributes
    ----------
    begins : Signal
        A block is begun.
    begins_pass, begins_plane, begins_channels : Signal
        It is the first one of a pass over positions, of a further plane, or of a pass of channels.
        Without planes there is no ``begins_plane``.
    advances : Signal
        It is the first one of other channels of the layer.
    ends_block : Signal
        The block is made. Driven by whoever makes it.
    outputs : Signal
        Channels of this pass.
    """

    def __init__(self, *, window: Any, used: Signal | None, outputs: int, planes: int) -> None:
        self.window = window
        self.used = used
        self.most_outputs = outputs
        self.begins, self.advances = Signal(), Signal(name="advances")
        self.ends_block = Signal()
        self.begins_pass = Signal()
        self.begins_channels = Signal()
        self.begins_plane = None if used is None else Signal(name="begins_plane")
        self.outputs = Signal(range(outputs + 1))
        self._plane = Signal(range(max(planes, 2)), name="plane")

    @property
    def begins_rows(self) -> Value:
        """A block that is begun is the first one of a pass, or of a plane: of the first rows."""
        if self.begins_plane is None:
            return self.begins_pass
        return self.begins_pass | self.begins_plane

    def build(
        self,
        m: Module,
        *,
        start: Signal,
        weights: tuple[Signal, Signal],
        slots: tuple[Signal, Signal],
    ) -> None:
        """Count in ``m`` from ``start`` on.

        ``weights`` and ``slots``: whether they are there, to be driven, and whether they are taken.
        """
        window = self.window
        block = Signal(COUNT_BITS, reset_less=True)
        position_pass = Signal(COUNT_BITS, reset_less=True)
        channel_pass = Signal(COUNT_BITS, reset_less=True)
        gave_weights, gave_slots = Signal(), Signal()
        is_busy, is_making = Signal(), Signal()
        begins = self.begins

        (has_weights, takes_weights), (has_slots, takes_slots) = weights, slots
        is_made = is_busy & ~is_making
        is_last = channel_pass == window.channel_passes - 1
        m.d.comb += self.outputs.eq(Mux(is_last, window.last_outputs, self.most_outputs))
        m.d.comb += has_weights.eq(is_made & ~gave_weights)
        m.d.comb += has_slots.eq(is_made & ~gave_slots)
        gone_weights = gave_weights | takes_weights
        gone_slots = gave_slots | takes_slots
        m.d.comb += begins.eq(start)
        m.d.comb += self.begins_pass.eq(start)
        m.d.comb += self.begins_channels.eq(start)
        with m.If(self.ends_block):
            m.d.sync += is_making.eq(0)
        with m.If(is_made | start):  # one enable for a clock gate
            with m.If(is_made):
                m.d.sync += [gave_weights.eq(gone_weights), gave_slots.eq(gone_slots)]
                with m.If(gone_weights & gone_slots):
                    is_last_block = block == window.blocks - 1
                    m.d.sync += block.eq(Mux(is_last_block, 0, block + 1))
                    is_last_block = self._end_planes(m, is_last_block)
                    is_last_pass = position_pass == window.position_passes - 1
                    with m.If(is_last_block):
                        m.d.sync += position_pass.eq(Mux(is_last_pass, 0, position_pass + 1))
                        m.d.comb += self.begins_pass.eq(1)
                        with m.If(is_last_pass):
                            m.d.sync += channel_pass.eq(channel_pass + 1)
                            m.d.comb += self.advances.eq(1)
                            m.d.comb += self.begins_channels.eq(1)
                    with m.If(is_last_block & is_last_pass & is_last):
                        m.d.sync += is_busy.eq(0)
                    with m.Else():
                        m.d.comb += begins.eq(1)
            with m.If(start):
                m.d.sync += [block.eq(0), position_pass.eq(0), channel_pass.eq(0)]
        with m.If(begins):
            m.d.sync += [is_busy.eq(1), is_making.eq(1), gave_weights.eq(0), gave_slots.eq(0)]

    def _end_planes(self, m: Module, is_last_block: Value) -> Value:
        """Whether a plane's last block is that of the last plane in use; count planes."""
        if self.used is None or self.begins_plane is None:
            return is_last_block
        plane = self._plane
        is_last_plane = (plane + 1 == self.used) | (plane + 1 == self.window.planes)
        with m.If(is_last_block):
            m.d.sync += plane.eq(Mux(is_last_plane, 0, plane + 1))
            m.d.comb += self.begins_plane.eq(~is_last_plane)
        return is_last_block & is_last_plane
