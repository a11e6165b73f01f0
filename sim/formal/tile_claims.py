"""A tile of memory cells is a tile of registers."""

from typing import Any

from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value

from kakure.hdl.engines.crossbar.tile import CrossbarTile

__all__ = ["is_a_tile_of_registers"]


def is_a_tile_of_registers(m: Module, block: Any) -> None:
    """Once all rows are written, whatever they are, both do the same in every cycle."""
    m.submodules.other = other = CrossbarTile(
        rows=block.rows,
        columns=block.columns,
        sharing=block.sharing,
        adc_type=block.adc_type,
        adc_bits=block.adc_bits,
        adc_shift=block.adc_shift,
        input_bits=block.input_bits,
    )
    row = Signal(range(block.rows + 1))
    is_loaded = row == block.rows
    with m.If(block.written):
        m.d.sync += row.eq(row + 1)
    old, stays = Signal(len(Value.cast(block.write))), Signal()
    m.d.sync += [old.eq(Value.cast(block.write)), stays.eq(block.write.valid & ~block.written)]
    m.d.comb += [
        Assume(~stays | (Value.cast(block.write) == old), "a row stays until it is written"),
        Assume(block.write.valid == ~is_loaded, "every row is written, once"),
        Assume(block.write.enable == 1, "all columns"),
        Assume(is_loaded | ~block.i.valid, "then vectors come"),
    ]
    if block.conversion > 1:
        m.d.comb += Assume(block.write.part == row // block.lanes, "the part of the row")
    m.d.comb += [
        other.write.valid.eq(block.written),
        other.write.enable.eq(block.write.enable),
        other.write.positive.eq(block.write.positive),
        other.write.negative.eq(block.write.negative),
        other.i.valid.eq(block.i.valid),
        Value.cast(other.i.payload).eq(Value.cast(block.i.payload)),
        other.o.ready.eq(block.o.ready),
        Assert(~is_loaded | (block.i.ready == other.i.ready), "vectors are taken alike"),
        Assert(~is_loaded | (block.o.valid == other.o.valid), "sums come alike"),
        Assert(
            Mux(block.o.valid, Value.cast(block.o.payload) == Value.cast(other.o.payload), 1),
            "the sums",
        ),
    ]
