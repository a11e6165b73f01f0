"""Points of :class:`kakure.hdl.stages.max_pool.MaxPool` and their golden vectors."""

from functools import partial
from pathlib import Path

import numpy as np

from kakure.hdl.stages.max_pool import MaxPool
from kakure.model.reference import stages

from .fields import Fields, signed_bits
from .point import Point
from .vectors import Case, Vectors, step

__all__ = ["points"]

NAMES: tuple[str, ...] = ("height", "width", "channels", "peak", "size")
QUICK = (
    (7, 8, 2, 100, 3),  # two blocks each way, a row and columns left over
    (3, 5, 1, 1000, 3),  # one block wide, columns left over
)
FULL = (
    (5, 7, 2, 9, 2),  # a row and a column left over
    (2, 2, 1, 1, 2),
    (4, 6, 3, 100, 2),
    (8, 3, 2, 7, 3),  # one block wide, rows left over
    (7, 7, 1, 4, 3),
    (4, 4, 5, 3, 4),
    (3, 2, 1, 2, 2),
    (2, 11, 1, 65535, 2),
    (9, 4, 33, 127, 2),
    (5, 5, 1, 1, 5),
)
MAPS = 10


def points() -> list[Point]:
    """Return the quick points and the other shapes."""
    return [
        Point(
            block="max_pool",
            parameters=parameters,
            make=partial(MaxPool, **parameters),
            save_vectors=partial(save_vectors, parameters),
            is_quick=index < len(QUICK),
        )
        for index, shape in enumerate([*QUICK, *FULL])
        for parameters in [dict(zip(NAMES, shape, strict=True))]
    ]


def save_vectors(parameters: dict[str, int], path: Path) -> None:
    """Write the vectors of a point."""
    height, width, channels, peak, size = parameters.values()
    rng = np.random.default_rng(1)
    x = rng.integers(-peak, peak + 1, (MAPS, height, width, channels))
    x[1] = -peak  # after larger ones, which must be forgotten
    x[2] = np.where(x[2] < 0, -peak, peak)
    x[3] = 0
    x[4] = rng.integers(-peak, 1, x[4].shape)
    # Blocks beside and above each other must not share a maximum: it would hide a mix-up.
    slope = np.linspace(-peak, peak, height * width).astype(int).reshape(height, width, 1)
    x[5], x[6] = slope, -slope
    for n in (7, 8, 9):
        caps = rng.integers(-peak, peak + 1, (-(-height // size), -(-width // size), channels))
        x[n] = np.minimum(x[n], caps.repeat(size, 0).repeat(size, 1)[:height, :width])
    y = stages.max_pool(x, size)  # (maps, rows, columns, channels)
    fields = Fields.array(
        [f"channel {channel}" for channel in range(channels)], signed_bits(peak), is_signed=True
    )
    steps = [
        step(takes=True, completes=row % size == size - 1 and column % size == size - 1)
        for row in range(height)
        for column in range(width)
    ]
    case = Case(
        name=f"{MAPS} maps",
        inputs=[fields.pack(pixel) for pixel in x.reshape(-1, channels)],
        outputs=[fields.pack(pixel) for pixel in y.reshape(-1, channels)],
        where=[f"map {n}, position ({r}, {c})" for n, r, c in np.ndindex(y.shape[:3])],
        steps="".join(map(str, steps)),
    )
    Vectors([case], fields, fields, parameters).save(path)
