"""Sizes of a sliding window that leaves windows out."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from kakure.hdl.shape.block_shape import Terms
from kakure.hdl.shape.numbers import Number, choose, range_bits

from .sliding_window_shape import SlidingWindowShape

__all__ = ["StridedWindowShape"]


@dataclass(frozen=True)
class StridedWindowShape(SlidingWindowShape):
    """A window that moves by ``stride``, as :class:`.StridedWindow` takes it."""

    stride: Number

    kind = "strided_window"
    parameters = (*SlidingWindowShape.parameters, "stride")

    @classmethod
    def of(cls, window: SlidingWindowShape, stride: Number) -> "StridedWindowShape":
        """A window, moved by ``stride``."""
        sizes = {field.name: getattr(window, field.name) for field in fields(window)}
        return cls(**sizes, stride=stride)

    @property
    def _is_lone(self) -> Number:
        """Whether a window is a pixel of a map without zeros: all that counts is its place."""
        return (self.kernel_height * self.kernel_width == 1) & (self.padding == 0)

    @property
    def _has_x(self) -> Number:
        """Even a window of one pixel has to know its place."""
        return self.stride > 1

    @property
    def _counters(self) -> Number:
        """Of the row that place is enough where no row is left over."""
        x, y = range_bits(self.padded_width), range_bits(self.padded_height)
        is_row_lone = (self.kernel_height == 1) & (self.padding == 0)
        is_place_enough = is_row_lone & (self.height % self.stride == 0)
        return x + choose(is_place_enough, range_bits(self.stride), y)

    @cached_property
    def terms(self) -> Terms:
        """Those of a window without a stride; what only counts its place is simpler."""
        count = 1.0 * self._counters
        return {
            **super().terms,
            "counter_bit": np.where(self._is_lone, 0.0, count),
            "place_bit": np.where(self._is_lone, count, 0.0),
        }
