"""Words of a program image, and of a record in it."""

from amaranth.hdl import Shape
from amaranth.lib import data

__all__ = ["KIND", "WORD", "record_words"]

WORD = 32
"""Width of a word [bit]."""
KIND = 0x54
"""Second byte of a program's header, the letter T."""


def record_words(layout: data.Layout) -> int:
    """Words of a record."""
    return -(-Shape.cast(layout).width // WORD)
