"""One output of the finisher: its scales, and sums by them."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.memory.ram import Ram
from kakure.model.parameters.parameters import MULTIPLIER_BITS, OFFSET_BITS, SHIFT_BITS

from .memory_shape import deep_enough
from .scale_lane_shape import ScaleLaneShape
from .widths import CODE_BITS, MEMORY_CELLS

__all__ = ["ScaleLane", "lane_layout"]


def lane_layout(depth: int) -> data.StructLayout:
    """The write port of a lane's scales."""
    return data.StructLayout({
        "valid": 1,
        "address": range(max(depth, 2)),  # Verilog has no port of width 0
        "multiplier": signed(MULTIPLIER_BITS),
        "offset": signed(OFFSET_BITS),
        "shift": unsigned(SHIFT_BITS),
    })


class ScaleLane(wiring.Component):
    """(sum·M + B) >> S, and sum·M + B, with the scales of one channel of many.

    Unlike the requantizer of a layer of its own, it is told how far to clamp by whoever adds a
    shortcut; it only cuts to what cannot change that.

    Parameters
    ----------
    sum_bits : int
        Width of a sum [bit].
    depth : int
        Channels that there are scales for.

    Members
    -------
    scales : ``In(lane_layout(depth))``
        In a cycle with ``valid`` they are kept.
    read, address : In
        In a cycle with ``read``, the channel of all sums from the next cycle on.
    multiply, value : In
        In a cycle with ``multiply``, ``value`` is taken; not in that of the channel's ``read``.
    scaled : ``Out(signed)``
        From the second cycle after ``multiply`` on, cut to −2^CODE_BITS .. 2^CODE_BITS.
    logit : ``Out(signed)``
        Likewise without shift and cut.
    """

    scales: Any
    read: Signal
    address: Signal
    multiply: Signal
    value: Signal
    scaled: Signal
    logit: Signal

    def __init__(self, *, sum_bits: int, depth: int) -> None:
        self.sum_bits = sum_bits
        self.depth = depth
        self.shape = ScaleLaneShape(sum_bits, depth)
        super().__init__({
            "scales": In(lane_layout(depth)),
            "read": In(1),
            "address": In(range(max(depth, 2))),
            "multiply": In(1),
            "value": In(signed(sum_bits)),
            "scaled": Out(signed(CODE_BITS + 2)),
            "logit": Out(signed(OFFSET_BITS)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        scales = self.scales
        width = MULTIPLIER_BITS + OFFSET_BITS + SHIFT_BITS
        table = Ram(depth=deep_enough(self.depth), width=width, cells=MEMORY_CELLS)
        m.submodules.table = place(table, platform)
        m.d.comb += [
            table.write_address.eq(scales.address),
            table.write_data.eq(Cat(scales.multiplier, scales.offset, scales.shift)),
            table.write_enable.eq(scales.valid),
            table.read_address.eq(self.address),
            table.read_enable.eq(self.read),
        ]
        value = Signal(self.value.shape(), name="taken", reset_less=True)
        multiplier = Signal(signed(MULTIPLIER_BITS), reset_less=True)
        rest = Signal(OFFSET_BITS + SHIFT_BITS, reset_less=True)
        offset = Signal(signed(OFFSET_BITS), reset_less=True)
        shift = Signal(SHIFT_BITS, reset_less=True)
        bits = self.sum_bits + MULTIPLIER_BITS
        product = Signal(signed(bits), reset_less=True)
        multiplies = Signal()
        m.d.sync += multiplies.eq(self.multiply)
        with m.If(self.multiply):
            m.d.sync += [value.eq(self.value), Cat(multiplier, rest).eq(table.read_data)]
        with m.If(multiplies):
            m.d.sync += product.eq(value * multiplier)
            m.d.sync += Cat(offset, shift).eq(rest)
        total = Signal(signed(bits + 2))
        shifted = Signal(signed(bits + 2))
        m.d.comb += [total.eq(product + offset), shifted.eq(total >> shift)]
        least, most = -(1 << CODE_BITS), 1 << CODE_BITS
        m.d.comb += [
            self.scaled.eq(Mux(shifted < least, least, Mux(shifted > most, most, shifted))),
            self.logit.eq(total),
        ]
        return m
