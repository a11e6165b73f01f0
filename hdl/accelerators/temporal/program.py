"""What the temporal accelerator does with a network: its layers as operations on two memories.

A map lies in one of the memories as words of ``word`` channels, four bits (a digit) of each; wider
activations take two digits, each a plane of words of its own. Word a lies in bank a mod ``slots``,
row a // ``slots``. A layer reads a map in one memory and writes one in the other.

An element adds up ``slots`` words at once. The words of a window are counted kernel row by kernel
row; those of one are neighbours, so they lie in different banks. So that this holds from the end of
a row to the beginning of the next, too, lines of a map are so far apart that both fall into
neighbouring banks, or, where the readers of a map differ, each kernel row is filled up with empty
slots.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.geometry import LayerGeometry

__all__ = [
    "DIGIT",
    "LayerOperation",
    "Map",
    "Program",
    "Slot",
    "SumOperation",
]

DIGIT = 4
"""Bits of an activation in one word [bit]."""


@dataclass(frozen=True)
class Map:
    """A map of activations in a memory.

    Attributes
    ----------
    height, width, channels : int
    bits : int
        Width of an activation [bit].
    words : int
        Words of a position.
    pitch : int
        Words from one line to the next.
    memory, base : int
        Which memory, and the first word there.
    """

    height: int
    width: int
    channels: int
    bits: int
    words: int
    pitch: int
    memory: int
    base: int

    @property
    def digits(self) -> int:
        """Words that one word of channels takes."""
        return -(-self.bits // DIGIT)

    @property
    def plane(self) -> int:
        """Words from one digit to the next, more significant one."""
        return self.height * self.pitch

    @property
    def size(self) -> int:
        """Words in all."""
        return self.digits * self.plane

    def address(self, y: int, x: int, word: int, digit: int) -> int:
        """Where a word of a position lies."""
        return self.base + digit * self.plane + y * self.pitch + x * self.words + word


@dataclass(frozen=True)
class Slot:
    """A word of a window: kernel row and column, and which word of the position."""

    ky: int
    kx: int
    word: int


@dataclass(frozen=True)
class LayerOperation:
    """Windows of a map times weights, pooled and requantized, to another map, or logits.

    Attributes
    ----------
    geometry : LayerGeometry
    source : Map
    target : Map or None
        None for logits.
    added : Map or None
        What is added to the target.
    run : int
        Slots of a kernel row, the empty ones at its end among them.
    array : TemporalConfig
    planes : int
        Planes of its weights, for each of which all blocks are gone through.
    """

    geometry: LayerGeometry
    source: Map
    target: Map | None
    added: Map | None
    run: int
    array: TemporalConfig
    planes: int = 1

    @property
    def blocks(self) -> int:
        """Groups of ``slots`` words that a window takes."""
        return -(-self.geometry.kernel_height * self.run // self.array.slots)

    @property
    def positions(self) -> int:
        """Sums of a channel: all that a pool looks at."""
        g = self.geometry
        return g.pooled_height * g.pooled_width * g.pool**2

    @property
    def position_passes(self) -> int:
        """How often all weights of some channels are made."""
        return -(-self.positions // (self.array.pixels * self.array.batches))

    @property
    def channel_passes(self) -> int:
        """Groups of ``outputs`` channels."""
        return -(-self.geometry.outputs // self.array.outputs)

    def batches(self, position_pass: int) -> int:
        """Batches of ``pixels`` positions in a pass."""
        pixels, most = self.array.pixels, self.array.batches
        rest = self.positions - position_pass * pixels * most
        return min(most, -(-rest // pixels))

    @property
    def digit_planes(self) -> tuple[int, ...]:
        """Bit-planes of each digit, the least significant digit first."""
        bits = self.source.bits
        return tuple(min(DIGIT, bits - DIGIT * d) for d in range(self.source.digits))

    def position(self, number: int) -> tuple[int, int] | None:
        """(y, x) of a window, counted pool by pool; None beyond the last."""
        g = self.geometry
        if number >= self.positions:
            return None
        pooled, inner = divmod(number, g.pool**2)
        row, column = divmod(pooled, g.pooled_width)
        inner_row, inner_column = divmod(inner, g.pool)
        return row * g.pool + inner_row, column * g.pool + inner_column

    def slots(self, block: int) -> Iterator[Slot | None]:
        """The words of a block, None where there is none."""
        g = self.geometry
        for number in range(block * self.array.slots, (block + 1) * self.array.slots):
            ky, place = divmod(number, self.run)
            kx, word = divmod(place, self.source.words)
            is_there = ky < g.kernel_height and kx < g.kernel_width
            yield Slot(ky, kx, word) if is_there else None


@dataclass(frozen=True)
class SumOperation:
    """Sums over a map, shifted and clamped, to a map of one position."""

    source: Map
    target: Map
    shift: int


@dataclass(frozen=True)
class Program:
    """All operations of a network, in order.

    Attributes
    ----------
    image : Map
        Where the image is written.
    operations : tuple
    words : tuple of int
        Words that each memory must hold.
    """

    image: Map
    operations: tuple[LayerOperation | SumOperation, ...]
    words: tuple[int, int]
