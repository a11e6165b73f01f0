"""Sizes of the temporal accelerator's memories, all of the same cells."""

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.numbers import Number

from .widths import MEMORY_CELLS

__all__ = ["ram_shape"]


def ram_shape(depth: Number, width: Number) -> RamShape:
    """A memory of ``depth`` words of ``width`` bits."""
    return RamShape(depth, width, is_lstp=int(MEMORY_CELLS == "lstp"))
