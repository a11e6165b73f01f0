"""Sizes and cycles of a layer's PE engine whose weights are planes in a memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kakure.hdl.memory.ram_shape import RamShape
from kakure.hdl.shape.block_shape import Child
from kakure.hdl.shape.numbers import Number, at_most
from kakure.model.config.config import Config
from kakure.model.errors import UserError

from .array_shape import PeArrayShape
from .engine_shape import WORD, PeEngineShape

__all__ = ["PlaneEngineShape"]


@dataclass(frozen=True)
class PlaneEngineShape(PeEngineShape):
    """A layer of bitwise weights of so many ``planes``, all of them used.

    Its cycles and memories are said here; its area has no closed form.
    """

    planes: Number = 1

    kind = "plane_engine"

    @classmethod
    def of(cls, config: Config, index: int) -> "PlaneEngineShape":
        """The engine of a layer on a PE array, with bitwise weights."""
        planes = config.weights.widths
        return cls(**cls.sizes_of(config, index), is_16=0, planes=planes)

    @property
    def peak(self) -> Number:
        """Largest magnitude of a sum."""
        return self.fan_in * ((1 << self.input_bits) - 1) * ((1 << self.planes) - 1)

    @cached_property
    def array(self) -> PeArrayShape:
        """The array."""
        return PeArrayShape(
            inputs=self.inputs,
            outputs=self.outputs,
            pixels=self.pixels,
            input_bits=self.input_bits,
            banks=self.banks,
            sum_bits=self.sum_bits,
            is_hidden=0,
        )

    @property
    def mask(self) -> RamShape:
        """The memory of all planes, one after the other."""
        words = self.planes * self.mask_words
        return RamShape(words, at_most(self.channels, WORD), always_reads=1)

    @cached_property
    def work_cycles(self) -> Number:
        """Cycles from the one that takes a batch's last window to the one that offers sums."""
        work = self.blocks * self.banks * self.array.block_cycles
        return 1 + self.planes * (self.mask_words + work)

    def children(self) -> Iterator[Child]:
        """None that are known."""
        raise UserError("must be hidden to have a closed form", where=("weights", "kind"))
