"""Shape of an accelerator: the core, the registers and the counters."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.bus.register_bank_shape import RegisterBankShape
from kakure.hdl.shape.block_shape import BlockShape, Child, Terms
from kakure.hdl.shape.numbers import Number

from .counters_shape import CountersShape

__all__ = ["AcceleratorShape"]


@dataclass(frozen=True)
class AcceleratorShape(BlockShape):
    """The top: a ``core``, and registers, of which ``own`` are of its kind alone."""

    core: BlockShape
    own: Number = 0

    kind = "accelerator"
    parameters = ("one",)

    @property
    def one(self) -> Number:
        """1 for each accelerator."""
        return 1 + 0 * self.own

    @cached_property
    def terms(self) -> Terms:
        """Its gates."""
        return {"one": np.ones(np.shape(self.own))}

    def children(self) -> Iterator[Child]:
        """Registers, counters and the core."""
        yield Child("registers", RegisterBankShape(own=self.own))
        yield Child("counters", CountersShape())
        yield Child("core", self.core)
