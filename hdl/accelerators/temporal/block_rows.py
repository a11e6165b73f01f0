"""Rows of a block of weights, some at a time, and the slots that they are in."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value

from .address import add_address, address_layout, address_value
from .block_layout import slot_layout
from .widths import CHANNEL_BITS, COUNT_BITS, ROW_BITS

__all__ = ["BlockRows"]


class BlockRows:
    """Walks over the words of a window, slot by slot, and over the channels of a word.

    Words come line by line of the kernel, place by place, in the order of their channels. The row
    of a channel is channel · kernel_height · kernel_width + ky · kernel_width + kx.

    Parameters
    ----------
    window : View of :func:`.window_layout`
        Stays while a layer is worked on.
    inputs, word : int
        Of a block; of a slot.
    many : int
        Rows that come in a cycle; it divides ``word``.
    rows : int
        Of a bank of activations.

    Attributes
    ----------
    goes : Signal
        Rows come in this cycle.
    group : Signal
        Their number in the block, in units of ``many``.
    is_there : Signal
        A bit for each: its slot is in the window, and its channel in the map.
    rows : list of Value
        Of each.
    """

    def __init__(self, *, window: Any, inputs: int, word: int, many: int, rows: int) -> None:
        self.window = window
        self.word = word
        self.many = many
        self.banks = banks = inputs // word
        self.groups = inputs // many
        self.group = Signal(range(self.groups))
        self.goes = Signal()
        self.is_there = Signal(many)
        self._address = address_layout(rows, banks)
        self._one = self._address.const(address_value(1, rows, banks))
        self._part = Signal(range(word // many), name="part")
        self._place = Signal(COUNT_BITS, name="place_", reset_less=True)
        self._word = Signal(CHANNEL_BITS, name="word", reset_less=True)
        self._kx = Signal(COUNT_BITS, name="kx", reset_less=True)  # beyond it in empty slots
        self._ky = Signal(COUNT_BITS, name="ky", reset_less=True)
        self._channel = Signal(CHANNEL_BITS + 1, name="channel", reset_less=True)  # of this group
        self._row = Signal(ROW_BITS, name="row", reset_less=True)
        self._place_row = Signal(ROW_BITS, name="place_row", reset_less=True)  # of channel 0 here
        self._line_row = Signal(ROW_BITS, name="line_row", reset_less=True)  # and at kx = 0
        self._distance: Any = Signal(self._address, name="distance", reset_less=True)
        self._slots = [
            Signal(slot_layout(rows, banks), name=f"slot_{n}", reset_less=True)
            for n in range(banks)
        ]
        self.rows = [self._row + n * window.window for n in range(many)]

    def build(self, m: Module, *, begins: Value, begins_pass: Value, slots: Any) -> None:
        """Walk in ``m`` over a block from a cycle of ``begins`` on, and show its slots.

        With ``begins_pass`` it is the first block of the layer, else the one after the last.
        """
        window, goes = self.window, self.goes
        self._count_groups(m, begins)
        for n, slot in enumerate(self._slots):
            m.d.comb += Value.cast(slots[n]).eq(Value.cast(slot))
        is_slot = Signal()
        is_inside = (self._kx < window.kernel_width) & (self._ky < window.kernel_height)
        m.d.comb += is_slot.eq(is_inside)
        m.d.comb += self.is_there.eq(
            Cat(is_slot & (self._channel + n < window.channels) for n in range(self.many))
        )
        is_line_end = self._place == window.run - 1
        further = self._further(m, is_line_end)
        parts = self.word // self.many
        with m.If(goes | begins_pass):  # one enable for a clock gate
            with m.If(goes):
                with m.If(self._part == 0):
                    m.d.sync += self._keep(is_slot)
                m.d.sync += [
                    self._part.eq(Mux(self._part == parts - 1, 0, self._part + 1)),
                    self._channel.eq(self._channel + self.many),
                    self._row.eq(self._row + self.many * window.window),
                ]
                with m.If(self._part == parts - 1):
                    self._next_slot(m, further, is_line_end)
            with m.If(begins_pass):
                counters = self._place, self._word, self._kx, self._ky, self._part
                rows = self._channel, self._line_row, self._place_row, self._row
                m.d.sync += [counter.eq(0) for counter in (*counters, *rows)]
                m.d.sync += Value.cast(self._distance).eq(0)

    def _count_groups(self, m: Module, begins: Value) -> None:
        with m.If(self.goes):
            m.d.sync += self.group.eq(self.group + 1)
            with m.If(self.group == self.groups - 1):
                m.d.sync += self.goes.eq(0)
        with m.If(begins):
            m.d.sync += [self.group.eq(0), self.goes.eq(1)]

    def _further(self, m: Module, is_line_end: Value) -> Any:
        """Distance of the next slot."""
        moved: Any = Signal(self._address, name="step")
        step = Mux(is_line_end, Value.cast(self.window.next_line), Value.cast(self._one))
        m.d.comb += Value.cast(moved).eq(step)
        return add_address(m, self._distance, moved, self.banks, "further")

    def _keep(self, is_slot: Signal) -> list[Any]:
        """Statements that keep the slot in which a group begins."""
        parts = self.word // self.many
        slot: Any = Array(self._slots)[self.group // parts if parts > 1 else self.group]
        return [
            slot.is_there.eq(is_slot),
            slot.ky.eq(self._ky),
            slot.kx.eq(self._kx),
            Value.cast(slot.distance).eq(Value.cast(self._distance)),
        ]

    def _next_slot(self, m: Module, further: Any, is_line_end: Value) -> None:
        """Go on to the next word: of this place, of the next one, or of the next line."""
        word, channel, row, place_row = self._word, self._channel, self._row, self._place_row
        m.d.sync += Value.cast(self._distance).eq(Value.cast(further))
        m.d.sync += self._place.eq(self._place + 1)
        m.d.sync += word.eq(word + 1)
        with m.If(word == self.window.words - 1):
            m.d.sync += [word.eq(0), self._kx.eq(self._kx + 1), place_row.eq(place_row + 1)]
            m.d.sync += [channel.eq(0), row.eq(place_row + 1)]
        with m.If(is_line_end):
            line = self._line_row + self.window.kernel_width
            m.d.sync += [self._place.eq(0), word.eq(0), self._kx.eq(0), self._ky.eq(self._ky + 1)]
            m.d.sync += [channel.eq(0), self._line_row.eq(line)]
            m.d.sync += [place_row.eq(line), row.eq(line)]
