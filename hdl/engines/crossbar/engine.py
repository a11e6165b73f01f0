"""A layer's grid of crossbar tiles, repeated to work on several positions at once."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from kakure.hdl.emission.field import drive
from kakure.hdl.emission.hierarchy import Platform, place
from kakure.hdl.emission.identity import layer_identity
from kakure.hdl.engines.ports import WORD, EngineComponent
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer

from .column import (
    CrossbarColumn,
    Tile,
    TileColumns,
    choose_part,
    row_groups,
    tile_columns,
    tree,
)
from .engine_shape import CrossbarEngineShape, has_memory
from .memory_tile import MemoryTile
from .tile import CrossbarTile

__all__ = ["CrossbarEngine", "CrossbarGrid", "crossbar_identity"]


def crossbar_identity(config: Config, index: int) -> dict[str, int | str | None]:
    """What decides a layer's tiles, but for the layer."""
    tiles = config.crossbar
    return {
        "crossbar_rows": tiles.rows,
        "crossbar_columns": tiles.columns,
        **({"crossbar_cells": tiles.cells} if has_memory(config, index) else {}),
    }


MOST_ADDERS = 2048
"""Adders of the sums of row groups, above which each column of tiles is a module of its own."""


class CrossbarGrid(EngineComponent):
    """Sums of a layer over all its row groups: tiles in step, their sums added.

    Bit-equal to :func:`kakure.model.reference.crossbar.crossbar`.

    Parameters
    ----------
    config : Config
    index : int
        The layer.

    Attributes
    ----------
    cycles : int
        Cycles per vector.

    Members
    -------
    weights : ``In(WeightWrite)``
        Writes the cells.
    i : ``In(stream.Signature(ArrayLayout(input_bits, fan_in)))``
        A window.
    o : ``Out(stream.Signature(ArrayLayout(range(-peak, peak + 1), outputs)))``
        Its sums.

    Timing
    ------
    As :class:`~kakure.hdl.engines.crossbar.tile_component.TileComponent`: ``i`` is taken in the
    last of ``cycles`` cycles.
    """

    def __init__(self, *, config: Config, index: int) -> None:
        self.geometry = config.geometry[index]
        self.shape = CrossbarEngineShape.of(config, index).grid
        self.columns = tile_columns(self.shape)
        self.cycles = self.shape.cycles
        super().__init__(config=config, index=index, waits=has_memory(config, index))

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, crossbar_identity(self.config, self.index))

    def elaborate(self, platform) -> Module:
        m = Module()
        adders = self.shape.outputs * (self.shape.groups - 1)
        if len(self.columns) > 1 and adders > MOST_ADDERS:
            self._place_columns(m, platform)
        else:
            self._place_tiles(m, platform)
        return m

    def _say_written(self, m: Module, placed: Iterable[Any]) -> None:
        """A word is written when a tile says so, or none holds its row."""
        if self.waits:
            held = sum(rows for _, rows in row_groups(self.shape))
            is_held = self.weights.row < held
            is_written = Cat(one.written for one in placed).any()
            m.d.comb += self.written.eq(self.weights.valid & (is_written | ~is_held))

    def _place_tiles(self, m: Module, platform: Platform | None) -> None:
        """All tiles side by side, and the sums of each output."""
        tiles: list[list[Tile]] = []
        for group, (start, rows) in enumerate(row_groups(self.shape)):
            tiles.append([])
            for number, columns in enumerate(self.columns):
                tile = (MemoryTile if self.waits else CrossbarTile)(
                    rows=rows, **self._sizes(columns)
                )
                m.submodules[f"tile_{group}_{number}"] = place(tile, platform)
                tiles[group].append(tile)
                self._write(m, tile, columns, start)
                m.d.comb += tile.i.valid.eq(self.i.valid)
                m.d.comb += tile.o.ready.eq(self.o.ready)
                for r in range(rows):
                    m.d.comb += tile.i.payload[r].eq(self.i.payload[start + r])

        # All tiles see the same handshakes and take the same cycles: the first speaks for all.
        self._say_written(m, (tile for row in tiles for tile in row))
        m.d.comb += self.i.ready.eq(tiles[0][0].i.ready)
        m.d.comb += self.o.valid.eq(tiles[0][0].o.valid)
        sums = []
        for number, columns in enumerate(self.columns):
            for c in range(columns.used):
                sums.append(tree([row[number].o.payload[c] for row in tiles]))
        m.d.comb += drive(self.o.payload, sums)

    def _place_columns(self, m: Module, platform: Platform | None) -> None:
        """The same, a module for each column of tiles: one module, where they are equal."""
        placed = []
        for number, columns in enumerate(self.columns):
            column = CrossbarColumn(
                fan_in=self.shape.fan_in,
                groups=tuple(rows for _, rows in row_groups(self.shape)),
                used=columns.used,
                peak=self.geometry.peak,
                has_memory=self.waits,
                **self._sizes(columns),
            )
            m.submodules[f"column_{number}"] = place(column, platform)
            placed.append(column)
            m.d.comb += [
                column.write.valid.eq(self.weights.valid),
                column.write.row.eq(self.weights.row),
                column.i.valid.eq(self.i.valid),
                column.o.ready.eq(self.o.ready),
                Value.cast(column.i.payload).eq(Value.cast(self.i.payload)),
            ]
            self._route(m, column, columns)
        self._say_written(m, placed)
        m.d.comb += self.i.ready.eq(placed[0].i.ready)
        m.d.comb += self.o.valid.eq(placed[0].o.valid)
        m.d.comb += Value.cast(self.o.payload).eq(Cat(column.o.payload for column in placed))

    def _sizes(self, columns: TileColumns) -> dict[str, Any]:
        """What decides a tile of some columns, but for its rows."""
        layer = CrossbarLayer.of(self.config, self.index)
        return {
            "columns": columns.columns,
            "sharing": layer.column_sharing,
            "adc_type": layer.adc_type,
            "adc_bits": layer.adc_bits,
            "input_bits": layer.input_bits,
            "adc_shift": layer.adc_shift,
            "write_groups": tuple(width for _, width in columns.pieces),
        }

    def _write(self, m: Module, tile: Tile, columns: TileColumns, start: int) -> None:
        """Route the words of the tile's rows and blocks to its write port."""
        row = self.weights.row
        is_here = (row >= start) & (row < start + tile.rows)
        m.d.comb += tile.write.valid.eq(self.weights.valid & is_here)
        choose_part(m, tile, row, start)
        self._route(m, tile, columns)

    def _route(self, m: Module, target: Tile | CrossbarColumn, columns: TileColumns) -> None:
        """Route the words of some columns' blocks to what holds those."""
        for group, (block, _) in enumerate(columns.pieces):
            m.d.comb += target.write.enable[group].eq(self.weights.block == block)
        for polarity in ("positive", "negative"):
            word = self.weights[polarity]
            bits = [word[(columns.first + c) % WORD] for c in range(columns.used)]
            m.d.comb += target.write[polarity].eq(Cat(bits))


