"""Which bit of which word each row of a window has, and how it comes there from the planes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.model.config.geometry import LayerGeometry

from .kernel import PIECE

__all__ = ["WORD", "PackedWindow"]

WORD = 64
"""Bits of a word."""


@dataclass(frozen=True)
class PackedWindow:
    """The rows of a layer's window in words, every group in words of its own.

    A count does not depend on the order of the rows of its group: they are put in the order
    (ky, kx, channel), in which the planes have many of them beside each other.

    Parameters
    ----------
    geometry : LayerGeometry
    sizes : sequence of int
        Rows of each group, in the order of :func:`kakure.model.reference.stages.windows`.
    """

    geometry: LayerGeometry
    sizes: Sequence[int]

    @property
    def groups(self) -> int:
        """Groups of rows."""
        return len(self.sizes)

    @property
    def words(self) -> int:
        """Words of each group; those of a smaller one end in zeros."""
        return -(-max(self.sizes) // WORD)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The rows, in the order in which they are put."""
        channel, ky, kx = self._tap(np.arange(self.geometry.fan_in))
        return np.lexsort((channel, kx, ky, self._group))

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """Bit of each of :attr:`rows`, counted through all words."""
        starts = np.cumsum(self.sizes) - np.array(self.sizes)
        inside = np.arange(self.geometry.fan_in) - starts[self._group]
        return self._group * self.words * WORD + inside

    @cached_property
    def pieces(self) -> NDArray[Any]:
        """What moves the bits of the planes of a map into the words of a window."""
        geometry = self.geometry
        channel, ky, kx = self._tap(self.rows)
        word, bit = self.places // WORD, self.places % WORD
        chunks = -(-geometry.in_channels // WORD)
        plane_word = (ky * chunks + channel // WORD) * geometry.padded_width + kx
        is_new = np.ones(len(channel), bool)
        is_new[1:] = (np.diff(plane_word) != 0) | (np.diff(word) != 0)
        first = np.flatnonzero(is_new)
        lengths = np.diff(first, append=len(channel))
        found = np.zeros(len(first), PIECE)
        found["offset"] = plane_word[first] * geometry.input_bits
        found["word"] = word[first]
        found["turn"] = (channel[first] - bit[first]) % WORD
        ones = ~np.uint64(0) >> (WORD - lengths).astype(np.uint64)
        found["mask"] = ones << bit[first].astype(np.uint64)
        return found

    @cached_property
    def _group(self) -> NDArray[np.int64]:
        """Group of each row."""
        return np.repeat(np.arange(self.groups), self.sizes)

    def _tap(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Channel, ky and kx of rows."""
        channel, tap = np.divmod(rows, self.geometry.window)
        return channel, *np.divmod(tap, self.geometry.kernel_width)
