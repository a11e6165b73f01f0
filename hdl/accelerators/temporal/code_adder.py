"""Scaled sums and shortcuts of a position, added and clamped to activations."""

from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data

from .destination import Destination
from .widths import CODE_BITS

__all__ = ["CodeAdder"]


class CodeAdder:
    """Activations min(max(scaled + shortcut, 0), 2^bits − 1), and where they are to be written.

    A position that is taken is held until its shortcut has been read; its sums are almost
    multiplied then. After the product comes the sum, after the sum the code.

    Parameters
    ----------
    layer : View of :func:`.target_layout`
        Stays while it is worked on.
    outputs : int
        Channels of a position that are finished at once.
    address : Layout
        Of an address, as :func:`.address_layout` has it.
    many : Shape
        Of a number of words.

    Attributes
    ----------
    going : Signal
        A position was taken in the cycle before.
    has_product : Signal
        The sums are scaled in this cycle.
    writes : Signal
        The codes are there from this cycle on, to be written; not of logits.
    codes : list of Signal
        Of all channels.
    multiplied, written : Destination
        Of the position that is in :attr:`has_product`, and in :attr:`writes`.
    """

    def __init__(self, *, layer: Any, outputs: int, address: data.Layout, many: Shape) -> None:
        self.layer = layer
        self.going, self._is_last = Signal(), Signal(name="ends")
        self._at: Any = Signal(address, name="at", reset_less=True)
        self._many = Signal(many, name="many")
        self.has_product, self.writes = Signal(), Signal(name="writes")
        self.codes = [Signal(CODE_BITS, name=f"code_{o}", reset_less=True) for o in range(outputs)]
        names = "held", "multiplied", "summed", "written"
        self._stages = [Destination(address, many, name) for name in names]
        _, self.multiplied, _, self.written = self._stages

    def take(self, m: Module, *, goes: Signal, is_last: Value, at: Any, many: Value) -> None:
        """Take in ``m`` where a position goes, in a cycle of ``goes``."""
        m.d.sync += [self.going.eq(goes), self._is_last.eq(goes & is_last)]
        with m.If(goes):
            m.d.sync += [Value.cast(self._at).eq(Value.cast(at)), self._many.eq(many)]

    def build(
        self, m: Module, *, has_read: Signal, shortcuts: list[Value], scaled: list[Signal]
    ) -> None:
        """Add in ``m``: in a cycle of ``has_read`` there are shortcuts, in the next scaled sums."""
        layer, held = self.layer, self._stages[0]
        adds, peak = Signal(), Signal(CODE_BITS, name="peak")
        m.d.comb += peak.eq((1 << layer.bits) - 1)
        m.d.sync += self.has_product.eq(has_read)
        m.d.sync += [adds.eq(self.has_product & ~layer.is_logits), self.writes.eq(adds)]
        with m.If(self.going):
            m.d.sync += held.follow(self._is_last, self._at, self._many)
        moves = has_read, self.has_product, adds
        for goes, before, after in zip(moves, self._stages[:-1], self._stages[1:], strict=True):
            with m.If(goes):
                m.d.sync += after.follow(*before.parts)
        for o, code in enumerate(self.codes):
            taken = Signal(scaled[o].shape(), name=f"scaled_{o}", reset_less=True)
            shortcut = Signal(CODE_BITS, name=f"shortcut_{o}", reset_less=True)
            to_add = Signal(CODE_BITS, name=f"to_add_{o}", reset_less=True)
            total = Signal(signed(CODE_BITS + 3), name=f"total_{o}")
            m.d.comb += total.eq(taken + to_add)
            with m.If(has_read):
                m.d.sync += shortcut.eq(shortcuts[o])
            with m.If(self.has_product):
                m.d.sync += [taken.eq(scaled[o]), to_add.eq(shortcut)]
            with m.If(adds):
                m.d.sync += code.eq(Mux(total < 0, 0, Mux(total > peak, peak, total)))