class CrossbarEngine(EngineComponent):
    """A layer's crossbar grid, or several copies that take the windows in turn.

    Bit-equal to :func:`kakure.model.reference.crossbar.crossbar`; results leave in the order of the
    windows.

    Parameters
    ----------
    config : Config
    index : int
        The layer.

    Members
    -------
    weights, i, o : as :class:`CrossbarGrid`
        All copies get the same weights.

    Timing
    ------
    One copy: as :class:`CrossbarGrid`. Several: each has a register for its window; ``i`` is
    taken in the cycle in which that register is free or freed, the grid starts a cycle later.
    """

    def __init__(self, *, config: Config, index: int) -> None:
        self.shape = CrossbarEngineShape.of(config, index)
        self.copies: int = self.shape.copies
        super().__init__(config=config, index=index, waits=has_memory(config, index))

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, crossbar_identity(self.config, self.index))

    def elaborate(self, platform) -> Module:
        m = Module()
        grids = [CrossbarGrid(config=self.config, index=self.index) for _ in range(self.copies)]
        for copy, grid in enumerate(grids):
            m.submodules[f"grid_{copy}"] = place(grid, platform)
            m.d.comb += grid.weights.eq(self.weights)
        if self.waits:
            m.d.comb += self.written.eq(grids[0].written)
        if self.copies == 1:
            wiring.connect(m, wiring.flipped(self.i), grids[0].i)
            wiring.connect(m, grids[0].o, wiring.flipped(self.o))
        else:
            self._deal(m, grids)
            self._gather(m, grids)
        return m

    def _deal(self, m: Module, grids: list[CrossbarGrid]) -> None:
        """Hand each window to the next copy."""
        turn = Signal(range(self.copies))
        free = Array(~grid.i.valid | grid.i.ready for grid in grids)
        m.d.comb += self.i.ready.eq(free[turn])
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += turn.eq(Mux(turn == self.copies - 1, 0, turn + 1))
        for copy, grid in enumerate(grids):
            valid = Signal(name=f"valid_{copy}")
            window = Signal.like(Value.cast(self.i.payload), name=f"window_{copy}", reset_less=True)
            m.d.comb += grid.i.valid.eq(valid)
            m.d.comb += Value.cast(grid.i.payload).eq(window)
            with m.If(~valid | grid.i.ready):
                m.d.sync += valid.eq(self.i.valid & (turn == copy))
                with m.If(self.i.valid & (turn == copy)):
                    m.d.sync += window.eq(Value.cast(self.i.payload))

    def _gather(self, m: Module, grids: list[CrossbarGrid]) -> None:
        """Take each result from the next copy."""
        turn = Signal(range(self.copies))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += turn.eq(Mux(turn == self.copies - 1, 0, turn + 1))
        with m.Switch(turn):
            for copy, grid in enumerate(grids):
                with m.Case(copy):
                    m.d.comb += self.o.valid.eq(grid.o.valid)
                    m.d.comb += self.o.payload.eq(grid.o.payload)
                    m.d.comb += grid.o.ready.eq(self.o.ready)
