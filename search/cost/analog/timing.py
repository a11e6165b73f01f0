"""Cycles of an analog crossbar layer that follow from its parts: converter, adders, wires."""

import numpy as np
from numpy.typing import NDArray

from .work import Kind, Readout

__all__ = ["accumulate_cycles", "bus", "converter_ns", "extra_hops", "hop_cycles"]

Floats = NDArray[np.float64]

WIDE_SUM = 14
"""Bits AP + IP from which the adder tree takes its extra cycles."""


def converter_ns(r: Readout) -> Floats:
    """Conversion time without encoder: SAR AP + 1 ns, flash 1 ns."""
    return np.where(r.is_sar, r.adc_bits + 1, 1.0)


def accumulate_cycles(
    kind: Kind, r: Readout, stages: tuple[float, ...], alone: tuple[float, ...]
) -> Floats:
    """Cycles of shift-add and adder tree for one vector of one copy.

    IP·(CS + ⌈CS/n⌉) + ⌈CS/n⌉·max(m, AP + IP + c + d·[AP + IP ≥ 14]) with n cells per weight and
    ``stages`` = (m, c, d); with CS < n, where no column waits for another of its weight,
    IP·CS + p + q·AP with ``alone`` = (p, q).
    """
    least, offset, jump = stages
    bits = r.adc_bits + r.input_bits
    visits = np.ceil(r.column_sharing / kind.cells)
    tree = np.maximum(least, bits + offset + jump * (bits >= WIDE_SUM))
    shared = r.input_bits * (r.column_sharing + visits) + visits * tree
    single = r.input_bits * r.column_sharing + alone[0] + alone[1] * r.adc_bits
    return np.where(r.column_sharing < kind.cells, single, shared)


def bus(r: Readout) -> Floats:
    """Cycles that one hop of one input bit takes: the bus narrows as columns are shared less."""
    return 10 / (8 + 8 / r.column_sharing)


def hop_cycles(side_mm: Floats, span_mm: float) -> Floats:
    """Cycles of one hop, ⌈side / span⌉."""
    return np.maximum(np.ceil(side_mm / span_mm), 1)


def extra_hops(
    side_mm: Floats, span_mm: float, first_mm: float, step_mm: float, drop: float
) -> Floats:
    """Hops more for larger tiles: ⌊(side − first) / step⌋, less ``drop`` per cycle above one."""
    steps = np.maximum(np.floor((side_mm - first_mm) / step_mm), 0)
    return steps - drop * (hop_cycles(side_mm, span_mm) - 1)
