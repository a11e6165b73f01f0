"""Size of a frame gate."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.numbers import Number, choose, range_bits

__all__ = ["OWED_BITS", "TOLD_BITS", "WORD", "FrameGateShape"]

WORD = 32
TOLD_BITS = 24
"""Width of a number of words that a program says [bit]."""
OWED_BITS = 16
"""A pipeline of 256 layers, each a window, 64 copies and a requantizer, holds fewer images."""


@dataclass(frozen=True)
class FrameGateShape(BlockShape):
    """A gate for images of ``image_words``; ``is_told`` is 1 where a program says how many."""

    image_words: Number
    is_told: Number = 0

    kind = "frame_gate"
    parameters = ("image_words", "is_told")
    repeated = frozenset({"image_words"})

    @classmethod
    def told(cls) -> "FrameGateShape":
        """A gate that a program tells the size of an image."""
        return cls(1 << TOLD_BITS, 1)

    @cached_property
    def flops(self) -> Number:
        """The word of the image, the counts of results and of wrong frames, events, the error.

        Where an image can be short, three more tell so; one of a word cannot.
        """
        can_be_short = choose(self.image_words > 1, 3, 0)
        return range_bits(self.image_words) + OWED_BITS + WORD + 8 + can_be_short

    @cached_property
    def terms(self) -> Terms:
        """The count of words, and all that is the same in every gate."""
        word = 1.0 * range_bits(self.image_words)
        return {
            "word_bit": word,
            "told_bit": word * self.is_told,
            "one": np.ones(np.shape(word)),
        }
