"""Words of an image: a number that is built in, or one that a program says."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import ShapeLike, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from .frame_gate_shape import TOLD_BITS

__all__ = ["ImageLength"]


@dataclass(frozen=True)
class ImageLength:
    """How many words an image has.

    Attributes
    ----------
    words : int, at least 1, or None
        So many; None where a program says how many.

    Raises
    ------
    ValueError
        If ``words`` is below 1.
    """

    words: int | None

    def __post_init__(self) -> None:
        if self.words is not None and self.words < 1:
            raise ValueError(f"image_words must be at least 1, not {self.words!r}")

    @property
    def members(self) -> dict[str, wiring.Member]:
        """``last_word : In(24)``, words of an image, but one, where a program says so."""
        return {"last_word": In(TOLD_BITS)} if self.words is None else {}

    @property
    def count(self) -> ShapeLike:
        """Shape of the number of a word."""
        return unsigned(TOLD_BITS) if self.words is None else range(self.words)

    def last_word(self, block: Any) -> Any:
        """Number of the last word, of a block with these ``members``."""
        return block.last_word if self.words is None else self.words - 1
