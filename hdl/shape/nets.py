"""What synthesis adds to wide words and to nets with many sinks: clock gates and buffers."""

from typing import Any

import numpy as np

from kakure.hdl.synthesis.buffering import BUFFER_LIMIT_FF, DRIVER_LIMIT_FF

from .numbers import Number, choose

__all__ = [
    "GATE_FF",
    "MACRO_DEPTH",
    "REGISTER_FF",
    "WIRE_FF",
    "buffers",
    "driven",
    "gated",
    "ram_load",
]

LEAST_GATED = 8
"""Flip-flops with a common enable, from which on they get a clock gate instead of multiplexers."""
WIRE_FF, GATE_FF, REGISTER_FF = 0.887, 1.7, 1.14
"""Loads of a net: wire to one more sink, a gate's input, a flip-flop's input [fF]."""
BUFFER_FF = 4.287
"""Load of a buffer's input and the wire to it [fF]."""
MACRO_DEPTH = 32
"""Words from which on a memory is taken for a macro, unless it has few bits."""


def gated(flops: Number) -> Number:
    """1 where flip-flops with one enable get a clock gate."""
    return choose(flops >= LEAST_GATED, 1.0, 0.0)


def buffers(load: Any) -> Any:
    """Buffers of the tree on a net with ``load`` [fF] behind ports of children."""
    total = np.zeros_like(load)
    while np.any(load > DRIVER_LIMIT_FF):
        level = np.where(load > DRIVER_LIMIT_FF, np.ceil(load / BUFFER_LIMIT_FF), 0.0)
        total += level
        load = level * BUFFER_FF
    return total


def driven(load: Any) -> Any:
    """Load that is left of a net once it has its tree of buffers [fF]."""
    load = np.asarray(load, np.float64)
    while np.any(load > DRIVER_LIMIT_FF):
        many = np.ceil(load / BUFFER_LIMIT_FF) * BUFFER_FF
        load = np.where(load > DRIVER_LIMIT_FF, many, load)
    return load


def ram_load(depth: Number) -> Any:
    """Load of one bit of a memory's write port and its wire: each word's flip-flop [fF].

    A macro is a single load; a narrow memory is none, but then has few bits.
    """
    words = REGISTER_FF * depth + GATE_FF
    return choose(depth < MACRO_DEPTH, words, REGISTER_FF) + WIRE_FF
