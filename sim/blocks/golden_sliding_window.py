"""Points of sliding windows, those with a stride among them, and their golden vectors."""

from functools import partial
from pathlib import Path

import numpy as np

from kakure.hdl.stages.sliding_window import SlidingWindow
from kakure.hdl.stages.strided_window import StridedWindow
from kakure.model.reference import stages

from .fields import Fields
from .point import Point
from .vectors import Case, Vectors, step

__all__ = ["points"]

NAMES: tuple[str, ...] = (
    "height",
    "width",
    "channels",
    "bits",
    "kernel_height",
    "kernel_width",
    "padding",
)
QUICK = (
    (5, 4, 2, 3, 3, 3, 1),
    (2, 3, 1, 2, 2, 2, 3),  # windows wholly outside the map
)
FULL = (
    (1, 1, 1, 1, 1, 1, 0),
    (4, 5, 3, 2, 2, 3, 0),
    (3, 3, 1, 2, 3, 3, 1),  # as wide as the map, but not as the padded one
    (3, 3, 1, 4, 5, 5, 2),
    (3, 4, 1, 2, 1, 1, 1),
    (2, 5, 3, 2, 1, 3, 0),
    (5, 3, 1, 2, 3, 1, 0),
    (6, 3, 1, 1, 3, 3, 0),  # as wide as the map
    (5, 4, 2, 3, 5, 4, 0),  # the whole map: a linear layer
    (1, 1, 7, 8, 1, 1, 0),
    (1, 1, 2, 3, 3, 3, 1),  # the whole padded map
    (4, 1, 1, 1, 2, 1, 0),
    (1, 9, 1, 1, 1, 2, 0),
    (9, 17, 3, 8, 3, 3, 1),
)
STRIDED_QUICK = ((5, 4, 2, 3, 3, 3, 1, 2),)  # a column left over
STRIDED_FULL = (
    (4, 5, 1, 2, 2, 3, 0, 2),
    (4, 4, 2, 2, 1, 1, 0, 2),  # one pixel in four
    (3, 3, 1, 2, 1, 1, 1, 2),
    (3, 3, 1, 4, 5, 5, 2, 2),
    (2, 3, 1, 2, 2, 2, 3, 2),
    (5, 4, 2, 3, 5, 4, 0, 2),  # one window
    (1, 6, 1, 2, 1, 2, 0, 2),
    (7, 6, 1, 2, 3, 2, 1, 4),
    (9, 17, 3, 8, 3, 3, 1, 2),
)
IMAGES = 4


def points() -> list[Point]:
    """Return the quick points and the other shapes."""
    return [
        *(_point(shape, is_quick=True) for shape in (*QUICK, *STRIDED_QUICK)),
        *(_point(shape, is_quick=False) for shape in (*FULL, *STRIDED_FULL)),
    ]


def _point(shape: tuple[int, ...], *, is_quick: bool) -> Point:
    parameters = dict(zip((*NAMES, "stride"), shape, strict=False))
    return Point(
        block="sliding_window",
        parameters=parameters,
        make=partial(StridedWindow if "stride" in parameters else SlidingWindow, **parameters),
        save_vectors=partial(save_vectors, parameters),
        is_quick=is_quick,
    )


def save_vectors(parameters: dict[str, int], path: Path) -> None:
    """Write the vectors of a point."""
    height, width, channels, bits, kernel_height, kernel_width, padding = (
        parameters[name] for name in NAMES
    )
    stride = parameters.get("stride", 1)
    rng = np.random.default_rng(1)
    x = rng.integers(0, 1 << bits, (IMAGES + 1, height, width, channels))
    x[1] = (1 << bits) - 1
    x[2] = 0
    x[-1] = 0  # never sent: only its windows before the first pixel may come
    windows = stages.windows(x, kernel_height, kernel_width, padding, stride)
    _, rows, columns, fan_in = windows.shape
    names = [
        f"channel {channel}, ky {ky}, kx {kx}"
        for channel in range(channels)
        for ky in range(kernel_height)
        for kx in range(kernel_width)
    ]
    inputs = Fields.array([f"channel {channel}" for channel in range(channels)], bits)
    outputs = Fields.array(names, bits)
    steps = []
    early = 0  # windows that are complete before the first pixel of their image
    has_pixel = False
    for y in range(height + 2 * padding):
        for x_ in range(width + 2 * padding):
            is_inside = 0 <= y - padding < height and 0 <= x_ - padding < width
            begin = y + 1 - kernel_height, x_ + 1 - kernel_width
            is_complete = all(at >= 0 and at % stride == 0 for at in begin)
            has_pixel |= is_inside
            early += is_complete and not has_pixel
            steps.append(step(needs=is_inside, takes=is_inside, completes=is_complete))
    count = IMAGES * rows * columns + early
    where = [
        f"image {image}, position ({y}, {x_})" for image, y, x_ in np.ndindex(windows.shape[:3])
    ]
    case = Case(
        name=f"{IMAGES} images",
        inputs=[inputs.pack(pixel) for pixel in x[:-1].reshape(-1, channels)],
        outputs=[outputs.pack(window) for window in windows.reshape(-1, fan_in)[:count]],
        where=where[:count],
        steps="".join(map(str, steps)),
        extra=early,
    )
    Vectors([case], inputs, outputs, parameters).save(path)
