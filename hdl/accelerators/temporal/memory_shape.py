"""Sizes of the temporal accelerator's memories, all of the same cells."""

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.nets import MACRO_DEPTH
from kakure.hdl.shape.numbers import Number, at_least

from .widths import MEMORY_CELLS

__all__ = ["deep_enough", "ram_shape"]


def deep_enough(words: Number) -> Number:
    """Words of a memory that needs so many, but no fewer than make a macro.

    Fewer would be flip-flops: 31 words of 53 bits take four times the area of a macro of 32.
    """
    return at_least(words, MACRO_DEPTH)


def ram_shape(depth: Number, width: Number) -> RamShape:
    """A memory of ``depth`` words of ``width`` bits."""
    return RamShape(depth, width, is_lstp=int(MEMORY_CELLS == "lstp"))
