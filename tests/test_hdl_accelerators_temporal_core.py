# amaranth: UnusedElaboratable=no
"""Whole temporal cores: logits are the reference's, cycles those of the formulas."""

import pytest
from branching import FORMS
from temporal import temporal
from test_hdl_accelerators_temporal_processor import LAYERS

from kakure.sim.drivers.core import compare_core

SLOW = [
    pytest.param(form, marks=pytest.mark.full)
    for form in FORMS
    if form not in ("stride and pool", "summed, saturated", "over two")
]


@pytest.mark.parametrize("form", ["stride and pool", "summed, saturated", "over two", *SLOW])
def test_logits_and_cycles(form):
    compare_core(
        temporal(FORMS[form], (8, 4, 2, 4), input_shape=[6, 6, 1]), images=2, gaps=1, seed=1
    )


LINEAR = {"kind": "linear", "channels": 3, "input_bits": 4}
WIDE = {"kind": "conv", "channels": 20, "kernel": 1, "input_bits": 7}


@pytest.mark.parametrize(
    ("layers", "array", "shape"),
    [
        ([LINEAR], (8, 4, 2, 4), [33, 9, 1]),  # a kernel as tall as the map
        ([WIDE, WIDE, LINEAR | {"input_bits": 6}], (2, 16, 1, 2), [2, 2, 2]),  # 16 words at a time
        ([LINEAR | {"channels": 40}], (4, 4, 2, 2), [1, 1, 1]),  # results take longest
    ],
)
def test_corners(layers, array, shape):
    compare_core(temporal(layers, array, input_shape=shape), images=3, gaps=1, seed=3)


LONG = [
    pytest.param(array, marks=pytest.mark.full)
    for array in ((4, 4, 4, 2), (6, 2, 3, 5), (16, 32, 2, 2))
]


@pytest.mark.parametrize("array", [(12, 8, 1, 4), *LONG])
def test_arrays_of_any_shape(array):
    compare_core(temporal(LAYERS, array, input_shape=[5, 6, 2]), images=2, gaps=1, seed=2)
