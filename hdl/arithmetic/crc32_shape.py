"""Size of a checksum."""

from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.shape.block_shape import FixedShape
from kakure.hdl.shape.numbers import Number

__all__ = ["Crc32Shape"]


@dataclass(frozen=True)
class Crc32Shape(FixedShape):
    """A word."""

    kind = "crc32"

    @cached_property
    def flops(self) -> Number:
        """The checksum so far."""
        return 32 * self.one
