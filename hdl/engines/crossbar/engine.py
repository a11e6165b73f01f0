"""A layer's grid of crossbar tiles, repeated to work on several positions at once."""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from kakure.hdl.emission.hierarchy import place
from kakure.hdl.emission.identity import layer_identity
from kakure.hdl.engines.ports import WORD, EngineComponent
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer

from .engine_shape import CrossbarEngineShape
from .grid_shape import CrossbarGridShape
from .tile import CrossbarTile

__all__ = ["CrossbarEngine", "CrossbarGrid", "crossbar_identity", "tile_columns"]


def crossbar_identity(config: Config) -> dict[str, int | str | None]:
    """What decides a layer's tiles, but for the layer."""
    return {"crossbar_rows": config.crossbar.rows, "crossbar_columns": config.crossbar.columns}


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
    As :class:`~kakure.hdl.engines.crossbar.tile.CrossbarTile`: ``i`` is taken in the last of
    ``cycles`` cycles.
    """

    def __init__(self, *, config: Config, index: int) -> None:
        self.geometry = config.geometry[index]
        self.shape = CrossbarEngineShape.of(config, index).grid
        self.columns = tile_columns(self.shape)
        self.cycles = self.shape.cycles
        super().__init__(config=config, index=index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, crossbar_identity(self.config))

    def elaborate(self, platform) -> Module:
        m = Module()
        tiles: list[list[CrossbarTile]] = []
        start = 0
        for group in range(self.shape.groups):
            rows = self.shape.rows if group < self.shape.full_groups else self.shape.rest_rows
            tiles.append([])
            for number, columns in enumerate(self.columns):
                tile = self._tile(rows, columns)
                m.submodules[f"tile_{group}_{number}"] = place(tile, platform)
                tiles[group].append(tile)
                self._write(m, tile, columns, start)
                m.d.comb += tile.i.valid.eq(self.i.valid)
                m.d.comb += tile.o.ready.eq(self.o.ready)
                for r in range(rows):
                    m.d.comb += tile.i.payload[r].eq(self.i.payload[start + r])
            start += rows

        # All tiles see the same handshakes and take the same cycles: the first speaks for all.
        m.d.comb += self.i.ready.eq(tiles[0][0].i.ready)
        m.d.comb += self.o.valid.eq(tiles[0][0].o.valid)
        for number, columns in enumerate(self.columns):
            for c in range(columns.used):
                parts = [row[number].o.payload[c] for row in tiles]
                m.d.comb += self.o.payload[columns.first + c].eq(_sum(parts))
        return m

    def _tile(self, rows: int, columns: TileColumns) -> CrossbarTile:
        layer = CrossbarLayer.of(self.config, self.index)
        return CrossbarTile(
            rows=rows,
            columns=columns.columns,
            sharing=layer.column_sharing,
            adc_type=layer.adc_type,
            adc_bits=layer.adc_bits,
            input_bits=layer.input_bits,
            adc_shift=layer.adc_shift,
            write_groups=tuple(width for _, width in columns.pieces),
        )

    def _write(self, m: Module, tile: CrossbarTile, columns: TileColumns, start: int) -> None:
        """Route the words of the tile's rows and blocks to its write port."""
        row = self.weights.row
        is_here = (row >= start) & (row < start + tile.rows)
        m.d.comb += tile.write.valid.eq(self.weights.valid & is_here)
        for group, (block, _) in enumerate(columns.pieces):
            m.d.comb += tile.write.enable[group].eq(self.weights.block == block)
        for polarity in ("positive", "negative"):
            word = self.weights[polarity]
            bits = [word[(columns.first + c) % WORD] for c in range(columns.used)]
            m.d.comb += tile.write[polarity].eq(Cat(bits))


def _sum(values: list[Value]) -> Value:
    """Add signed values as a balanced tree."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return _sum(values[:middle]) + _sum(values[middle:])


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
        super().__init__(config=config, index=index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """What of the configuration this block depends on."""
        return layer_identity(self.config, self.index, crossbar_identity(self.config))

    def elaborate(self, platform) -> Module:
        m = Module()
        grids = [CrossbarGrid(config=self.config, index=self.index) for _ in range(self.copies)]
        for copy, grid in enumerate(grids):
            m.submodules[f"grid_{copy}"] = place(grid, platform)
            m.d.comb += grid.weights.eq(self.weights)
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
