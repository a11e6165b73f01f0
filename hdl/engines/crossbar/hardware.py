"""A crossbar as an engine: component, cycles, size."""

from kakure.hdl.engines.engine import Engine, Push
from kakure.model.config.config import Config
from kakure.model.config.engines.crossbar import CrossbarLayer

from .column import row_groups, tile_columns
from .engine import CrossbarEngine, crossbar_identity
from .engine_shape import CrossbarEngineShape, has_memory
from .timing import CrossbarTiming

__all__ = ["CrossbarHardware"]


class CrossbarHardware(Engine):
    """A layer's grid of tiles, or several copies of it."""

    def __init__(self, config: Config, index: int) -> None:
        self.config = config
        self.index = index
        self.layer = CrossbarLayer.of(config, index)
        self.geometry = config.geometry[index]
        self.shape = CrossbarEngineShape.of(config, index)

    def component(self) -> CrossbarEngine:
        """The hardware itself."""
        return CrossbarEngine(config=self.config, index=self.index)

    @property
    def identity(self) -> dict[str, int | str | None]:
        """Size of the tiles."""
        return crossbar_identity(self.config, self.index)

    @property
    def windows_held(self) -> int:
        """One; with several copies, one in each copy's register and one result in each copy."""
        return self.shape.held_windows

    @property
    def cycles_per_vector(self) -> float:
        """Cycles of a grid, shared by the copies."""
        return self.shape.grid.cycles / self.layer.copies

    @property
    def cycles_per_image(self) -> int:
        """Cycles of the copy that has most windows."""
        return -(-self.geometry.positions // self.layer.copies) * self.shape.grid.cycles

    @property
    def write_cycles(self) -> list[int] | None:
        """CS + 1 with memories, but one for rows that no tile holds."""
        if not has_memory(self.config, self.index):
            return None
        held = sum(rows for _, rows in row_groups(self.shape.grid))
        fan_in = self.geometry.fan_in
        return [self.layer.column_sharing + 1] * held + [1] * (fan_in - held)

    def timing(self, following: Push) -> Push:
        """Follow windows to the cycle."""
        return CrossbarTiming(self.shape.grid.cycles, self.layer.copies, following).push

    @property
    def tiles(self) -> int:
        """Tiles, copies included."""
        across = -(-self.geometry.outputs // self.config.crossbar.columns)
        return len(self.geometry.groups) * across * self.layer.copies

    @property
    def cells(self) -> int:
        """Cells in use, copies included: two for a weight."""
        return 2 * self.geometry.weights * self.layer.copies

    @property
    def adders(self) -> int:
        """Readouts, copies included."""
        sharing = self.layer.column_sharing
        readouts = sum(2 * tile.columns // sharing for tile in tile_columns(self.shape.grid))
        return readouts * len(self.geometry.groups) * self.layer.copies
