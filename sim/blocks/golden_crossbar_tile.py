"""Points of tiles with either kind of cells, and their golden vectors."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.engines.crossbar.memory_tile import MemoryTile
from kakure.hdl.engines.crossbar.tile import CrossbarTile
from kakure.model.config.engines.row_groups import code_peak
from kakure.model.reference import crossbar

from .fields import Field, Fields, signed_bits
from .pairwise import covering
from .point import Point
from .vectors import Case, Vectors, step

__all__ = ["points"]

CYCLES = 1500
"""Of all vectors of a case together, about."""

QUICK = (
    {"rows": 1, "columns": 1, "sharing": 1, "adc_type": "flash", "adc_bits": 1, "input_bits": 1},
    {
        "rows": 9,
        "columns": 6,
        "sharing": 3,
        "adc_type": "sar",
        "adc_bits": 2,
        "input_bits": 3,
        "adc_shift": 1,
        "write_groups": (1, 3, 2),
    },
    {
        "cells": "memory",
        "rows": 9,
        "columns": 6,
        "sharing": 3,
        "adc_type": "sar",
        "adc_bits": 2,
        "input_bits": 3,
        "write_groups": (4, 2),
    },
)
KINDS: dict[str, type[CrossbarTile] | type[MemoryTile]] = {
    "registers": CrossbarTile,
    "memory": MemoryTile,
}
"""By what cells are; they are registers where a point does not say it."""


def points() -> list[Point]:
    """Return the quick points, then some that hold every pair of values."""
    full = covering(
        {
            "rows": (1, 3, 9, 64, 65),
            "columns": (1, 3, 6, 32),
            "sharing": ("none", "some", "all"),
            "adc_type": ("flash", "sar"),
            "adc_bits": ("1", "middle", "lossless"),
            "input_bits": (1, 2, 3, 8),
            "adc_shift": (0, 1, 2),
            "groups": (1, 2),
            "cells": ("registers", "memory"),
        },
        is_allowed=_is_allowed,
    )
    chosen = [*QUICK, *(_resolve(point) for point in full)]
    return [
        Point(
            block="crossbar_tile",
            parameters=parameters,
            make=partial(_make, parameters),
            save_vectors=partial(save_vectors, parameters),
            is_quick=index < len(QUICK),
        )
        for index, parameters in enumerate(chosen)
    ]


def _make(parameters: dict[str, Any]) -> CrossbarTile | MemoryTile:
    values = dict(parameters)
    return KINDS[values.pop("cells", "registers")](**values)


def _is_allowed(point: dict[str, Any]) -> bool:
    """Whether a tile can give anything but 0, and is built in seconds."""
    rows, columns = point["rows"], point["columns"]
    is_small = rows * columns <= 400 or (rows, columns) == (65, 32)
    return is_small and rows + (1 << point["adc_shift"] >> 1) >= 1 << point["adc_shift"]


def _resolve(point: dict[str, Any]) -> dict[str, Any]:
    """Numbers for the words of a point."""
    rows, columns = point["rows"], point["columns"]
    divisors = [n for n in range(1, columns + 1) if columns % n == 0]
    lossless = (rows + (1 << point["adc_shift"] >> 1) >> point["adc_shift"]).bit_length() or 1
    sharing = {"none": 1, "some": divisors[len(divisors) // 2], "all": columns}
    adc_bits = {"1": 1, "middle": max(1, lossless - 1), "lossless": lossless}
    split = columns - columns // 3
    return {
        **({"cells": "memory"} if point["cells"] == "memory" else {}),
        "rows": rows,
        "columns": columns,
        "sharing": sharing[point["sharing"]],
        "adc_type": point["adc_type"],
        "adc_bits": adc_bits[point["adc_bits"]],
        "input_bits": point["input_bits"],
        "adc_shift": point["adc_shift"],
        "write_groups": (
            (split, columns - split) if point["groups"] == 2 and columns > split else (columns,)
        ),
    }


def save_vectors(parameters: dict[str, Any], path: Path) -> None:
    """Write the vectors of a point."""
    rows, columns = parameters["rows"], parameters["columns"]
    input_bits, adc_bits = parameters["input_bits"], parameters["adc_bits"]
    adc_shift = parameters.get("adc_shift", 0)
    conversion = adc_bits if parameters["adc_type"] == "sar" else 1
    cycles = input_bits * parameters["sharing"] * conversion
    largest = (1 << input_bits) - 1
    channels = [f"channel {channel}" for channel in range(columns)]
    inputs = Fields.array([f"row {row}" for row in range(rows)], input_bits)
    peak = code_peak(rows, adc_bits, adc_shift) * largest
    outputs = Fields.array(channels, signed_bits(peak), is_signed=True)
    last = step(takes=True, completes=True)
    steps = str(step(takes=False, completes=False)) * (cycles - 1) + str(last)

    rng = np.random.default_rng(1)
    cases = []
    for name, w in _weights(rng, rows, columns).items():
        x = _activations(rng, min(16, max(4, CYCLES // cycles)), rows, largest)
        y = crossbar.crossbar(
            x, w, rows=rows, input_bits=input_bits, adc_bits=adc_bits, adc_shift=adc_shift
        )
        cases.append(
            Case(
                name=name,
                inputs=[inputs.pack(vector) for vector in x],
                outputs=[outputs.pack(vector) for vector in y],
                where=["one tile"] * len(y),
                steps=steps,
                writes=_writes(rng, w, parameters),
            )
        )
    is_moved = parameters.get("cells") == "memory"  # a share of a row in a cycle, after one read
    write_cycles = parameters["sharing"] + 1 if is_moved else 1
    Vectors(cases, inputs, outputs, parameters, write_port="write", write_cycles=write_cycles).save(
        path
    )


def _weights(rng: np.random.Generator, rows: int, columns: int) -> dict[str, NDArray[np.int8]]:
    """Weights in {−1, 0, 1} by name; the first leave cells behind that the next must replace."""
    random = rng.integers(-1, 2, (rows, columns)).astype(np.int8)
    sparse = random * (rng.random((rows, columns)) < 0.2)
    mixed = random.copy()
    mixed[:, 0] = 1
    mixed[:, -1] = -1
    return {
        "random weights": random,
        "all weights +": np.ones_like(random),
        "all weights -": -np.ones_like(random),
        "a + and a - column": mixed,
        "all weights 0": np.zeros_like(random),
        "few weights": sparse.astype(np.int8),
    }


def _activations(
    rng: np.random.Generator, count: int, rows: int, largest: int
) -> NDArray[np.int64]:
    """Vectors (count, rows): all zeros, all ones, then random, then ones in a random part."""
    x = rng.integers(0, largest + 1, (count, rows))
    x[0] = 0
    x[1] = largest
    for n in range(3, count, 2):
        x[n] = largest * (rng.random(rows) < rng.random())
    return x


def _writes(rng: np.random.Generator, w: NDArray[np.int8], parameters: dict[str, Any]) -> list[int]:
    """Words that write the cells, group after group; other groups are given what is not theirs."""
    rows, columns = w.shape
    groups = parameters.get("write_groups", (columns,))
    has_memory = parameters.get("cells") == "memory"
    conversion = parameters["adc_bits"] if parameters["adc_type"] == "sar" else 1
    part_bits = (conversion - 1).bit_length() if has_memory else 0
    port = Fields([
        Field("valid", 1),
        Field("enable", len(groups)),
        Field("part", part_bits),
        *(Field(f"positive {column}", 1) for column in range(columns)),
        *(Field(f"negative {column}", 1) for column in range(columns)),
    ])

    def packed(number: int, enable: int, row: NDArray[Any]) -> int:
        part = number // -(-rows // conversion) if part_bits else 0
        return port.pack([1, enable, part, *(row > 0), *(row < 0)])

    ends = np.cumsum(groups)
    words = []
    for group, (width, end) in enumerate(zip(groups, ends, strict=True)):
        for number, row in enumerate(w):
            shown = rng.integers(-1, 2, columns)
            shown[end - width : end] = row[end - width : end]
            words.append(packed(number, 1 << group, shown))
    if len(groups) == 1:
        return words
    everything = [packed(number, (1 << len(groups)) - 1, row) for number, row in enumerate(-w)]
    return [*everything, *words]
