"""Buffers and clock gates, as synthesis adds them."""

import numpy as np

from kakure.hdl.shape import nets
from kakure.hdl.synthesis.mapping import SCRIPT
from kakure.hdl.synthesis.memory_macro import LEAST_DEPTH


def test_buffers_are_a_tree_within_the_limits_of_synthesis():
    loads = np.array([0.0, 20.0, 20.1, 60.0, 60.1, 300.0, 3000.0])
    # 3000 fF are 50 buffers, their inputs 214 fF and so 4 more.
    assert nets.buffers(loads).tolist() == [0, 0, 1, 1, 2, 6, 54]
    assert nets.driven(np.array([20.0, 60.0, 3000.0])).tolist() == [20.0, 4.287, 4 * 4.287]


def test_clock_gates_and_macros_begin_where_synthesis_has_them():
    assert f"-min_net_size {nets.LEAST_GATED}" in SCRIPT
    assert nets.gated(nets.LEAST_GATED) == 1 and nets.gated(nets.LEAST_GATED - 1) == 0
    assert nets.MACRO_DEPTH == LEAST_DEPTH
    assert nets.ram_load(nets.MACRO_DEPTH) < nets.ram_load(2)
