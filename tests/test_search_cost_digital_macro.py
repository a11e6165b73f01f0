"""Macros of many memories."""

import numpy as np
import pytest

from kakure.hdl.synthesis.memory_macro import is_macro, memory_macro
from kakure.search.cost.digital import macro


def test_macros_are_those_of_synthesis():
    depth, width = (
        axis.reshape(-1)
        for axis in np.meshgrid([1, 31, 32, 40, 64, 100, 2048, 2049, 5000], [1, 4, 8, 16, 64, 65])
    )
    wanted = [is_macro(int(d), int(w)) for d, w in zip(depth, width, strict=True)]
    assert macro.is_macro(depth, width).tolist() == wanted
    for d, w, area in zip(depth, width, macro.macro_area_um2(depth, width), strict=True):
        if is_macro(int(d), int(w)):
            assert area == pytest.approx(memory_macro(int(d), int(w)).area_um2, rel=1e-12)
