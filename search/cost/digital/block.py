"""A kind of block: what is counted of it, from which its area follows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLOCK_GATE_UM2", "FLIP_FLOP_UM2", "Block", "Counts", "Numbers", "Parameters"]

FLIP_FLOP_UM2 = 4.522
"""DFF_X1, the one flip-flop that synthesis uses."""
CLOCK_GATE_UM2 = 3.458
"""CLKGATE_X1."""
LEAST_GATED = 8
"""Flip-flops with a common enable, from which on they get a clock gate instead of multiplexers."""

Numbers = NDArray[Any]
"""Numbers of many blocks, whole or not."""
Parameters = Mapping[str, Numbers]
Terms = Mapping[str, Numbers]


@dataclass(frozen=True)
class Counts:
    """What is in many blocks of one kind, their children not counted; all of the same shape.

    Attributes
    ----------
    flops, gates : array
        Flip-flops and clock gates, exactly: of the generator's structure.
    terms : dict of array
        Counts that combinational logic grows with; each gets a fitted area.
    """

    flops: Numbers
    gates: Numbers
    terms: Terms

    @property
    def sequential_um2(self) -> Numbers:
        """Area of flip-flops and clock gates."""
        return FLIP_FLOP_UM2 * self.flops + CLOCK_GATE_UM2 * self.gates


@dataclass(frozen=True)
class Block:
    """A kind of block.

    Attributes
    ----------
    kind : str
        The generator's name, in snake case.
    parameters : tuple of str
        What :attr:`count` reads.
    count : callable
        Parameters to counts.
    repeated : frozenset of str
        Parameters that only say how often independent, equal parts are there, or how many bits a
        counter has: a block with more of them is known as well as one with as many as were
        measured.
    small_um2 : float
        Errors are weighed relative to the area and this: a block much smaller than it decides no
        coefficient [µm²].
    """

    kind: str
    parameters: tuple[str, ...]
    count: Callable[[Parameters], Counts]
    repeated: frozenset[str] = field(default_factory=frozenset)
    small_um2: float = 20.0


def gated(flops: Numbers) -> Numbers:
    """1 where flip-flops with one enable get a clock gate."""
    return (flops >= LEAST_GATED).astype(np.float64)
