"""Addresses of the positions of a layer's result, in the order in which they are finished."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from .address import add_address, address_layout, address_value
from .widths import COUNT_BITS, POSITION_BITS

__all__ = ["TargetWalks"]


class TargetWalks:
    """Walks over the map that is written, and the one that is added, position by position.

    Row by row, and all of it for each pass of channels, ``parts`` words further on.

    Parameters
    ----------
    layer : View of :func:`.target_layout`
        Stays while it is walked over.
    parts : int
        Words of a position that a pass gives.
    banks, rows : int
        Of a memory of activations.

    Attributes
    ----------
    target, added : View of :func:`.address_layout`
        First word of the position that is finished next, in each of the maps.
    """

    def __init__(self, *, layer: Any, parts: int, banks: int, rows: int) -> None:
        self.layer = layer
        self.banks = banks
        self.address = address_layout(rows, banks)
        self.target: Any = Signal(self.address, name="target_at", reset_less=True)
        self.added: Any = Signal(self.address, name="added_at", reset_less=True)
        self._pass = self.address.const(address_value(parts, rows, banks))

    def build(self, m: Module, *, start: Signal, goes: Signal) -> None:
        """Walk in ``m``: from ``start`` on, a position further after each cycle with ``goes``."""
        layer = self.layer
        column = Signal(COUNT_BITS, reset_less=True)
        is_row_end = column == layer.width - 1
        is_map_end = Signal()
        pools = Signal(POSITION_BITS, reset_less=True)  # positions complete, of these channels
        m.d.comb += is_map_end.eq(pools + layer.area == layer.positions)
        with m.If(goes | start):
            is_new_row, is_new_map = start | is_row_end, start | is_map_end
            m.d.sync += column.eq(Mux(is_new_row, 0, column + 1))
            m.d.sync += pools.eq(Mux(is_new_map, 0, pools + layer.area))
        for name, at in (("target", self.target), ("added", self.added)):
            walk = layer[name]
            on = Mux(is_row_end, Value.cast(walk.next_row), Value.cast(walk.next_position))
            further, next_first, first = self._following(m, at, on, name)
            with m.If(goes):
                m.d.sync += Value.cast(at).eq(Value.cast(further))
                with m.If(is_map_end):
                    m.d.sync += Value.cast(at).eq(Value.cast(next_first))
                    m.d.sync += Value.cast(first).eq(Value.cast(next_first))
            with m.If(start):
                m.d.sync += Value.cast(at).eq(Value.cast(walk.origin))
                m.d.sync += Value.cast(first).eq(Value.cast(walk.origin))

    def _following(self, m: Module, at: Any, on: Value, name: str) -> tuple[Any, Any, Any]:
        """What lies ``on`` from ``at``; the first word of the next channels, and of these."""
        first: Any = Signal(self.address, name=f"{name}_first", reset_less=True)
        distance: Any = Signal(self.address, name=f"{name}_on")
        m.d.comb += Value.cast(distance).eq(on)
        further = add_address(m, at, distance, self.banks, f"{name}_further")
        next_first = add_address(m, first, self._pass, self.banks, f"{name}_next")
        return further, next_first, first
