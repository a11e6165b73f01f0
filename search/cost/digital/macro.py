"""Areas of memory macros for arrays of sizes: the formula of :mod:`.memory_macro`."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kakure.hdl.synthesis import memory_macro

__all__ = ["is_macro", "macro_area_um2"]

Ints = NDArray[Any]


@lru_cache(maxsize=1)
def _coefficients() -> dict[str, float]:
    path = Path(memory_macro.__file__).with_name("memory_macro.json")
    return json.loads(path.read_text())["area_um2"]["coefficients"]


def is_macro(depth: Ints, width: Ints) -> NDArray[np.bool_]:
    """As :func:`kakure.hdl.synthesis.memory_macro.is_macro`."""
    least = memory_macro.LEAST_WIDTH
    wide = depth * np.maximum(width, least) >= memory_macro.LEAST_BITS
    return (depth >= memory_macro.LEAST_DEPTH) & wide


def macro_area_um2(depth: Ints, width: Ints) -> NDArray[np.float64]:
    """As ``memory_macro(depth, width).area_um2``, where that is a macro [µm²]."""
    deep = -(-depth // memory_macro.MOST_DEPTH)
    wide = -(-width // memory_macro.MOST_WIDTH)
    words, word = depth / deep, np.maximum(width / wide, memory_macro.LEAST_WIDTH)
    terms = {"1": 1.0, "width": word, "depth": words, "depth*width": words * word}
    return deep * wide * sum(c * terms[name] for name, c in _coefficients().items())
