"""From a network to its program: which maps lie where in the two memories, and until when."""

from collections.abc import Sequence
from dataclasses import replace

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.geometry import LayerGeometry

from .program import LayerOperation, Map, Program, SumOperation

__all__ = ["program_alone", "program_of"]


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
    planes = [config.weights_of(geometry.index).widths for geometry in config.geometry]
    return _Planner(config.geometry, array, planes).program(config.shape, config.image_bits)


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
    return _Planner([alone], array, [1]).program(shape, bits)


class _Planner:
    def __init__(
        self, layers: Sequence[LayerGeometry], array: TemporalConfig, planes: Sequence[int]
    ) -> None:
        self.layers = layers
        self.planes = planes
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
            run = runs[g.index]
            operations.append(
                LayerOperation(g, source, written, added, run, self.array, self.planes[g.index])
            )
        return Program(image, tuple(operations), (self.memories[0].words, self.memories[1].words))
