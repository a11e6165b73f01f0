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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry

__all__ = [
    "DIGIT",
    "LayerOperation",
    "Map",
    "Program",
    "Slot",
    "SumOperation",
    "program_alone",
    "program_of",
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
    """

    geometry: LayerGeometry
    source: Map
    target: Map | None
    added: Map | None
    run: int
    array: TemporalConfig

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


class _Memory:
    """Which words of a memory are taken, and until which operation."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int, int]] = []
        self.words = 0

    def take(self, size: int, begin: int, end: int) -> int:
        """The lowest place for ``size`` words, from operation ``begin`` to the end of ``end``."""
        self.taken = [entry for entry in self.taken if entry[2] >= begin]
        base = 0
        for start, stop, _ in sorted(self.taken):
            if base + size <= start:
                break
            base = max(base, stop)
        self.taken.append((base, base + size, end))
        self.words = max(self.words, base + size)
        return base


def program_of(config: Config) -> Program:
    """The operations of a configuration, whose accelerator is temporal."""
    array = TemporalConfig.of(config.accelerator)
    return _Planner(config.geometry, array).program(config.shape, config.image_bits)


def program_alone(geometry: LayerGeometry, array: TemporalConfig) -> Program:
    """The operations of one layer, as they are in every network where it alone reads its map.

    Parameters
    ----------
    geometry : LayerGeometry
        What it adds, if it adds, is what it reads.
    array : TemporalConfig
    """
    alone = replace(geometry, index=0, reads=0, adds=None if geometry.adds is None else 0)
    shape = geometry.read_height, geometry.read_width, geometry.in_channels
    bits = geometry.input_bits if geometry.summed is None else geometry.summed.bits
    return _Planner([alone], array).program(shape, bits)


class _Planner:
    def __init__(self, layers: Sequence[LayerGeometry], array: TemporalConfig) -> None:
        self.layers = layers
        self.array = array
        self.memories = _Memory(), _Memory()
        # Operations are counted: a layer that sums first is two of them.
        self.begins: list[int] = []
        count = 0
        for geometry in layers:
            self.begins.append(count)
            count += 1 if geometry.summed is None else 2

    def _readers(self, number: int) -> list[LayerGeometry]:
        """The layers whose windows lie in a map."""
        return [g for g in self.layers if g.reads == number and g.summed is None]

    def _last_use(self, number: int) -> int:
        """The last operation that reads or adds a map; only windows add, and those sum nothing."""
        users = (g for g in self.layers if number in (g.reads, g.adds))
        return max((self.begins[g.index] for g in users), default=0)

    def _runs(self, words: int, readers: list[LayerGeometry]) -> tuple[dict[int, int], int]:
        """Slots of a kernel row for each reader, and the bank in which the next line begins."""
        slots = self.array.slots
        tall = {g.kernel_width * words % slots for g in readers if g.kernel_height > 1}
        if len(tall) > 1:
            runs = {g.index: -(-g.kernel_width * words // slots) * slots for g in readers}
            return runs, 0
        runs = {g.index: g.kernel_width * words for g in readers}
        return runs, tall.pop() if tall else 0

    def _map(
        self, shape: tuple[int, int, int], bits: int, readers: list[LayerGeometry]
    ) -> tuple[Map, dict[int, int]]:
        height, width, channels = shape
        words = -(-channels // self.array.word)
        runs, bank = self._runs(words, readers)
        pitch = width * words
        pitch += (bank - pitch) % self.array.slots
        return Map(height, width, channels, bits, words, pitch, 0, 0), runs

    def _placed(self, found: Map, memory: int, begin: int, end: int) -> Map:
        base = self.memories[memory].take(found.size, begin, end)
        return Map(
            found.height, found.width, found.channels, found.bits, found.words, found.pitch,
            memory, base,
        )  # fmt: skip

    def program(self, image_shape: tuple[int, int, int], image_bits: int) -> Program:
        runs: dict[int, int] = {}
        image, found = self._map(image_shape, image_bits, self._readers(0))
        runs |= found
        image = self._placed(image, 0, 0, self._last_use(0))
        maps = [image]
        operations: list[LayerOperation | SumOperation] = []
        for g in self.layers:
            begin, source = self.begins[g.index], maps[g.reads]
            if g.summed is not None:
                shape = 1, 1, g.in_channels
                target, found = self._map(shape, g.input_bits, [g])
                runs |= found
                target = self._placed(target, 1 - source.memory, begin, begin + 1)
                operations.append(SumOperation(source, target, g.summed.shift))
                source, begin = target, begin + 1
            written: Map | None = None
            if g.output_bits is not None:
                shape = g.pooled_height, g.pooled_width, g.outputs
                number = g.index + 1
                written, found = self._map(shape, g.output_bits, self._readers(number))
                runs |= found
                end = max(begin, self._last_use(number))
                written = self._placed(written, 1 - source.memory, begin, end)
                maps.append(written)
            added = None if g.adds is None else maps[g.adds]
            operations.append(LayerOperation(g, source, written, added, runs[g.index], self.array))
        return Program(image, tuple(operations), (self.memories[0].words, self.memories[1].words))
