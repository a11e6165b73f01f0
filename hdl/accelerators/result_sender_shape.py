"""Sizes of a result sender."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import BlockShape, Terms
from kakure.hdl.shape.numbers import Number, choose, range_bits

__all__ = ["LOGIT_BITS", "ResultSenderShape"]

LOGIT_BITS = 32


@dataclass(frozen=True)
class ResultSenderShape(BlockShape):
    """A sender of ``classes`` logits, or of the class."""

    classes: Number

    kind = "result_sender"
    parameters = ("classes",)
    repeated = frozenset(parameters)

    @cached_property
    def flops(self) -> Number:
        """What is sent; of several classes the index, the best one so far, and its logit."""
        return 1 + choose(self.classes > 1, 2 * range_bits(self.classes) + LOGIT_BITS, 0)

    @cached_property
    def gates(self) -> Number:
        """The best one is kept as a whole."""
        return choose(self.classes > 1, 1.0, 0.0)

    @cached_property
    def terms(self) -> Terms:
        """The choice of a logit, and its comparator."""
        index = 1.0 * range_bits(self.classes)
        return {
            "class": np.where(self.classes > 1, 1.0 * self.classes, 0.0),
            "index_bit": index,
            "many": np.where(self.classes > 1, 1.0, 0.0),
            "one": np.ones(np.shape(index)),
        }
