"""Sizes and cycles of a layer's PE engine whose weights are planes in a memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.shape.block_shape import Child
from kakure.hdl.shape.numbers import Number
from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .engine_shape import PeEngineShape

__all__ = ["PlaneEngineShape"]


@dataclass(frozen=True)
class PlaneEngineShape(PeEngineShape):
    """A layer of bitwise weights of so many ``planes``, all of them used.

    Its cycles and memories are said here; its area has no closed form.
    """

    planes: Number = 1

    kind = "plane_engine"
    is_hidden = 0

    @classmethod
    def of(cls, config: Config, index: int) -> "PlaneEngineShape":
        """The engine of a layer on a PE array, with bitwise weights."""
        planes = config.weights_of(index).widths
        return cls(**cls.sizes_of(config, index), is_16=0, planes=planes)

    @cached_property
    def work_cycles(self) -> Number:
        """Cycles from the one that takes a batch's last window to the one that offers sums."""
        return 1 + self.planes * self.plane_cycles

    def children(self) -> Iterator[Child]:
        """None that are known."""
        raise UserError("must be hidden to have a closed form", where=("weights", "kind"))
