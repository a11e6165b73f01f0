"""Areas of the blocks of an instance tree, and which of them lie outside what was measured."""

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.engines.crossbar.tile_shape import TileShape
from kakure.hdl.memory.ram_shape import RamShape
from kakure.search.cost.unfitted import Unfitted

from .coefficients import Coefficients
from .tree import Part

__all__ = ["areas_of", "known_parts", "memory_bits"]

Floats = NDArray[np.float64]


def known_parts(
    coefficients: Coefficients, parts: list[Part], count: int, *, repeated: bool = False
) -> tuple[NDArray[np.bool_], list[Unfitted]]:
    """Which layers lie within the fitted range of every block, and an error where one does not.

    Of every parameter of every block one error, with the first layer that it is outside in.
    """
    is_known = np.ones(count, bool)
    errors: dict[str, Unfitted] = {}
    for part in parts:
        wrong, found = coefficients.outside(part, repeated=repeated)
        is_known[part.where[wrong]] = False
        for place, line in found:
            error = Unfitted(line, where=("layers", int(part.where[place])))
            errors.setdefault(str(error), error)
    return is_known, list(errors.values())


def areas_of(
    coefficients: Coefficients, parts: list[Part], count: int
) -> dict[tuple[str, bool], Floats]:
    """Area of each of ``count`` layers by kind of block, and whether it is outside its range.

    Errors of one kind add up.
    """
    found: dict[tuple[str, bool], Floats] = {}
    for part in parts:
        area = coefficients.area_um2(part)
        outside = coefficients.outside(part)[0]
        outside |= coefficients.outside(part, repeated=True)[0]
        for key, mine in (((part.kind, False), ~outside), ((part.kind, True), outside)):
            if mine.any():
                there = found.setdefault(key, np.zeros(count))
                there[part.where] += np.where(mine, area, 0.0)
    return found


def memory_bits(part: Part) -> Floats:
    """Bits that a part remembers for longer than a vector: memories, masks, cells."""
    if isinstance(part.shape, RamShape):
        return part.count * part.shape.bits
    if isinstance(part.shape, TileShape):
        return part.count * part.shape.cells
    return np.zeros(len(part.where))
