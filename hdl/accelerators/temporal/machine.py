"""The temporal accelerator in plain integers: its operations one after the other, word by word.

What decides which words are read and written, and in which order; that the results are those of
:func:`kakure.model.reference.network.network` is tested. Slow, for small networks.
"""

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.accelerators.temporal import TemporalConfig
from kakure.model.config.config import Config
from kakure.model.config.weights.hidden import HiddenWeights
from kakure.model.parameters.parameters import LayerParameters, Parameters
from kakure.model.reference.stages import quantize_image, requantize, shortcut

from .planner import program_of
from .program import DIGIT, LayerOperation, Map, SumOperation

__all__ = ["Machine"]

MASK = (1 << DIGIT) - 1

IntArray = NDArray[np.int64]


class Machine:
    """A configuration with parameters, and its two memories of activations.

    Parameters
    ----------
    config : Config
        Its accelerator is temporal.
    parameters : Parameters
    """

    def __init__(self, config: Config, parameters: Parameters) -> None:
        self.config = config
        self.parameters = parameters
        self.program = program_of(config)
        self.word = TemporalConfig.of(config.accelerator).word
        self.memories = [np.zeros((words, self.word), np.int64) for words in self.program.words]
        self.logits = np.zeros(0, np.int64)

    def run(self, image: NDArray[np.uint8]) -> IntArray:
        """Logits of an image, (h, w, c) -> (classes,)."""
        for memory in self.memories:
            memory[:] = np.random.default_rng(1).integers(0, 1 << DIGIT, memory.shape)
        codes = quantize_image(image, self.config.image_bits)
        for y, x in np.ndindex(codes.shape[:2]):
            self._write(self.program.image, y, x, codes[y, x].astype(np.int64))
        for operation in self.program.operations:
            if isinstance(operation, SumOperation):
                self._sum(operation)
            else:
                self._layer(operation)
        return self.logits

    def _write(self, target: Map, y: int, x: int, codes: IntArray, first_word: int = 0) -> None:
        """Write codes of consecutive channels; lanes beyond the last channel take zeros."""
        padded = np.zeros(-(-len(codes) // self.word) * self.word, np.int64)
        padded[: len(codes)] = codes
        for number, lanes in enumerate(padded.reshape(-1, self.word)):
            for digit in range(target.digits):
                address = target.address(y, x, first_word + number, digit)
                self.memories[target.memory][address] = lanes >> (DIGIT * digit) & MASK

    def _read(self, source: Map, y: int, x: int, word: int) -> IntArray:
        """Codes of a word of channels."""
        digits = (
            self.memories[source.memory][source.address(y, x, word, digit)] << (DIGIT * digit)
            for digit in range(source.digits)
        )
        return sum(digits, start=np.zeros(self.word, np.int64))

    def _sum(self, operation: SumOperation) -> None:
        source, target = operation.source, operation.target
        for word in range(source.words):
            total = sum(
                self._read(source, y, x, word)
                for y in range(source.height)
                for x in range(source.width)
            )
            codes = np.minimum(total >> operation.shift, (1 << target.bits) - 1)
            self._write(target, 0, 0, codes, word)

    def _layer(self, operation: LayerOperation) -> None:
        g, array = operation.geometry, operation.array
        layer = self.parameters.layers[g.index]
        logits = []
        for channel_pass in range(operation.channel_passes):
            first = channel_pass * array.outputs
            pools = _Pools(g.pool**2)
            for position_pass in range(operation.position_passes):
                sums = self._sums(operation, layer, first, position_pass)
                for batch in range(operation.batches(position_pass)):
                    for pixel in range(array.pixels):
                        number = array.pixels * (position_pass * array.batches + batch) + pixel
                        if number >= operation.positions:
                            continue
                        largest = pools.take(sums[batch, pixel])
                        if largest is not None:
                            logits.append(self._finish(operation, layer, first, number, largest))
        if operation.target is None:
            self.logits = np.concatenate(logits)[: g.outputs]

    def _sums(
        self, operation: LayerOperation, layer: LayerParameters, first: int, position_pass: int
    ) -> IntArray:
        """Accumulators of a pass, (batches, pixels, outputs)."""
        array = operation.array
        batches = operation.batches(position_pass)
        sums = np.zeros((batches, array.pixels, array.outputs), np.int64)
        for plane, block in np.ndindex(operation.planes, operation.blocks):
            weights = self._weights(operation, layer, first, block, plane)
            if plane and not block:
                sums *= 2
            for batch in range(batches):
                for digit, planes in enumerate(operation.digit_planes):
                    start = array.pixels * (position_pass * array.batches + batch)
                    x = np.stack([
                        self._fetch(operation, block, start + pixel, digit)
                        for pixel in range(array.pixels)
                    ])
                    partial = np.zeros((array.pixels, array.outputs), np.int64)
                    for plane in reversed(range(planes)):
                        partial = 2 * partial + (x >> plane & 1) @ weights
                    sums[batch] += partial << (DIGIT * digit)
        return sums

    def _weights(
        self, operation: LayerOperation, layer: LayerParameters, first: int, block: int, plane: int
    ) -> IntArray:
        """Weights of a block, (inputs, outputs), row by row from sign and mask, or of a plane."""
        g, array, word = operation.geometry, operation.array, self.word
        weights_ = self.config.weights
        if isinstance(weights_, HiddenWeights):
            made = weights_.values(g, layer.mask)
        else:
            made = 2 * layer.masks[plane].astype(np.int64) - 1
        weights = np.zeros((array.inputs, array.outputs), np.int64)
        for number, slot in enumerate(operation.slots(block)):
            if slot is None:
                continue
            for lane in range(word):
                channel = slot.word * word + lane
                if channel >= g.in_channels:
                    continue
                row = channel * g.window + slot.ky * g.kernel_width + slot.kx
                some = made[row, first : first + array.outputs]
                weights[number * word + lane, : len(some)] = some
        return weights

    def _fetch(self, operation: LayerOperation, block: int, number: int, digit: int) -> IntArray:
        """One digit of a window's block, (inputs,): a word from each bank."""
        g, array, source = operation.geometry, operation.array, operation.source
        result = np.zeros(array.inputs, np.int64)
        place = operation.position(number)
        banks = set()
        for slot_number, slot in enumerate(operation.slots(block)):
            if slot is None or place is None:
                continue
            y = place[0] * g.stride + slot.ky - g.padding
            x = place[1] * g.stride + slot.kx - g.padding
            if not (0 <= y < source.height and 0 <= x < source.width):
                continue
            address = source.address(y, x, slot.word, digit)
            bank = address % array.slots
            assert bank not in banks, "two words of a block lie in one bank"
            banks.add(bank)
            lanes = slice(slot_number * self.word, (slot_number + 1) * self.word)
            result[lanes] = self.memories[source.memory][address]
        return result

    def _finish(
        self, operation: LayerOperation, layer: LayerParameters, first: int, number: int,
        sums: IntArray,
    ) -> IntArray:  # fmt: skip
        """Requantize a position's sums of a channel pass, and write them; the codes or logits."""
        g, array = operation.geometry, operation.array
        there = slice(first, min(first + array.outputs, g.outputs))
        sums = sums[: there.stop - first]
        y, x = divmod(number // g.pool**2, g.pooled_width)
        words = range(first // self.word, -(-there.stop // self.word))
        more: IntArray | int = 0
        if operation.added is not None and g.output_bits is not None:
            codes = np.concatenate([self._read(operation.added, y, x, word) for word in words])
            more = shortcut(codes[: len(sums)], g.added_bits, g.output_bits)
        result = requantize(
            sums, layer.multiplier[there], layer.offset[there], layer.shift[there],
            g.output_bits, more,
        )  # fmt: skip
        if operation.target is not None:
            self._write(operation.target, y, x, result, words.start)
        return result


class _Pools:
    """Maximum over each ``count`` vectors in a row."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seen = 0
        self.largest = np.zeros(0, np.int64)

    def take(self, sums: IntArray) -> IntArray | None:
        """The maximum, with the last vector of a pool."""
        self.largest = sums if self.seen == 0 else np.maximum(self.largest, sums)
        self.seen = (self.seen + 1) % self.count
        return None if self.seen else self.largest
