"""The order of work of a layer on a PE array: chunks of weights, blocks of inputs, banks."""

from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.engines.ports import WORD
from kakure.hdl.weights.sign_generator import LATENCY
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights

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
    inputs, outputs, pixels : int
        Size of the array: the configured one, trimmed to what the layer can use.
    banks : int
        Groups of ``outputs`` output channels.
    positions : int
        Output positions of an image; a batch never holds positions of two images.
    """

    def __init__(self, config: Config, index: int) -> None:
        geometry = config.geometry[index]
        self.generator = HiddenWeights.of(config.weights).generator
        self.geometry = geometry
        self.inputs = min(config.pe_array.inputs, geometry.fan_in)
        self.outputs = min(config.pe_array.outputs, geometry.outputs)
        self.pixels = min(config.pe_array.pixels, geometry.positions)
        self.banks = -(-geometry.outputs // self.outputs)
        self.positions = geometry.positions
        self.words_per_row = -(-geometry.outputs // WORD)
        self.first_word = LATENCY[self.generator]

    @cached_property
    def chunk_rows(self) -> int:
        """Rows of a chunk, but for the last one."""
        window = self.geometry.window
        if self.generator == "xorshift32" or self.words_per_row == 1:
            return self.inputs
        return min(window * max(1, self.inputs // window), self.geometry.fan_in)

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks of one pass over the layer's weights."""
        result = []
        for first in range(0, self.geometry.fan_in, self.chunk_rows):
            rows = min(self.chunk_rows, self.geometry.fan_in - first)
            blocks = tuple(min(self.inputs, rows - start) for start in range(0, rows, self.inputs))
            result.append(Chunk(first, rows, rows * self.words_per_row, blocks))
        return tuple(result)

    @property
    def blocks(self) -> int:
        """Blocks of inputs in a window."""
        return sum(len(chunk.blocks) for chunk in self.chunks)

    @property
    def store_cycles(self) -> int:
        """Cycles to store a window; it is taken in the last one."""
        return self.blocks

    @property
    def work_cycles(self) -> int:
        """Cycles from the one that takes a batch's last window to the one that offers sums."""
        words = sum(chunk.words for chunk in self.chunks)
        work = self.blocks * self.banks * self.geometry.input_bits
        return self.first_word + words + work

    @property
    def batch_cycles(self) -> int:
        """Cycles of a full batch, from one to the next, when nothing is waited for."""
        return self.pixels * (self.store_cycles + 1) + self.work_cycles - 1
