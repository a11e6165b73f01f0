"""The order of work of a layer on a PE array: chunks of weights, blocks of inputs, banks."""

from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.engines.ports import planes_of
from kakure.model.config.config import Config

from .engine_shape import PeEngineShape
from .plane_engine_shape import PlaneEngineShape

__all__ = ["Chunk", "PeSchedule"]


@dataclass(frozen=True)
class Chunk:
    """Weights that are made, and then worked on, together.

    Attributes
    ----------
    first, rows : int
        Unrolled rows, first .. first + rows − 1.
    words : int
        Words of 32 weights.
    blocks : tuple of int
        Rows of each block of inputs.
    """

    first: int
    rows: int
    words: int
    blocks: tuple[int, ...]


class PeSchedule:
    """What a layer's PE array does, in order, for a batch of output positions.

    The windows of a batch are stored, a block of inputs a cycle. Then, chunk after chunk, the
    weights of the chunk are made, and each of its blocks is worked on for every bank of outputs,
    ``input_bits`` cycles each. Then the sums leave, a position a cycle. A chunk is a block; only
    where ``xorshift16`` makes its words channel by channel, it is whole channels.

    Parameters
    ----------
    config : Config
    index : int
        A layer with engine ``pe_array``.

    Attributes
    ----------
    shape : PeEngineShape
        All sizes and cycles.
    inputs, outputs, pixels : int
        Size of the array: the configured one, trimmed to what the layer can use.
    banks : int
        Groups of ``outputs`` output channels.
    positions : int
        Output positions of an image; a batch never holds positions of two images.
    """

    def __init__(self, config: Config, index: int) -> None:
        kind = PlaneEngineShape if planes_of(config) else PeEngineShape
        shape = kind.of(config, index)
        self.geometry = config.geometry[index]
        self.shape = shape
        self.inputs: int = shape.inputs
        self.outputs: int = shape.outputs
        self.pixels: int = shape.pixels
        self.banks: int = shape.banks
        self.positions: int = shape.positions
        self.words_per_row: int = shape.words_per_row
        self.chunk_rows: int = shape.chunk_rows
        self.blocks: int = shape.blocks
        self.store_cycles: int = shape.store_cycles
        self.work_cycles: int = shape.work_cycles
        self.batch_cycles: int = shape.batch_cycles

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks of one pass over the layer's weights."""
        result = []
        for first in range(0, self.geometry.fan_in, self.chunk_rows):
            rows = min(self.chunk_rows, self.geometry.fan_in - first)
            blocks = tuple(min(self.inputs, rows - start) for start in range(0, rows, self.inputs))
            result.append(Chunk(first, rows, rows * self.words_per_row, blocks))
        return tuple(result)
