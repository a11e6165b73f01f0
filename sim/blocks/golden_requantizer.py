"""Points of :class:`kakure.hdl.stages.requantizer.Requantizer` and their golden vectors."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.stages.requantizer import Requantizer
from kakure.model.reference import stages

from .fields import Field, Fields, signed_bits
from .point import Point
from .vectors import Case, Vectors, step

__all__ = ["points"]

NAMES: tuple[str, ...] = ("channels", "lanes", "peak", "output_bits", "shortcut_bits")
QUICK = (
    (5, 2, 77, 3, 0),
    (7, 3, 1234, None, 0),
    (5, 2, 90, 4, 3),
)
FULL = (
    (1, 1, 1, 1, 0),
    (3, 3, 100, 4, 0),
    (5, 1, 960, 8, 0),
    (7, 3, 1000, 1, 0),
    (8, 4, 300000, 5, 0),
    (4, 4, 50, None, 0),
    (1, 1, 16383, None, 0),
    (33, 8, 4095, 4, 0),
    (9, 8, 65535, 2, 0),
    (2, 1, 3, None, 0),
    (1, 1, 1, 1, 1),
    (7, 3, 1000, 8, 8),
    (33, 8, 4095, 5, 1),
)
MULTIPLIERS = (-(1 << 15), -(1 << 15) + 1, -1, 0, 1, (1 << 15) - 1)
OFFSETS = (-(1 << 31), -(1 << 31) + 1, -1, 0, 1, (1 << 31) - 1)
VECTORS = 10


def points() -> list[Point]:
    """Return the quick points and the other sizes."""
    return [
        Point(
            block="requantizer",
            parameters=parameters,
            make=partial(Requantizer, **parameters),
            save_vectors=partial(save_vectors, parameters),
            is_quick=index < len(QUICK),
        )
        for index, shape in enumerate([*QUICK, *FULL])
        for parameters in [dict(zip(NAMES, shape, strict=True))]
    ]


def save_vectors(parameters: dict[str, int | None], path: Path) -> None:
    """Write the vectors of a point."""
    channels, lanes, peak, output_bits, shortcut_bits = parameters.values()
    assert channels is not None
    assert lanes is not None
    assert peak is not None
    assert shortcut_bits is not None
    names = [f"channel {channel}" for channel in range(channels)]
    inputs = Fields([
        *(Field(name, signed_bits(peak), is_signed=True) for name in names),
        *(Field(f"{name} of the shortcut", shortcut_bits) for name in names),
    ])
    # Where the last chunk is not full, what is above the last channel is cut off.
    outputs = Fields.array(names, output_bits or 32, is_signed=output_bits is None)
    last = str(step(takes=True, completes=True))
    steps = str(step(takes=False, completes=False)) * (-(-channels // lanes) - 1) + last

    rng = np.random.default_rng(1)
    cases = []
    for first in range(32):
        shift = rng.integers(0, 32, channels)
        shift[0] = first
        multiplier, offset = _scales(rng, shift, peak, output_bits)
        acc = rng.integers(-peak, peak + 1, (VECTORS, channels))
        acc[0], acc[1], acc[2] = peak, -peak, 0
        x = rng.integers(0, 1 << shortcut_bits, acc.shape)
        x[1] = (1 << shortcut_bits) - 1
        added = stages.shortcut(x, shortcut_bits, output_bits) if output_bits else 0
        y = stages.requantize(acc, multiplier, offset, shift, output_bits, added)
        cases.append(
            Case(
                name=f"shift {first}",
                inputs=[inputs.pack(vector) for vector in np.hstack([acc, x])],
                outputs=[outputs.pack(vector) for vector in y],
                where=["one vector"] * len(y),
                steps=steps,
                writes=_writes(rng, multiplier, offset, shift),
            )
        )
    Vectors(cases, inputs, outputs, parameters, write_port="scales", delay=2).save(path)


def _scales(
    rng: np.random.Generator, shift: NDArray[np.int64], peak: int, output_bits: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """M and B: extremes, any, or such that results lie within and on both sides of the range."""
    channels = len(shift)
    if output_bits is None:  # acc·M + B must fit 32 bits
        room = (1 << 31) - 1
        multiplier = rng.integers(-(1 << 15), 1 << 15, channels)
        multiplier = np.clip(multiplier, -(room // peak), room // peak)
        rest = room - np.abs(multiplier) * peak
        return multiplier, np.array([rng.choice([-r - 1, 0, r]) for r in rest])
    if shift[0] % 4 == 0:
        return rng.choice(MULTIPLIERS, channels), rng.choice(OFFSETS, channels)
    if shift[0] % 4 == 1:
        return rng.integers(-(1 << 15), 1 << 15, channels), rng.integers(
            -(1 << 31), 1 << 31, channels
        )
    height = 1 << output_bits + shift
    reach = np.clip(2 * height // peak, 1, (1 << 15) - 1)
    multiplier = rng.integers(-reach, reach + 1)
    offset = rng.integers(-height // 4, height + height // 4 + 1)
    return multiplier, np.clip(offset, -(1 << 31), (1 << 31) - 1)


def _writes(
    rng: np.random.Generator,
    multiplier: NDArray[np.int64],
    offset: NDArray[np.int64],
    shift: NDArray[np.int64],
) -> list[int]:
    """Words that write the scales, channels in any order."""
    channels = len(multiplier)
    port = Fields([
        Field("valid", 1),
        Field("channel", max(1, (channels - 1).bit_length())),
        Field("multiplier", 16, is_signed=True),
        Field("offset", 32, is_signed=True),
        Field("shift", 5),
    ])
    return [
        port.pack([1, channel, int(multiplier[channel]), int(offset[channel]), int(shift[channel])])
        for channel in map(int, rng.permutation(channels))
    ]
