"""A position of the walk over a layer, with its window, and the position after it."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data

from .address import add_address
from .widths import COUNT_BITS, KERNEL_BITS, POSITION_BITS

__all__ = ["WindowPlace", "place_after"]


class WindowPlace:
    """Signals that move together.

    Parameters
    ----------
    address : Layout
        Of an address, as :func:`.address_layout` has it.
    name : str
        Begins the names of all signals.

    Attributes
    ----------
    left : Signal
        Positions from this one to the layer's last.
    column : Signal
        Of the pool that it is in.
    inner_x, inner_y : Signal
        Where it is in its pool.
    x, y : Signal
        Where its window begins in the map; below 0 in the padding.
    address : View
        Of the first word of that place.
    """

    def __init__(self, address: data.Layout, name: str) -> None:
        self.left = Signal(POSITION_BITS, name=f"{name}_left", reset_less=True)
        self.column = Signal(COUNT_BITS, name=f"{name}_column", reset_less=True)
        self.inner_x = Signal(KERNEL_BITS, name=f"{name}_inner_x", reset_less=True)
        self.inner_y = Signal(KERNEL_BITS, name=f"{name}_inner_y", reset_less=True)
        self.x = Signal(signed(COUNT_BITS + 1), name=f"{name}_x", reset_less=True)
        self.y = Signal(signed(COUNT_BITS + 1), name=f"{name}_y", reset_less=True)
        self.address: Any = Signal(address, name=f"{name}_address", reset_less=True)

    @property
    def parts(self) -> list[Value]:
        """All signals."""
        return [
            self.left, self.column, self.inner_x, self.inner_y, self.x, self.y,
            Value.cast(self.address),
        ]  # fmt: skip

    def follow(self, other: "WindowPlace") -> list[Any]:
        """Statements that make it the other's."""
        return [mine.eq(its) for mine, its in zip(self.parts, other.parts, strict=True)]

    def begin(self, layer: Any) -> list[Any]:
        """Statements that make it the first one of a layer; where it is in rows and pools is 0."""
        return [
            self.left.eq(layer.positions),
            self.x.eq(-layer.padding),
            self.y.eq(-layer.padding),
            Value.cast(self.address).eq(Value.cast(layer.origin)),
        ]


def place_after(m: Module, layer: Any, now: WindowPlace, after: WindowPlace, banks: int) -> None:
    """Let ``after`` be the position after ``now``; its address by one of four distances.

    Positions of a pool come line by line, pools row by row. ``layer`` is a view of
    :func:`.positions_layout`.
    """
    stride = layer.stride
    is_pool_column = now.inner_x == layer.pool - 1
    is_pool = is_pool_column & (now.inner_y == layer.pool - 1)
    is_row = is_pool & (now.column == layer.pooled_width - 1)
    back = Signal(2 * KERNEL_BITS)  # from the last to the first of a pool
    m.d.comb += back.eq((layer.pool - 1) * stride)
    distance: Any = Signal(now.address.shape(), name="distance")
    m.d.comb += after.follow(now)
    m.d.comb += [
        after.left.eq(Mux(now.left == 0, 0, now.left - 1)),
        after.inner_x.eq(now.inner_x + 1),
        after.x.eq(now.x + stride),
        Value.cast(distance).eq(Value.cast(layer.next_column)),
    ]
    with m.If(is_pool_column):
        m.d.comb += [
            after.inner_x.eq(0),
            after.inner_y.eq(now.inner_y + 1),
            after.x.eq(now.x - back),
            after.y.eq(now.y + stride),
            Value.cast(distance).eq(Value.cast(layer.next_line)),
        ]
    with m.If(is_pool):
        m.d.comb += [
            after.inner_y.eq(0),
            after.column.eq(now.column + 1),
            after.x.eq(now.x + stride),
            after.y.eq(now.y - back),
            Value.cast(distance).eq(Value.cast(layer.next_pool)),
        ]
    with m.If(is_row):
        m.d.comb += [
            after.column.eq(0),
            after.x.eq(-layer.padding),
            after.y.eq(now.y + stride),
            Value.cast(distance).eq(Value.cast(layer.next_row)),
        ]
    moved = add_address(m, now.address, distance, banks, "moved")
    m.d.comb += Value.cast(after.address).eq(Value.cast(moved))
