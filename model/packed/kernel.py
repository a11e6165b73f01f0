"""The compiled kernel, ``kernel.c``: its functions, and the structures that they take."""

import ctypes
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kakure.model.errors import UserError
from kakure.model.files.c_library import c_library

__all__ = ["EXACT", "PIECE", "ROUNDING", "SATURATING", "Layer", "Scaling", "address", "kernel"]

CACHE = Path("build/cache/packed")

OPTIONS = ("-O3", "-fwrapv", "-w")
HERE = "-march=native"
"""Left out where a compiler does not know it."""

EXACT, SATURATING, ROUNDING = range(3)

PIECE = np.dtype([("offset", "<i8"), ("word", "<i8"), ("turn", "<u8"), ("mask", "<u8")])

I64, POINTER = ctypes.c_int64, ctypes.c_void_p


class Layer(ctypes.Structure):
    """``Layer`` of kernel.c."""

    _fields_ = (
        *((name, I64) for name in ("planes", "in_height", "in_width", "in_channels", "padding")),
        *((name, I64) for name in ("out_height", "out_width", "stride", "outputs")),
        *((name, I64) for name in ("groups", "words", "pieces")),
        *((name, POINTER) for name in ("piece", "cells")),
        *((name, I64) for name in ("mode", "cap", "shift")),
    )


class Scaling(ctypes.Structure):
    """``Scaling`` of kernel.c."""

    _fields_ = (
        *((name, I64) for name in ("height", "width", "outputs", "pool")),
        *((name, I64) for name in ("left", "right", "largest")),
        *((name, POINTER) for name in ("multiplier", "offset", "shift")),
    )


FUNCTIONS = {
    "lanes": ([], I64),
    "pack": ([ctypes.POINTER(Layer), I64, POINTER, POINTER], None),
    "sums": ([ctypes.POINTER(Layer), I64, POINTER, POINTER, POINTER], None),
    "requantize": ([ctypes.POINTER(Scaling), I64, POINTER, POINTER, POINTER], None),
}
"""Arguments and results."""


@lru_cache(maxsize=1)
def kernel() -> ctypes.CDLL | None:
    """The kernel, compiled for this processor or taken from the cache.

    None where there is no C compiler, or it refuses; once in a process a line says so.
    """
    text = Path(__file__).with_name("kernel.c").read_text(encoding="utf-8")
    try:
        try:
            found = c_library("the packed kernel", text, [*OPTIONS, HERE], CACHE)
        except UserError:
            found = c_library("the packed kernel", text, OPTIONS, CACHE)
    except UserError as error:
        print(f"{error}; the reference computes instead, slowly", file=sys.stderr, flush=True)
        return None
    for name, (arguments, result) in FUNCTIONS.items():
        function = getattr(found, name)
        function.argtypes, function.restype = arguments, result
    return found


def address(array: NDArray) -> int:
    """Where an array's numbers begin; they must lie in order."""
    assert array.flags.c_contiguous
    return array.ctypes.data
