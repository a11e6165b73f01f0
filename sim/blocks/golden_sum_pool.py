"""Points of :class:`kakure.hdl.stages.sum_pool.SumPool` and their golden vectors."""

from functools import partial
from pathlib import Path

import numpy as np

from kakure.hdl.stages.sum_pool import SumPool
from kakure.model.reference import stages

from .fields import Fields
from .point import Point
from .vectors import Case, Vectors, step

__all__ = ["points"]

NAMES: tuple[str, ...] = ("positions", "channels", "bits", "shift", "output_bits")
QUICK = (
    (6, 3, 4, 2, 3),  # saturates
    (4, 2, 3, 0, 8),  # more bits than any sum has
)
FULL = (
    (1, 1, 1, 0, 1),
    (1, 3, 4, 2, 2),  # a lone position
    (4, 2, 3, 0, 5),  # every sum fits
    (6, 1, 2, 3, 1),
    (7, 2, 1, 0, 2),
    (9, 1, 8, 4, 8),
    (16, 33, 2, 2, 4),
    (64, 5, 4, 3, 7),
    (49, 2, 8, 13, 1),
)
MAPS = 9


def points() -> list[Point]:
    """Return the quick points and the other shapes."""
    return [
        Point(
            block="sum_pool",
            parameters=parameters,
            make=partial(SumPool, **parameters),
            save_vectors=partial(save_vectors, parameters),
            is_quick=index < len(QUICK),
        )
        for index, shape in enumerate([*QUICK, *FULL])
        for parameters in [dict(zip(NAMES, shape, strict=True))]
    ]


def save_vectors(parameters: dict[str, int], path: Path) -> None:
    """Write the vectors of a point."""
    positions, channels, bits, shift, output_bits = parameters.values()
    rng = np.random.default_rng(1)
    most = (1 << bits) - 1
    x = rng.integers(0, most + 1, (MAPS, positions, 1, channels))
    x[1] = most  # the largest sums
    x[2] = 0  # after larger ones, which must be forgotten
    x[3] = rng.integers(0, 2, x[3].shape) * most
    # Sums about where they saturate, and about a carry into what is left after the shift.
    for n, end in ((4, 1 << (shift + output_bits)), (5, 1 << shift)):
        x[n] = _with_sums(
            rng, min(end, positions * most) - rng.integers(0, 2, channels), x[n], most
        )
    y = stages.sum_pool(x, shift, output_bits).reshape(MAPS, channels)
    inputs = Fields.array([f"channel {channel}" for channel in range(channels)], bits)
    outputs = Fields.array([f"channel {channel}" for channel in range(channels)], output_bits)
    case = Case(
        name=f"{MAPS} maps",
        inputs=[inputs.pack(pixel) for pixel in x.reshape(-1, channels)],
        outputs=[outputs.pack(pixel) for pixel in y],
        where=[f"map {n}" for n in range(MAPS)],
        steps="".join(
            str(step(takes=True, completes=position == positions - 1))
            for position in range(positions)
        ),
    )
    Vectors([case], inputs, outputs, parameters).save(path)


def _with_sums(
    rng: np.random.Generator, sums: np.ndarray, like: np.ndarray, most: int
) -> np.ndarray:
    """A map (positions, 1, channels) of values 0 .. ``most`` with these sums."""
    x = np.zeros_like(like)
    for channel, total in enumerate(sums):
        whole, rest = divmod(int(total), most)
        column = np.zeros(len(x), x.dtype)
        column[:whole] = most
        column[whole : whole + 1] = rest
        x[:, 0, channel] = rng.permutation(column)
    return x
