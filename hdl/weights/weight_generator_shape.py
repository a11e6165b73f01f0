"""Sizes of the weight generator, and of what is below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.arithmetic.crc32_shape import Crc32Shape
from kakure.hdl.shape.block_shape import BlockShape, Child, FixedShape, Terms
from kakure.hdl.shape.numbers import Number, bits, ceil_div, choose, log2, range_bits

from .layer_weights import WORD, LayerWeights
from .sign_generator_shape import SignGeneratorShape

__all__ = [
    "MAX_TOKEN",
    "BitReaderShape",
    "ImageReaderShape",
    "MaskDecoderShape",
    "MaskedSignsShape",
    "WeightGeneratorShape",
    "most_mask_words",
]

MAX_TOKEN = 5
"""Largest size of a zero-run token [bit]."""


def most_mask_words(weights: Number) -> Number:
    """Words of a coded mask of so many weights at most."""
    return ceil_div(MAX_TOKEN * weights, WORD)


@dataclass(frozen=True)
class BitReaderShape(FixedShape):
    """A word, and how much of it was read."""

    kind = "bit_reader"

    @cached_property
    def flops(self) -> Number:
        """The word and a count up to 32."""
        return (WORD + bits(WORD)) * self.one

    @cached_property
    def gates(self) -> Number:
        """The word is taken as a whole."""
        return 1 * self.one


@dataclass(frozen=True)
class MaskDecoderShape(FixedShape):
    """The word that is being made, how much of it is, and what is left of a token."""

    kind = "mask_decoder"

    @cached_property
    def flops(self) -> Number:
        """The word, its filling, the zeros left, and whether there are some, or a one."""
        return (WORD + range_bits(WORD) + MAX_TOKEN + 2) * self.one

    def children(self) -> Iterator[Child]:
        """The reader of tokens."""
        yield Child("reader", BitReaderShape(self.one))


@dataclass(frozen=True)
class MaskedSignsShape(BlockShape):
    """Signs joined with their mask."""

    signs: SignGeneratorShape

    kind = "masked_signs"
    parameters = ("max_blocks",)
    repeated = frozenset(parameters)

    @property
    def max_blocks(self) -> Number:
        """Words in a row at most."""
        return self.signs.max_blocks

    @cached_property
    def terms(self) -> Terms:
        """Its gates."""
        return {"one": np.ones(np.shape(self.max_blocks))}

    def children(self) -> Iterator[Child]:
        """The mask and the signs."""
        yield Child("mask", MaskDecoderShape())
        yield Child("signs", self.signs)


@dataclass(frozen=True)
class ImageReaderShape(BlockShape):
    """A reader for ``layers`` of up to so many channels and words of a coded mask."""

    layers: Number
    max_outputs: Number
    max_mask_words: Number

    kind = "image_reader"
    parameters = ("layers", "max_outputs", "max_mask_words")
    repeated = frozenset(parameters)

    @cached_property
    def flops(self) -> Number:
        """State 3, token 3, error 3, M 16, S 5, the layer, the channel and the words left."""
        return (
            30 + bits(self.max_mask_words) + range_bits(self.max_outputs) + range_bits(self.layers)
        )

    @cached_property
    def gates(self) -> Number:
        """One for M and S."""
        return 1 + 0 * self.layers

    @cached_property
    def terms(self) -> Terms:
        """Counters, and the checks of a section."""
        left = 1.0 * bits(self.max_mask_words)
        return {
            "left_bit": left,
            "channel_bit": 1.0 * range_bits(self.max_outputs),
            "layer_bit": 1.0 * range_bits(self.layers),
            "one": np.ones(np.shape(left)),
        }

    def children(self) -> Iterator[Child]:
        """The checksum."""
        yield Child("crc", Crc32Shape())


@dataclass(frozen=True)
class WeightGeneratorShape(BlockShape):
    """A generator for ``layers``, each of up to so much; ``signs`` are those of the largest.

    ``max_rows`` and ``max_weights`` are of one layer: no product of the largest numbers. ``waits``
    is 1 where a word stays until it is written.
    """

    layers: Number
    max_rows: Number
    max_outputs: Number
    max_weights: Number
    signs: SignGeneratorShape
    waits: Number = 0

    kind = "weight_generator"
    parameters = ("layers", "max_rows", "max_blocks")
    repeated = frozenset(parameters)

    @classmethod
    def of(
        cls, generator: str, layers: Sequence[LayerWeights], *, waits: bool = False
    ) -> "WeightGeneratorShape":
        """The shape of a generator for ``layers``."""
        signs = SignGeneratorShape(
            max_channels=max(layer.channels for layer in layers),
            max_window=max(layer.window for layer in layers),
            max_blocks=max(layer.blocks for layer in layers),
            is_16=int(generator == "xorshift16"),
            windows=len({layer.window for layer in layers}),
        )
        return cls(
            layers=len(layers),
            max_rows=max(layer.rows for layer in layers),
            max_outputs=max(layer.outputs for layer in layers),
            max_weights=max(layer.rows * layer.outputs for layer in layers),
            signs=signs,
            waits=int(waits),
        )

    @property
    def max_blocks(self) -> Number:
        """Words in a row at most."""
        return self.signs.max_blocks

    @property
    def max_mask_words(self) -> Number:
        """Words of a coded mask at most."""
        return most_mask_words(self.max_weights)

    @cached_property
    def flops(self) -> Number:
        """A word of both polarities, whether there is one, its row and its block.

        Of one that waits, whether it is the last one too.
        """
        return 2 * WORD + 1 + range_bits(self.max_rows) + range_bits(self.max_blocks) + self.waits

    @cached_property
    def gates(self) -> Number:
        """One for a word that waits."""
        return 1.0 * self.waits

    @cached_property
    def free_flops(self) -> Number:
        """Whether there is a word; the word too, where it does not wait."""
        return choose(self.waits == 1, 1, self.flops)

    @cached_property
    def terms(self) -> Terms:
        """The choice of a layer's numbers."""
        return {
            "layer": np.where(self.layers > 1, 1.0 * self.layers, 0.0),
            "one": np.ones(np.shape(self.layers)),
        }

    @property
    def path_terms(self) -> Terms:
        """The choice of a layer, and its rows."""
        return {
            "one": np.ones(np.shape(self.layers)),
            "layers": log2(self.layers),
            "row_bits": log2(bits(self.max_rows)),
        }

    def children(self) -> Iterator[Child]:
        """The reader of the image, and what makes weights of it."""
        reader = ImageReaderShape(self.layers, self.max_outputs, self.max_mask_words)
        yield Child("reader", reader)
        yield Child("masked", MaskedSignsShape(self.signs))
