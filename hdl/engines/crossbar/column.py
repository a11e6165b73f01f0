"""A column of crossbar tiles: the same outputs of all row groups, and their sums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from kakure.hdl.emission.field import drive
from kakure.hdl.emission.hierarchy import place
from kakure.hdl.engines.ports import WORD

from .grid_shape import CrossbarGridShape
from .memory_tile import MemoryTile
from .tile import CrossbarTile

__all__ = [
    "CrossbarColumn",
    "Tile",
    "TileColumns",
    "choose_part",
    "row_groups",
    "tile_columns",
    "tree",
]

Tile = CrossbarTile | MemoryTile


@dataclass(frozen=True)
class TileColumns:
    """The outputs of one column of tiles.

    Attributes
    ----------
    first : int
        First output.
    used : int
        Outputs; the columns beyond them, up to ``columns``, are not connected.
    columns : int
        Columns of the tile, a multiple of the sharing.
    pieces : tuple of (int, int)
        (block of 32 outputs, columns in it), from the first column on.
    """

    first: int
    used: int
    columns: int
    pieces: tuple[tuple[int, int], ...]


def tile_columns(grid: CrossbarGridShape) -> list[TileColumns]:
    """Cut a layer's outputs into tiles, the last one trimmed to whole readouts."""
    result = []
    for number in range(grid.tile_columns):
        first = number * grid.columns
        used = min(grid.columns, grid.outputs - first)
        width = grid.columns if number < grid.wide_tiles else grid.last_columns
        pieces = []
        for block in range(first // WORD, (first + used - 1) // WORD + 1):
            begin = max(first, block * WORD)
            end = min(first + used, (block + 1) * WORD)
            pieces.append((block, end - begin))
        pieces[-1] = (pieces[-1][0], pieces[-1][1] + width - used)
        result.append(TileColumns(first, used, width, tuple(pieces)))
    return result


def row_groups(grid: CrossbarGridShape) -> Iterator[tuple[int, int]]:
    """First row, and rows, of each row group."""
    for group in range(grid.groups):
        yield group * grid.rows, grid.rows if group < grid.full_groups else grid.rest_rows


def choose_part(m: Module, tile: Tile, row: Value, start: int) -> None:
    """Say which part of a tile's rows, the first one at ``start``, has the row that is written."""
    if isinstance(tile, MemoryTile) and tile.conversion > 1:
        starts = range(start + tile.lanes, start + tile.rows, tile.lanes)
        m.d.comb += tile.write.part.eq(sum(((row >= first) for first in starts), Value.cast(0)))


def tree(values: Sequence[Value]) -> Value:
    """Add signed values as a balanced tree."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return tree(values[:middle]) + tree(values[middle:])


class CrossbarColumn(wiring.Component):
    """Sums of up to a tile's width of outputs over all row groups: tiles in step, their sums added.

    Bit-equal to :func:`kakure.model.reference.crossbar.crossbar`. All full columns of a grid are
    one module, so that a grid of many tiles is no larger to elaborate, synthesize or read than one
    of a column.

    Parameters
    ----------
    fan_in : int
        Rows of the layer.
    groups : tuple of int
        Rows of each row group's tile; what is left of ``fan_in`` is not connected.
    used : int
        Outputs.
    peak : int
        Largest magnitude of a sum.
    columns, sharing, adc_type, adc_bits, adc_shift, input_bits, write_groups
        Of the tiles, as :class:`~kakure.hdl.engines.crossbar.tile_component.TileComponent` takes
        them.
    has_memory : bool
        Whether the tiles are those of :class:`~kakure.hdl.engines.crossbar.memory_tile.MemoryTile`.

    Members
    -------
    write : ``In(struct)``
        In a cycle with ``valid``, the tile of ``row`` takes ``positive`` and ``negative`` into the
        columns of the groups with their ``enable`` bit; a bit per output.
    written : ``Out(1)``, with memories
        The last cycle of a row that is written.
    i : ``In(stream.Signature(ArrayLayout(input_bits, fan_in)))``
        A window.
    o : ``Out(stream.Signature(ArrayLayout(range(-peak, peak + 1), used)))``
        Its sums.

    Timing
    ------
    As :class:`~kakure.hdl.engines.crossbar.tile_component.TileComponent`.
    """

    unnamed: ClassVar = {"has_memory": False}

    write: data.View
    written: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        fan_in: int,
        groups: tuple[int, ...],
        used: int,
        peak: int,
        columns: int,
        sharing: int,
        adc_type: str,
        adc_bits: int,
        adc_shift: int,
        input_bits: int,
        write_groups: tuple[int, ...],
        has_memory: bool = False,
    ) -> None:
        self.fan_in = fan_in
        self.groups = groups
        self.used = used
        self.peak = peak
        self.columns = columns
        self.sharing = sharing
        self.adc_type = adc_type
        self.adc_bits = adc_bits
        self.adc_shift = adc_shift
        self.input_bits = input_bits
        self.write_groups = write_groups
        self.has_memory = has_memory
        write = data.StructLayout({
            "valid": 1,
            "row": range(fan_in),
            "enable": len(write_groups),
            "positive": used,
            "negative": used,
        })
        sums = data.ArrayLayout(range(-peak, peak + 1), used)
        super().__init__({
            "write": In(write),
            **({"written": Out(1)} if has_memory else {}),
            "i": In(stream.Signature(data.ArrayLayout(input_bits, fan_in))),
            "o": Out(stream.Signature(sums)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        window, start = Value.cast(self.i.payload), 0
        tiles: list[Any] = []
        for group, rows in enumerate(self.groups):
            tile = (MemoryTile if self.has_memory else CrossbarTile)(
                rows=rows,
                columns=self.columns,
                sharing=self.sharing,
                adc_type=self.adc_type,
                adc_bits=self.adc_bits,
                input_bits=self.input_bits,
                adc_shift=self.adc_shift,
                write_groups=self.write_groups,
            )
            m.submodules[f"tile_{group}"] = place(tile, platform)
            tiles.append(tile)
            end = start + rows
            is_here = (self.write.row >= start) & (self.write.row < end)
            m.d.comb += [
                tile.write.valid.eq(self.write.valid & is_here),
                *(
                    tile.write[name].eq(self.write[name])
                    for name in ("enable", "positive", "negative")
                ),
                tile.i.valid.eq(self.i.valid),
                tile.o.ready.eq(self.o.ready),
                Value.cast(tile.i.payload).eq(
                    window[start * self.input_bits : end * self.input_bits]
                ),
            ]
            choose_part(m, tile, self.write.row, start)
            start = end

        if self.has_memory:
            m.d.comb += self.written.eq(Cat(tile.written for tile in tiles).any())
        # All tiles see the same handshakes and take the same cycles: the first speaks for all.
        m.d.comb += self.i.ready.eq(tiles[0].i.ready)
        m.d.comb += self.o.valid.eq(tiles[0].o.valid)
        sums = [tree([tile.o.payload[c] for tile in tiles]) for c in range(self.used)]
        m.d.comb += drive(self.o.payload, sums)
        return m
